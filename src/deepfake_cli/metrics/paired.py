"""Two detectors on the same rows: the difference of each figure, from the same resamples of both."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from deepfake_cli.metrics.checked import Codes, checked
from deepfake_cli.metrics.delong import delong_test
from deepfake_cli.metrics.figures import FIGURES, Rows
from deepfake_cli.metrics.interval import LEVEL, limits
from deepfake_cli.metrics.resample import draws, jackknife


@dataclass(frozen=True)
class Plan:
    """How two are compared; each has its own threshold."""

    thresholds: tuple[float, float]
    resamples: int
    seed: int
    method: str


def compared(frames: pd.DataFrame, videos: pd.DataFrame, plan: Plan) -> dict[str, Any]:
    """Compare at frame and at video level.

    Both detectors meet the same resamples of groups (of videos, if there is one group only), so that what makes a group easy
    or hard for both cancels out.

    Args:
        frames: the columns dataset, video, group, label, and the scores ``a`` and ``b``.
        videos: the same, a row a video.
        plan: thresholds, resamples, seed, method.

    Returns:
        ``{"frame": {"n", "real", "fake", FIGURE: {"a", "b", "difference", "low", "high"}}, "video": {…}, "interval"}``, where
        AUC has ``"delong"``, as of `delong_test`, too.

    Raises:
        ManifestError: as for `deepfake_cli.metrics.figures.figures`.
    """
    several = len(videos[["dataset", "group"]].drop_duplicates()) > 1
    keys = ["dataset", "group" if several else "video"]
    codes = [rows.groupby(keys, observed=True, sort=False).ngroup().to_numpy() for rows in (frames, videos)]
    found = {
        name: _level(rows, units, plan)
        for name, rows, units in zip(("frame", "video"), (frames, videos), codes, strict=True)
    }
    said = {
        "level": LEVEL,
        "resamples": plan.resamples,
        "method": plan.method,
        "unit": keys[1],
        "units": int(codes[1].max()) + 1,
        "left_out": found["frame"].pop("left_out"),
    }
    del found["video"]["left_out"]
    return {**found, "interval": said}


def _level(rows: pd.DataFrame, codes: Codes, plan: Plan) -> dict[str, Any]:
    sides = [checked(rows["label"], rows[side]) for side in "ab"]
    ready = [Rows.of(*side, cut, codes) for side, cut in zip(sides, plan.thresholds, strict=True)]
    values = np.array([each.plain() for each in ready])
    ends, left_out = np.full((len(FIGURES), 2), np.nan), 0
    if ready[0].units > 1:
        drawn = np.subtract(*(draws(each, plan.resamples, plan.seed) for each in ready))
        without = np.subtract(*(jackknife(each) for each in ready)) if plan.method == "bca" else None
        ends, left_out = (
            limits(values[0] - values[1], drawn, without, LEVEL, plan.method),
            int(np.isnan(drawn[:, -1]).sum()),
        )
    fakes = int(sides[0][0].sum())
    result: dict[str, Any] = {"n": len(rows), "real": len(rows) - fakes, "fake": fakes, "left_out": left_out}
    for name, (a, b), (low, high) in zip(FIGURES, values.T.tolist(), ends.tolist(), strict=True):
        limited = {"low": None, "high": None} if np.isnan(low) else {"low": low, "high": high}
        result[name] = {"a": a, "b": b, "difference": a - b, **limited}
    result["auc"]["delong"] = delong_test(sides[0][0], sides[0][1], sides[1][1])
    return result
