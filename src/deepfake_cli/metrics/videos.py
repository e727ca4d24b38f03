"""From tables of frames to tables of videos and groups."""

import numpy as np
import pandas as pd

from deepfake_cli.errors import ManifestError
from deepfake_cli.metrics.checked import KEYS, check_frames
from deepfake_cli.metrics.figures import figures
from deepfake_cli.metrics.pooling import POOLS, Codes
from deepfake_cli.registry import lookup


def video_scores(frames: pd.DataFrame, pool: str = "mean") -> pd.DataFrame:
    """Return one row per video, in order of first appearance, with the pooled score of its frames.

    Args:
        frames: one row per frame with the columns dataset, video, group, label (0 or 1) and score (in [0, 1]).
        pool: one of `POOLS`.

    Returns:
        The columns dataset, video, group, label, score (float64), frames (their number) and, if frames have them, method and
        quality; one row for each pair of dataset and video.

    Raises:
        ManifestError: a column is missing, a cell is empty, or frames of one video differ in group or label.
        ConfigError: the pool is unknown.
    """
    check_frames(frames)
    pooled = lookup(POOLS, pool, "pool")
    codes = frames.groupby(["dataset", "video"], observed=True, sort=False).ngroup().to_numpy()
    first = np.flatnonzero(np.diff(np.maximum.accumulate(codes), prepend=-1))  # videos are numbered as they appear
    videos = frames.iloc[first].reset_index(drop=True)
    _check_whole(frames, videos, codes, first)
    scores = pooled(frames["score"].to_numpy("float64"), codes)
    more = [name for name in ("method", "quality") if name in frames]
    return videos[KEYS].assign(score=scores, frames=np.bincount(codes), **{name: videos[name] for name in more})


def _check_whole(frames: pd.DataFrame, videos: pd.DataFrame, codes: Codes, first: Codes) -> None:
    for key in ("label", "group"):
        of_video = pd.factorize(frames[key])[0]
        torn = np.flatnonzero(of_video != of_video[first][codes])
        if len(torn):
            dataset, video = videos.loc[codes[torn[0]], ["dataset", "video"]]
            raise ManifestError(f"A video has one label and one group. Received: several for {video!r} of {dataset!r}.")


def group_scores(videos: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each pair of group and label: the mean of its videos' scores."""
    keys = ["dataset", "group", "label"]
    return videos.groupby(keys, observed=True, sort=False)["score"].mean().reset_index()


def best_pool(frames: pd.DataFrame, threshold: float) -> str:
    """Return the pool with the highest video AUC on validation data; of equal ones the first in `POOLS`.

    Pools with a lower balanced accuracy than the mean, at the threshold of frames, are skipped: a single video is judged by
    the threshold, not by its rank.

    Args:
        frames: one row per frame, as for `video_scores`.
        threshold: videos with a score at or above it are predicted fake.

    Raises:
        ManifestError: as for `video_scores` and `figures`.
    """
    metrics = {}
    for pool in POOLS:
        videos = video_scores(frames, pool)
        metrics[pool] = figures(videos["label"], videos["score"], threshold)
    accurate = [pool for pool in POOLS if metrics[pool]["balanced_accuracy"] >= metrics["mean"]["balanced_accuracy"]]
    return max(accurate, key=lambda pool: metrics[pool]["auc"])
