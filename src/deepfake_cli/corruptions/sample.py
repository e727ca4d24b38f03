"""Select successive frames of each video, since a video codec predicts from frame to frame."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def middles(table: "pd.DataFrame", frames: int) -> "pd.DataFrame":
    """Keep successive frames from the middle of each video, sorted by video.

    Args:
        table: listed frames, with the columns dataset, video and frame; frames without a number (-1) keep the order of the list.
        frames: maximum per video; 0 keeps all. Successive in the list: lists made with ``split --every 10`` skip frames.
    """
    ordered = table.assign(_video=table.groupby(["dataset", "video"], observed=True, sort=False).ngroup())
    ordered = ordered.sort_values(["_video", "frame"], kind="stable")
    groups = ordered.groupby("_video", sort=False)
    place, size = groups.cumcount(), groups["_video"].transform("size")
    first = (size - frames).clip(lower=0) // 2
    kept = ordered if not frames else ordered[(place >= first) & (place < first + frames)]
    return kept.drop(columns="_video")


def lengths(table: "pd.DataFrame") -> list[int]:
    """Number of frames of each video in the output of `middles`, in order."""
    return table.groupby(["dataset", "video"], observed=True, sort=False).size().tolist()


def by_video(batches: Iterable[np.ndarray], sizes: Iterable[int]) -> Iterator[np.ndarray]:
    """Regroup a stream of batches by video: one array of images, (frames, …), per video."""
    source = iter(batches)
    held: np.ndarray | None = None
    for size in sizes:
        while held is None or len(held) < size:
            batch = next(source)
            held = batch if held is None else np.concatenate([held, batch])
        yield held[:size]
        held = held[size:]


def chunks(videos: Iterable[np.ndarray], least: int) -> Iterator[list[np.ndarray]]:
    """Group whole videos into chunks of at least this many images; the last one may have fewer."""
    held: list[np.ndarray] = []
    for video in videos:
        held.append(video)
        if sum(map(len, held)) >= least:
            yield held
            held = []
    if held:
        yield held
