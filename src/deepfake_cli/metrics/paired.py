"""Differences between two detectors on the same rows, from the same resamples."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from deepfake_cli.metrics.checked import checked
from deepfake_cli.metrics.delong import delong_test
from deepfake_cli.metrics.few import FEWEST, notes
from deepfake_cli.metrics.figures import Rows
from deepfake_cli.metrics.interval import LEVEL, limits
from deepfake_cli.metrics.pooling import Codes, Floats
from deepfake_cli.metrics.resample import bootstrap, jackknife


@dataclass(frozen=True)
class Plan:
    """Settings of a comparison; each detector has its own threshold."""

    thresholds: tuple[float, float]
    resamples: int
    seed: int
    method: str


def compared(frames: pd.DataFrame, videos: pd.DataFrame, plan: Plan) -> dict[str, Any]:
    """Compare frames and videos.

    Both detectors get the same resamples of groups: what makes a group easy or hard for both cancels out.

    Args:
        frames: the columns dataset, video, group, label, and the scores ``a`` and ``b``.
        videos: the same, one row per video.
        plan: thresholds, resamples, seed, method.

    Returns:
        ``{"frame": {"n", "real", "fake", FIGURE: {"a", "b", "difference", "low", "high"}}, "video": {…}, "interval",
        "notes"}``, where AUC has ``"delong"``, as of `delong_test`, too. None where undefined; no interval
        and no test of fewer than ten groups.

    Raises:
        ManifestError: as for `deepfake_cli.metrics.figures.figures`.
    """
    codes = [
        rows.groupby(["dataset", "group"], observed=True, sort=False).ngroup().to_numpy() for rows in (frames, videos)
    ]
    levels = {
        name: _level(rows, units, plan)
        for name, rows, units in zip(("frame", "video"), (frames, videos), codes, strict=True)
    }
    about = {
        "level": LEVEL,
        "resamples": plan.resamples,
        "method": plan.method,
        "unit": "group",
        "units": int(codes[1].max()) + 1,
        "left_out": levels["frame"].pop("left_out"),
    }
    del levels["video"]["left_out"]
    return {**levels, "interval": about, "notes": notes(levels, about)}


def _level(rows: pd.DataFrame, codes: Codes, plan: Plan) -> dict[str, Any]:
    sides = [checked(rows["label"], rows[side]) for side in "ab"]
    ready = [Rows.of(*side, cut, codes) for side, cut in zip(sides, plan.thresholds, strict=True)]
    a, b = (side.unweighted() for side in ready)
    drawn: dict[str, Floats] = {}
    without: dict[str, Floats] = {}
    left_out = 0
    if ready[0].units >= FEWEST:
        (of_a, left_out), (of_b, _) = (bootstrap(side, plan.resamples, plan.seed) for side in ready)
        drawn = {name: of_a[name] - of_b[name] for name in of_a}
        if plan.method == "bca":
            of_a, of_b = (jackknife(side) for side in ready)
            without = {name: of_a[name] - of_b[name] for name in of_a}
    fakes = int(sides[0][0].sum())
    result: dict[str, Any] = {"n": len(rows), "real": len(rows) - fakes, "fake": fakes, "left_out": left_out}
    for name in a:
        difference = a[name] - b[name]
        low, high = limits(difference, drawn.get(name, np.empty(0)), without.get(name), LEVEL, plan.method)
        ends = {"low": None, "high": None} if np.isnan(low) else {"low": low, "high": high}
        both = {"a": a[name], "b": b[name], "difference": difference}
        result[name] = (dict.fromkeys(both) if np.isnan(difference) else both) | ends
    test = delong_test(sides[0][0], sides[0][1], sides[1][1])
    unsure = {} if ready[0].units >= FEWEST else dict.fromkeys(("low", "high", "z", "p"))
    result["auc"]["delong"] = test | unsure
    return result
