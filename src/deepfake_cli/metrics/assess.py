"""All metrics of frames, videos, groups and slices, as they go to ``metrics.json``."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from deepfake_cli.metrics import slices
from deepfake_cli.metrics.checked import checked, checked_rows
from deepfake_cli.metrics.delong import of_ranking
from deepfake_cli.metrics.few import FEWEST
from deepfake_cli.metrics.few import notes as few_notes
from deepfake_cli.metrics.figures import Rows, counted
from deepfake_cli.metrics.interval import LEVEL, of_rows
from deepfake_cli.metrics.pooling import Codes
from deepfake_cli.metrics.videos import group_scores, video_scores

SLICE_RESAMPLES = 200  # at most: enough for the width of an interval
MISSING = ("fail", "half", "skip")


@dataclass(frozen=True)
class Plan:
    """Settings of the measurement."""

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
    """Return metrics, intervals and confusion matrices of frames, videos, groups and slices.

    All levels share the same resamples of groups.

    Args:
        frames: one row per frame, as for `video_scores`; slices are by dataset, group and, if present, quality and method.
        threshold: frames and videos with a score at or above it are predicted fake.
        resamples: number of bootstrap resamples; `SLICE_RESAMPLES` at most for slices.
        seed: of the bootstrap.
        pool: pooling of frame scores, one of `deepfake_cli.metrics.pooling.POOLS`.
        interval: "percentile" or "bca".
        missing: videos without a score, with the columns dataset, video, group, label and, if present, quality and method.
        missing_as: "fail": count them as misclassified; "half": score them 0.5; "skip": leave them out.
        sliced: measure slices too.

    Returns:
        ``{"threshold", "pool", "missing", "frame": {"n", "real", "fake", *FIGURES, "confusion"}, "video": {…the same…},
        "group": {…the same…} or None, "slices": [{"by", "value", "frame", "video"}], "interval": {"level", "resamples",
        "slice_resamples", "method", "unit", "units", "left_out"}, "notes"}``, where each metric is ``{"value", "low",
        "high"}``; AUC also has ``"delong": {"low", "high"}``.

    Raises:
        ManifestError: as for `video_scores` and `figures`.
        ConfigError: the pool or interval is unknown.
    """
    videos = with_missing(video_scores(frames, pool), missing, missing_as)
    for rows in (frames, videos):
        checked(rows["label"], rows["score"])
    groups = group_scores(videos)
    several = len(groups[["dataset", "group"]].drop_duplicates()) > 1
    plan = Plan(threshold, resamples, seed, interval)
    levels: dict[str, Any] = {
        name: level(rows, units(rows), plan) for name, rows in (("frame", frames), ("video", videos))
    }
    levels["group"] = level(groups, units(groups), plan) if several else None
    left_out = [level.pop("left_out") for level in levels.values() if level]
    parts, notes = _slices(frames, videos, plan) if sliced else ([], [])
    about = {
        "level": LEVEL,
        "resamples": resamples,
        "slice_resamples": min(resamples, SLICE_RESAMPLES),
        "method": interval,
        "unit": "group",
        "units": int(units(videos).max()) + 1,
        "left_out": left_out[0],
    }
    notes += few_notes(levels, about)
    head = {"threshold": float(threshold), "pool": pool, "missing": missing_as}
    return head | levels | {"slices": parts, "interval": about, "notes": notes}


def with_missing(videos: pd.DataFrame, missing: pd.DataFrame | None, how: str) -> pd.DataFrame:
    """Add videos without a score, with the score that `how` gives them."""
    if missing is None or missing.empty or how == "skip":
        return videos
    wrong = 1.0 - missing["label"].to_numpy("float64")
    given = missing.assign(score=wrong if how == "fail" else 0.5, frames=0)
    given = given.reindex(columns=videos.columns)
    names = [name for name in videos if not pd.api.types.is_numeric_dtype(videos[name])]
    return pd.concat([table.astype(dict.fromkeys(names, str)) for table in (videos, given)], ignore_index=True)


def level(rows: pd.DataFrame, codes: Codes, plan: Plan) -> dict[str, Any]:
    """Metrics of a level; `codes` has the number of the unit of each row."""
    return _measured(rows["label"].to_numpy(), rows["score"].to_numpy(), codes, plan)


def _measured(labels: Any, scores: Any, codes: Codes, plan: Plan) -> dict[str, Any]:
    truth, score = checked_rows(labels, scores)
    ready = Rows.of(truth, score, plan.threshold, codes)
    metrics = of_rows(ready, plan.resamples, plan.seed, LEVEL, plan.method)
    fakes = int(truth.sum())
    result: dict[str, Any] = {"n": len(truth), "real": len(truth) - fakes, "fake": fakes}
    for name, figure in metrics.items():
        result[name] = {"value": figure.value, "low": figure.low, "high": figure.high}
    if 0 < fakes < len(truth):
        few = ready.units < FEWEST
        result["auc"]["delong"] = {"low": None, "high": None} if few else of_ranking(ready.ranking)
    return result | {"confusion": counted(truth, score, plan.threshold), "left_out": metrics["auc"].left_out}


def units(rows: pd.DataFrame) -> Codes:
    """Number groups by first appearance: frames and videos share the numbers, and so the resamples."""
    return rows.groupby(["dataset", "group"], observed=True, sort=False).ngroup().to_numpy()


def _slices(frames: pd.DataFrame, videos: pd.DataFrame, plan: Plan) -> tuple[list[dict[str, Any]], list[str]]:
    """Frame and video metrics of each slice, and notes."""
    wanted, notes = slices.slices_of(videos)
    fewer = replace(plan, resamples=min(plan.resamples, SLICE_RESAMPLES))
    several = videos["dataset"].nunique() > 1
    levels = {name: _Level(rows) for name, rows in (("frame", frames), ("video", videos))}
    return [
        {"by": by, "value": slices.shown(by, value, several)}
        | {name: part.measured(by, value, fewer) for name, part in levels.items()}
        for by, value in wanted
    ], notes


class _Level:
    """The rows of one level, prepared for slicing."""

    def __init__(self, rows: pd.DataFrame):
        order = np.argsort(-rows["score"].to_numpy(), kind="stable")  # sort once: sorting slices of it is then fast
        self.labels, self.scores = rows["label"].to_numpy()[order], rows["score"].to_numpy()[order]
        self.units, self.table = units(rows)[order], slices.Table(rows.iloc[order])

    def measured(self, by: str, value: Any, plan: Plan) -> dict[str, Any] | None:
        at = np.flatnonzero(self.table.where(by, value))
        if not len(at):
            return None
        codes = self.units[at]
        codes = (np.cumsum(np.bincount(codes) > 0) - 1)[codes]  # numbered without gaps
        metrics = _measured(self.labels[at], self.scores[at], codes, plan)
        del metrics["left_out"]
        return metrics
