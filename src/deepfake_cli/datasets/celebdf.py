"""Celeb-DF v2 (2020).

590 YouTube videos of 59 celebrities, 300 more of other people, and 5,639 fakes made from the celebrities. Version 1 (158,
250 and 795) has the same layout.

Layout: ``Celeb-real/id0_0000.mp4``, ``YouTube-real/00000.mp4``, ``Celeb-synthesis/id0_id16_0000.mp4`` and
``List_of_testing_videos.txt``. If a video is missing, its frames in ``frames/`` next to it are read.

Layout read from: README.md of https://github.com/yuezunli/celeb-deepfakeforensics; frames from preprocessing/rearrange.py of
https://github.com/SCLBD/DeepfakeBench.

Labels: by folder. Labels in List_of_testing_videos.txt are ignored; there, 1 means real. ``id0_id16_0000`` is ``id0_0000``
with the face of ``id16``.

Groups: all videos linked by the face of a celebrity. Celebrities are swapped with several others, so groups by person are
few and large. ``--by pair`` and ``--by video`` give smaller ones, but test faces that were trained on. Each of the 300 videos
is a group.

Licence: Terms to Use Celeb-DF. They are part of the request form.

How to obtain: the request form at https://github.com/yuezunli/celeb-deepfakeforensics. The published split comes with the
videos: 518 listed videos for testing, the others for training, no validation split. Celebrities are in both parts, so official
results are on known faces.

Citation: Y. Li, X. Yang, P. Sun, H. Qi, S. Lyu, Celeb-DF: A Large-scale Challenging Dataset for DeepFake Forensics, CVPR
2020, arXiv:1909.12962.
"""

from collections.abc import Iterator
from pathlib import Path

from deepfake_cli.datasets.clip import FAKE, REAL, Clip, entries
from deepfake_cli.datasets.layout import LayoutError, find_root, read_text
from deepfake_cli.errors import DatasetError

FOLDERS = {
    "Celeb-real": (REAL, 1),
    "YouTube-real": (REAL, 0),
    "Celeb-synthesis": (FAKE, 2),
}  # label, number of people in a name
EXAMPLES = ("00000", "id0_0000", "id0_id16_0000")  # names with zero, one and two people
COUNTS = {
    "v2": {"Celeb-real": 590, "YouTube-real": 300, "Celeb-synthesis": 5639},
    "v1": {"Celeb-real": 158, "YouTube-real": 250, "Celeb-synthesis": 795},
}
EXTRAS = ("landmarks", "masks")
TESTED = "List_of_testing_videos.txt"
OFFICIAL = f"{TESTED}, which comes with the videos; no validation split"


def clips(root: str | Path) -> Iterator[Clip]:
    """The videos of the three folders."""
    root = find_root(Path(root), FOLDERS, "Celeb-DF: Celeb-real/, YouTube-real/ and Celeb-synthesis/")
    tests = tested(root / TESTED)
    if (root / "Celeb-synthesis" / "FaceSwap").is_dir():
        raise LayoutError(f"{root}: expected Celeb-DF v2 or v1: videos in Celeb-synthesis/; found FaceSwap/ in it.")
    for folder, (label, named) in FOLDERS.items():
        for stem, path in entries(*(root / folder / inner for inner in ("", "videos", "frames"))):
            *people, number = stem.split("_")
            if len(people) != named:
                raise DatasetError(f"{path}: expected a name such as {EXAMPLES[named]}, with the people in it.")
            name, source = f"{folder}/{stem}", "_".join((*people[:1], number))
            part = ("test" if name in tests else "train") if tests else ""
            method = folder if label else ""
            yield Clip(path, label, "celebdf", name, tuple(people), (source,), method, part=part)


def listed(root: Path, found: list[Clip]) -> Iterator[str]:
    """The test videos, of the folders that are there."""
    there = {clip.video.split("/")[0] for clip in found}
    names = tested(find_root(root, FOLDERS, "Celeb-DF") / TESTED)
    yield from (name for name in names if name.split("/")[0] in there)


def tested(path: Path) -> set[str]:
    """The test videos, without suffix; empty if there is no list."""
    if not path.is_file():
        return set()
    lines = [line.split() for line in read_text(path).splitlines() if line.strip()]
    wrong = next((number for number, words in enumerate(lines, 1) if len(words) != 2), None)
    if wrong:
        raise DatasetError(f"{path}: line {wrong}: expected a label and a video, such as 1 YouTube-real/00170.mp4.")
    return {video.rpartition(".")[0] for _, video in lines}
