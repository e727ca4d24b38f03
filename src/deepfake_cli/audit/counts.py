"""Counts of images, videos and groups, and a sample balanced over classes and videos."""

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from deepfake_cli.datasets.clip import LABELS

if TYPE_CHECKING:
    import pandas as pd


def count(table: "pd.DataFrame") -> dict[str, Any]:
    """Count images, videos and groups.

    Args:
        table: with the columns path, label, dataset, video, group and part.

    Returns:
        ``parts`` (a row per list and class: part, class, images, videos, groups), ``groups`` (numbers of groups: all, both,
        real_only, fake_only), ``shared_groups`` (groups in more than one list) and ``repeated_images``.
    """
    numbered = table.assign(
        video=table.groupby(["dataset", "video"], observed=True).ngroup(),
        group=table.groupby(["dataset", "group"], observed=True).ngroup(),
    )
    parts = numbered.groupby(["part", "label"], observed=True).agg(
        images=("path", "size"), videos=("video", "nunique"), groups=("group", "nunique")
    )
    rows = [
        dict(zip(("part", "class", "images", "videos", "groups"), (part, LABELS[label], *numbers), strict=True))
        for part, label, *numbers in parts.reset_index().to_numpy().tolist()
    ]
    classes = numbered.drop_duplicates(["group", "label"]).groupby("group")["label"].agg(["sum", "size"])
    both, fake = int((classes["size"] == 2).sum()), int(((classes["size"] == 1) & (classes["sum"] == 1)).sum())
    return {
        "parts": rows,
        "groups": {"all": len(classes), "both": both, "real_only": len(classes) - both - fake, "fake_only": fake},
        "shared_groups": _shared(table),
        "repeated_images": int(table["path"].duplicated().sum()),
    }


def _shared(table: "pd.DataFrame") -> list[str]:
    from deepfake_cli.data.checks import shared_groups

    parts = [rows for _, rows in table.groupby("part", observed=True, sort=False)]
    return sorted({name for one, other in combinations(parts, 2) for name in shared_groups(one, other)})


def sample(table: "pd.DataFrame", size: int, seed: int) -> "pd.DataFrame":
    """Draw `size` different images, balanced over classes and videos.

    Args:
        table: as for `count`.
        size: number of images; all if there are fewer.
        seed: of the draw.

    Returns:
        The drawn rows, in their order in `table`.
    """
    rows = table.drop_duplicates("path")
    if len(rows) <= size:
        return rows
    shuffled = rows[["label", "dataset", "video"]].iloc[np.random.default_rng(seed).permutation(len(rows))]
    turn = shuffled.groupby(["label", "dataset", "video"], observed=True).cumcount()
    queue = shuffled["label"].iloc[
        np.argsort(turn.to_numpy(), kind="stable")
    ]  # the first of every video, then the second, …
    there = queue.value_counts()
    drawn = []
    for label, number in there.items():
        share = max(
            size // len(there), size - (len(rows) - int(number))
        )  # a small class leaves its places to the other
        drawn += queue.index[queue == label][:share].tolist()
    return rows.loc[sorted(drawn)]
