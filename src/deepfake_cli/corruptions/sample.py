"""Which frames are changed: successive ones, since a video's codec looks from one to the next."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def middles(table: "pd.DataFrame", frames: int) -> "pd.DataFrame":
    """Keep so many successive frames from the middle of each video, video after video, in order; 0 keeps all.

    Args:
        table: listed frames, with the columns dataset, video and frame; those without a number (-1) stay in the list's order.
        frames: how many of each video. Successive in the list: one made with ``split --every 10`` skips frames between.
    """
    ordered = table.assign(_video=table.groupby(["dataset", "video"], observed=True, sort=False).ngroup())
    ordered = ordered.sort_values(["_video", "frame"], kind="stable")
    groups = ordered.groupby("_video", sort=False)
    place, size = groups.cumcount(), groups["_video"].transform("size")
    first = (size - frames).clip(lower=0) // 2
    kept = ordered if not frames else ordered[(place >= first) & (place < first + frames)]
    return kept.drop(columns="_video")


def lengths(table: "pd.DataFrame") -> list[int]:
    """How many frames each video has, in order, of what `middles` kept."""
    return table.groupby(["dataset", "video"], observed=True, sort=False).size().tolist()


def by_video(batches: Iterable[np.ndarray], sizes: Iterable[int]) -> Iterator[np.ndarray]:
    """Cut a stream of batches anew, at the ends of videos: one array of images, (frames, …), a video."""
    source = iter(batches)
    held: np.ndarray | None = None
    for size in sizes:
        while held is None or len(held) < size:
            batch = next(source)
            held = batch if held is None else np.concatenate([held, batch])
        yield held[:size]
        held = held[size:]


def chunks(videos: Iterable[np.ndarray], least: int) -> Iterator[list[np.ndarray]]:
    """Gather whole videos until they have at least so many images together; the last ones may have fewer."""
    held: list[np.ndarray] = []
    for video in videos:
        held.append(video)
        if sum(map(len, held)) >= least:
            yield held
            held = []
    if held:
        yield held
