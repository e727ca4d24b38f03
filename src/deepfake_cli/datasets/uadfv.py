"""UADFV (Li, Chang and Lyu 2018; Yang, Li and Lyu 2019).

Layout: ``real/0000.mp4 … 0048.mp4`` and ``fake/0000_fake.mp4 … 0048_fake.mp4``, 49 and 49, about 32,752 frames; the zip nests
``fake_videos/fake_videos/{real,fake}``; another distribution adds ``{real,fake}/frames/<stem>/%03d.png``, named by the
source frame's index.

Labels: by folder. Groups: a fake and the real that it was made from share their number. The fakes are said to share one
donor face, which no split can keep apart: report results on another data set too. Licence: for research; ask the authors.
"""

from collections.abc import Iterator
from pathlib import Path

from deepfake_cli.datasets.clip import LABELS, Clip, entries, find_root


def clips(root: Path) -> Iterator[Clip]:
    """The videos of both folders; where a video isn't there, the frames that another tool cut from it."""
    root = find_root(root, LABELS, "UADFV: real/ and fake/ with numbered videos")
    for label, name in enumerate(LABELS):
        found = dict(entries(root / name / "frames")) | dict(entries(root / name))
        for stem, path in found.items():
            yield Clip(path, label, "uadfv", f"{name}/{stem}", (stem.removesuffix("_fake"),))
