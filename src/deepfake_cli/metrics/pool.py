"""The scores of a video's frames become one, and those of a group's videos."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from deepfake_cli.errors import ManifestError
from deepfake_cli.lookup import lookup
from deepfake_cli.metrics.checked import KEYS, Codes, Floats, check_frames
from deepfake_cli.metrics.figures import figures

TOP = 0.1  # share of a video's frames, the most fake ones, that "top" averages; one frame at least
SURE, MOST_SURE, LEAST = 0.8, 0.9, 11  # of "confident"


def _mean(scores: Floats, codes: Codes) -> Floats:
    return np.bincount(codes, scores) / np.bincount(codes)


def _median(scores: Floats, codes: Codes) -> Floats:
    ordered, starts, counts = _ordered(scores, codes)
    return (ordered[starts + (counts - 1) // 2] + ordered[starts + counts // 2]) / 2


def _top(scores: Floats, codes: Codes) -> Floats:
    ordered, starts, counts = _ordered(-scores, codes)
    numbers = np.repeat(np.arange(len(counts)), counts)
    kept = np.arange(len(ordered)) - starts[numbers] < np.ceil(TOP * counts)[numbers]
    return _mean(-ordered[kept], numbers[kept])


def _confident(scores: Floats, codes: Codes) -> Floats:
    """The sure frames' mean, where they are many (Seferbekov 2020, winner of the DFDC): else the mean of all."""
    count = np.bincount(codes)
    high, low = scores > SURE, scores < 1 - SURE
    highs, lows = np.bincount(codes, high), np.bincount(codes, low)
    fake, real = (highs > count // 2.5) & (highs > LEAST), lows > MOST_SURE * count
    sums = np.where(fake, np.bincount(codes, scores * high), np.bincount(codes, scores * low))
    return np.where(fake | real, sums / np.maximum(np.where(fake, highs, lows), 1), _mean(scores, codes))


def _ordered(values: Floats, codes: Codes) -> tuple[Floats, Codes, Codes]:
    """Values by video, rising in each; where each video starts, and how many it has."""
    counts = np.bincount(codes)
    return values[np.lexsort((values, codes))], np.cumsum(counts) - counts, counts


POOLS: dict[str, Callable[[Floats, Codes], Floats]] = {
    "mean": _mean,
    "median": _median,
    "top": _top,  # of the tenth of frames that look most fake
    "confident": _confident,
}


def video_scores(frames: pd.DataFrame, pool: str = "mean") -> pd.DataFrame:
    """Return one row a video, in order of first appearance; its score is pooled from its frames.

    Args:
        frames: one row a frame with the columns dataset, video, group, label (0 or 1) and score (in [0, 1]).
        pool: one of `POOLS`.

    Returns:
        The columns dataset, video, group, label, score (float64) and frames (their number); one row for each pair of
        dataset and video. Where frames have a method or a quality, so have videos, after these.

    Raises:
        ManifestError: a column is missing, a cell is empty, or the frames of one video differ in group or label.
        ConfigError: there is no such pool.
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


def best_pool(frames: pd.DataFrame) -> str:
    """Return the pool of highest video AUC on validation; of equally good ones the first in `POOLS`.

    Args:
        frames: one row a frame, as for `video_scores`.

    Raises:
        ManifestError: as for `video_scores` and `figures`.
    """

    def auc(pool: str) -> float:
        videos = video_scores(frames, pool)
        return figures(videos["label"], videos["score"], 0.5)["auc"]

    return max(POOLS, key=auc)
