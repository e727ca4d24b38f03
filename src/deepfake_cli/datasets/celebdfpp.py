"""Celeb-DF++ (2025).

The real videos of Celeb-DF v2, with fakes by 22 methods: eight face swaps, seven reenactments and seven talking faces.

Layout: ``Celeb-real/id0_0000.mp4``, ``YouTube-real/00000.mp4``, ``Celeb-synthesis/{FaceSwap,FaceReenact,TalkingFace}/METHOD/``
with ``id0_id16_0000.mp4``, and ``List_of_testing_videos.txt``. Some methods are enough. If a video is missing, its frames in
``frames/`` next to it are read.

Layout read from: README.md of https://github.com/OUC-VAS/Celeb-DF-PP (folders, split), and the names of files from
preprocess/inventory/builders/celebdf.py of https://github.com/dfwb-research/deepfake-workbench. Not verified: names of talking
faces, there ``id0_0000_test_NAME.mp4``, and which of the two people of a reenactment drives it; the number of fakes per method.

Labels: by folder; the method is recorded. Labels in List_of_testing_videos.txt are ignored; there, 1 means real.

Groups: as in Celeb-DF v2: all videos linked by a celebrity.

Licence: Terms to Use Celeb-DF++, for non-commercial research. They are part of the request form.

How to obtain: the request form at https://github.com/OUC-VAS/Celeb-DF-PP. The published split comes with the videos: 178 real
and 5,240 fake videos for testing, the others for training, no validation split. Celebrities are in both parts, so official
results are on known faces.

Citation: Y. Li, D. Zhu, X. Cui, S. Lyu, Celeb-DF++: A Large-scale Challenging Video DeepFake Benchmark for Generalizable
Forensics, 2025, arXiv:2507.18015.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from deepfake_cli.datasets.celebdf import FOLDERS, OFFICIAL, TESTED, tested
from deepfake_cli.datasets.clip import FAKE, REAL, Clip, entries, folders
from deepfake_cli.datasets.layout import LayoutError, find_root

__all__ = ["COUNTS", "OFFICIAL", "clips", "listed"]

FAKES = "Celeb-synthesis"
KINDS = ("FaceSwap", "FaceReenact", "TalkingFace")
EXPECTED = f"Celeb-DF++: Celeb-real/, YouTube-real/ and {FAKES}/ with {'/, '.join(KINDS)}/"
NAME = re.compile(r"(?:(id\d+)_)?(?:(id\d+)_)?(\d+)(?:_.+)?")  # target, the other person, number
COUNTS = {"": {"Celeb-real": 590, "YouTube-real": 300, f"{FAKES}/FaceSwap/Celeb-DF*": 5639}}


def clips(root: str | Path) -> Iterator[Clip]:
    """The videos of both folders of reals and of all available methods."""
    root = _root(Path(root))
    names = tested(root / TESTED)
    places = {folder: root / folder for folder, (label, _) in FOLDERS.items() if label == REAL}
    for kind in KINDS:
        places |= {f"{FAKES}/{kind}/{method.name}": method for method in folders(root / FAKES / kind)}
    for top, place in places.items():
        for stem, path in entries(place, place / "videos", place / "frames"):
            named = NAME.fullmatch(stem)
            if named is None:
                continue
            target, other, number = named.groups()
            people = tuple(filter(None, (target, other)))
            source, name = "_".join(filter(None, (target, number))), f"{top}/{stem}"
            part = ("test" if name in names else "train") if names else ""
            method = top.split("/")[-1] if top.startswith(FAKES) else ""
            yield Clip(path, FAKE if method else REAL, "celebdfpp", name, people, (source,), method, part=part)


def listed(root: Path, found: list[Clip]) -> Iterator[str]:
    """The test videos of both folders of reals, and of the methods that are there."""
    tops = {clip.video.rpartition("/")[0] for clip in found}
    yield from (name for name in tested(_root(root) / TESTED) if name.rpartition("/")[0] in tops)


def _root(root: Path) -> Path:
    root = find_root(root, FOLDERS, EXPECTED)
    if not any((root / FAKES / kind).is_dir() for kind in KINDS):
        raise LayoutError(f"{root}: expected {EXPECTED}; found none of these three.")
    return root
