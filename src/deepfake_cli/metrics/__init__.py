"""Scores become figures with intervals, at frame, video and group level. Fake is the positive class, 1; real is 0."""

from deepfake_cli.metrics.assess import MISSING, SLICE_RESAMPLES, assess
from deepfake_cli.metrics.delong import delong, delong_test
from deepfake_cli.metrics.figures import ERRORS, FIGURES, best_threshold, confusion, figures
from deepfake_cli.metrics.interval import LEVEL, METHODS, Interval, intervals
from deepfake_cli.metrics.pool import best_pool, group_scores, video_scores
from deepfake_cli.metrics.reliability import reliability
from deepfake_cli.pool import POOLS

__all__ = [
    "ERRORS",
    "FIGURES",
    "LEVEL",
    "METHODS",
    "MISSING",
    "POOLS",
    "SLICE_RESAMPLES",
    "Interval",
    "assess",
    "best_pool",
    "best_threshold",
    "confusion",
    "delong",
    "delong_test",
    "figures",
    "group_scores",
    "intervals",
    "reliability",
    "video_scores",
]
