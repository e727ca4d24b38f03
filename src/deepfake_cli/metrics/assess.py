"""All figures at frame, video and group level, and of every slice, ready for JSON."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from deepfake_cli.metrics import slices
from deepfake_cli.metrics.checked import Codes, checked, checked_rows
from deepfake_cli.metrics.delong import of_ranking
from deepfake_cli.metrics.figures import Rows, counted
from deepfake_cli.metrics.interval import LEVEL, of_rows
from deepfake_cli.metrics.videos import group_scores, video_scores

SLICE_RESAMPLES = 200  # at most: enough to see how wide an interval is
MISSING = ("fail", "half", "skip")


@dataclass(frozen=True)
class Plan:
    """How levels are measured."""

    threshold: float
    resamples: int
    seed: int
    method: str


def assess(
    frames: pd.DataFrame,
    threshold: float,
    resamples: int = 1000,
    seed: int = 0,
    *,
    pool: str = "mean",
    interval: str = "percentile",
    missing: pd.DataFrame | None = None,
    missing_as: str = "skip",
    sliced: bool = True,
) -> dict[str, Any]:
    """Return all figures, intervals and confusion counts at frame, video and group level, and of each slice.

    The intervals of all levels come from the same resamples of groups; of videos if there is only one group, which
    the ``note`` then says.

    Args:
        frames: one row a frame, as for `video_scores`; slices are made by their dataset, group and, if there, quality and
            method.
        threshold: a score (of a frame, of a video) of at least this is called fake.
        resamples: bootstrap resamples; slices get `SLICE_RESAMPLES` at most.
        seed: of the bootstrap.
        pool: what makes a video's score of its frames', one of `deepfake_cli.metrics.pooling.POOLS`.
        interval: "percentile" or "bca".
        missing: videos that have no score, with the columns dataset, video, group, label and, if there, quality and method.
        missing_as: "fail": they count as called wrong; "half": they score 0.5; "skip": they are left out.
        sliced: measure the slices, too.

    Returns:
        ``{"threshold", "pool", "missing", "frame": {"n", "real", "fake", *FIGURES, "confusion"}, "video": {…the same…},
        "group": {…the same…} or None, "slices": [{"by", "value", "frame", "video"}], "interval": {"level", "resamples",
        "slice_resamples", "method", "unit", "units", "left_out"}, "notes"}``, where each figure is ``{"value", "low",
        "high"}``, and AUC has ``"delong": {"low", "high"}`` too.

    Raises:
        ManifestError: as for `video_scores` and `figures`.
        ConfigError: there is no such pool or interval.
    """
    videos = with_missing(video_scores(frames, pool), missing, missing_as)
    for rows in (frames, videos):
        checked(rows["label"], rows["score"])
    groups = group_scores(videos)
    several = len(groups[["dataset", "group"]].drop_duplicates()) > 1
    unit, plan = "group" if several else "video", Plan(threshold, resamples, seed, interval)
    levels: dict[str, Any] = {
        name: level(rows, units(rows, unit), plan) for name, rows in (("frame", frames), ("video", videos))
    }
    levels["group"] = level(groups, units(groups, "group"), plan) if several else None
    left_out = [found.pop("left_out") for found in levels.values() if found]
    parts, notes = _slices(frames, videos, unit, plan) if sliced else ([], [])
    said = {
        "level": LEVEL,
        "resamples": resamples,
        "slice_resamples": min(resamples, SLICE_RESAMPLES),
        "method": interval,
        "unit": unit,
        "units": int(units(videos, unit).max()) + 1,
        "left_out": left_out[0],
    }
    if not several:
        said["note"] = "intervals resample videos, since there is only one group"
    head = {"threshold": float(threshold), "pool": pool, "missing": missing_as}
    return head | levels | {"slices": parts, "interval": said, "notes": notes}


def with_missing(videos: pd.DataFrame, missing: pd.DataFrame | None, how: str) -> pd.DataFrame:
    """Add the videos that have no score, with the one that `how` gives them."""
    if missing is None or missing.empty or how == "skip":
        return videos
    wrong = 1.0 - missing["label"].to_numpy("float64")
    given = missing.assign(score=wrong if how == "fail" else 0.5, frames=0)
    given = given.reindex(columns=videos.columns)
    names = [name for name in videos if not pd.api.types.is_numeric_dtype(videos[name])]
    return pd.concat([table.astype(dict.fromkeys(names, str)) for table in (videos, given)], ignore_index=True)


def level(rows: pd.DataFrame, codes: Codes, plan: Plan) -> dict[str, Any]:
    """The figures of one level, or of one level's slice; `codes` number the units."""
    return _measured(rows["label"].to_numpy(), rows["score"].to_numpy(), codes, plan)


def _measured(labels: Any, scores: Any, codes: Codes, plan: Plan) -> dict[str, Any]:
    truth, score = checked_rows(labels, scores)
    ready = Rows.of(truth, score, plan.threshold, codes)
    found = of_rows(ready, plan.resamples, plan.seed, LEVEL, plan.method)
    fakes = int(truth.sum())
    result: dict[str, Any] = {"n": len(truth), "real": len(truth) - fakes, "fake": fakes}
    for name, figure in found.items():
        result[name] = {"value": figure.value, "low": figure.low, "high": figure.high}
    if 0 < fakes < len(truth):
        result["auc"]["delong"] = of_ranking(ready.ranking)
    return result | {"confusion": counted(truth, score, plan.threshold), "left_out": found["auc"].left_out}


def units(rows: pd.DataFrame, unit: str) -> Codes:
    """Number units by first appearance: frames and videos get the same numbers, and so the same resamples."""
    return rows.groupby(["dataset", unit], observed=True, sort=False).ngroup().to_numpy()


def _slices(
    frames: pd.DataFrame, videos: pd.DataFrame, unit: str, plan: Plan
) -> tuple[list[dict[str, Any]], list[str]]:
    """Each slice at frame and at video level, and notes."""
    wanted, notes = slices.names(videos)
    fewer = replace(plan, resamples=min(plan.resamples, SLICE_RESAMPLES))
    several = videos["dataset"].nunique() > 1
    levels = {name: _Level(rows, unit) for name, rows in (("frame", frames), ("video", videos))}
    return [
        {"by": by, "value": slices.shown(by, value, several)}
        | {name: part.measured(by, value, fewer) for name, part in levels.items()}
        for by, value in wanted
    ], notes


class _Level:
    """The rows of one level, ready to be sliced."""

    def __init__(self, rows: pd.DataFrame, unit: str):
        order = np.argsort(-rows["score"].to_numpy(), kind="stable")  # once: to sort what is sorted takes no time
        self.labels, self.scores = rows["label"].to_numpy()[order], rows["score"].to_numpy()[order]
        self.units, self.table = units(rows, unit)[order], slices.Table(rows.iloc[order])

    def measured(self, by: str, value: Any, plan: Plan) -> dict[str, Any] | None:
        at = np.flatnonzero(self.table.where(by, value))
        if not len(at):
            return None
        codes = self.units[at]
        codes = (np.cumsum(np.bincount(codes) > 0) - 1)[codes]  # numbered without gaps
        found = _measured(self.labels[at], self.scores[at], codes, plan)
        del found["left_out"]
        return found
