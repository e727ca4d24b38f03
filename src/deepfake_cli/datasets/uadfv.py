"""UADFV (2018).

49 real videos from YouTube and 49 fakes made from them with FakeApp; about 32,752 frames.

Layout: ``real/0000.mp4`` and ``fake/0000_fake.mp4``, up to 0048. The zip nests ``fake_videos/fake_videos/{real,fake}``.
If a video is missing, its frames in ``frames/NAME/`` next to it are read, as in another distribution; their names are frame
indices.

Layout read from: preprocessing/rearrange.py of https://github.com/SCLBD/DeepfakeBench (frames), and notes of
users of the zip (videos).

Labels: by folder.

Groups: a fake and its real video, which have the same number. All fakes are said to have the same donor, so no split can
separate the faces: report results on another data set too.

Licence: for research. Ask the authors.

How to obtain: from the authors, the group of S. Lyu.

Citation: Y. Li, M.-C. Chang, S. Lyu, In Ictu Oculi: Exposing AI Created Fake Videos by Detecting Eye Blinking, WIFS 2018,
arXiv:1806.02877. X. Yang, Y. Li, S. Lyu, Exposing Deep Fakes Using Inconsistent Head Poses, ICASSP 2019, arXiv:1811.00661.
"""

from collections.abc import Iterator
from pathlib import Path

from deepfake_cli.datasets.clip import LABELS, Clip, entries
from deepfake_cli.datasets.layout import find_root

COUNTS = {"": dict.fromkeys(LABELS, 49)}
EXTRAS = ("landmarks",)


def clips(root: str | Path) -> Iterator[Clip]:
    """The videos of both folders, or their extracted frames."""
    root = find_root(Path(root), LABELS, "UADFV: real/ and fake/ with numbered videos")
    for label, name in enumerate(LABELS):
        for stem, path in entries(root / name, root / name / "frames"):
            yield Clip(path, label, "uadfv", f"{name}/{stem}", sources=(stem.removesuffix("_fake"),))


def listed(root: Path, found: list[Clip]) -> Iterator[str]:
    """The numbers 0000 to 0048, real and fake."""
    for number in range(49):
        yield from (f"real/{number:04d}", f"fake/{number:04d}_fake")
