"""Where lists may share people all the same, or are too small: what make-csv warns of."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deepfake_cli.metrics.few import FEWEST

if TYPE_CHECKING:
    import pandas as pd

PLAIN = frozenset({
    "real", "fake", "video", "vid", "clip", "movie", "mov", "img", "image", "frame", "frames", "take", "part", "scene", "shot",
    "person", "subject", "id",
})  # fmt: skip
TOKEN = re.compile(r"[^\W\d_]+|\d+")
MOST_NAMED = 3


def leaks(videos: "pd.DataFrame", lists: Mapping[str, Sequence[str]], by: str) -> list[str]:
    """Warn where the lists may share people.

    Args:
        videos: a row per video, indexed by name, with the column people.
        lists: the videos of each part: ``"train"``, or ``"fold1/train"``.
        by: what the lists share none of, as in ``--by``.
    """
    if by == "video":
        return [
            "The lists are split by source video only and may share people. Mention this when you report results.",
            *_alike(videos, lists),
        ]
    unknown = videos[videos["people"] == ""]
    if unknown.empty:
        return []
    whose = (
        f"{len(unknown):,} of {len(videos):,} videos" if len(unknown) < len(videos) else f"all {len(videos):,} videos"
    )
    return [
        f"No person is known for {whose}, such as {unknown.index[0]}: each counts as another person, so the lists may share "
        "people. Put the videos of a person in a folder of that name, in real/ and fake/.",
        *_alike(unknown, lists),
    ]


def small(counts: Sequence[Mapping[str, Any]], groups: Mapping[str, int]) -> list[str]:
    """Warn of parts that are too small to measure on.

    Args:
        counts: ``part``, ``class`` and ``videos`` of each part and class.
        groups: number of groups of each part.
    """
    tiny = {part: number for part, number in groups.items() if number < FEWEST}
    if not tiny:
        return []
    videos = {part: [f"{row['videos']} {row['class']}" for row in counts if row["part"] == part] for part in tiny}
    named = [
        f"{part} has {number} group{'s' * (number != 1)} ({', '.join(videos[part])} videos)"
        for part, number in tiny.items()
    ]
    more = f", and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return [
        f"Small lists: {', '.join(named[:MOST_NAMED])}{more}. Below {FEWEST} groups, metrics have no intervals, and calibrate "
        "refuses. Add videos of other people."
    ]


def _alike(videos: "pd.DataFrame", lists: Mapping[str, Sequence[str]]) -> list[str]:
    """A warning if files in two parts of one split are named alike; none if all are."""
    keys = {video: _key(video) for video in videos.index}
    if len(set(keys.values())) < 2:
        return []
    parts: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)  # of a split and key: part to its first video
    for part, members in lists.items():
        for video in members:
            if video in keys:
                parts[part.rpartition("/")[0], keys[video]].setdefault(part, video)
    shared = {key: list(found.values())[:2] for (_, key), found in parts.items() if len(found) > 1 and key}
    if not shared:
        return []
    pairs = [" and ".join(pair) for pair in list(shared.values())[:MOST_NAMED]]
    more = " …" * (len(shared) > MOST_NAMED)
    return [
        f"Named alike, but in different lists: {', '.join(pairs)}{more}. They may show one person, or one be made of the other."
    ]


def _key(video: str) -> str:
    """What the names of two files of one person share: the first word or number that is not only `PLAIN`."""
    tokens = [token.casefold() for token in TOKEN.findall(video.rpartition("/")[2])]
    return next((token for token in tokens if token not in PLAIN), "")
