"""FFIW-10K (2021).

Face Forensics in the Wild: 9,988 videos from the internet, with three faces per frame on average, and a fake of each, in which
some of the faces are swapped.

Layout: ``source/{train,val}/NAME.mp4`` and ``target/{train,val}/NAME.mp4``, or the same in ``videos/`` inside of each part. The
test set is a separate download: put its videos in ``source/test/`` and ``target/test/``. If a video is missing, its frames in
``frames/`` next to it are read. ``target_mask`` is ignored.

Layout read from: README.md of https://github.com/tfzhou/FFIW; ``videos/`` from src/inference/datasets.py of
https://github.com/mapooon/SelfBlendedImages; counts from preprocess/inventory/builders/ffiw10k.py of
https://github.com/dfwb-research/deepfake-workbench. Not verified: the layout of the test set, and that the source of a fake has
its name.

Labels: by folder; source is real, target fake.

Groups: a fake and the real video of the same name. People are not named, so no split can separate the faces: report results on
another data set too.

Licence: FFIW10K Terms to Use. They are part of the request form.

How to obtain: the form at https://github.com/tfzhou/FFIW. The published split is in the names of the folders: 8,000, 250 and
1,738 of each class. Videos have several faces: see ``--faces all`` of ``split``.

Citation: T. Zhou, W. Wang, Z. Liang, J. Shen, Face Forensics in the Wild, CVPR 2021, arXiv:2103.04570.
"""

from collections.abc import Iterator
from pathlib import Path

from deepfake_cli.datasets.clip import Clip, entries
from deepfake_cli.datasets.layout import find_root

TOPS = ("source", "target")  # real, fake
PARTS = {"train": 8000, "val": 250, "test": 1738}
OFFICIAL = "the training, validation and test sets, in folders of these names"
COUNTS = {"": {f"{top}/{part}": count for top in TOPS for part, count in PARTS.items()}}
EXTRAS = ("target_mask",)


def clips(root: str | Path) -> Iterator[Clip]:
    """The videos of both folders."""
    root = find_root(Path(root), TOPS, "FFIW-10K: source/ and target/ with train/ and val/")
    for label, top in enumerate(TOPS):
        for part in PARTS:
            place = root / top / part
            for stem, path in entries(place, place / "videos", place / "frames"):
                yield Clip(path, label, "ffiw", f"{top}/{part}/{stem}", sources=(f"{part}/{stem}",), part=part)


def listed(root: Path, found: list[Clip]) -> Iterator[str]:
    """The names of each class in the other one too."""
    tops = {clip.video.rpartition("/")[0] for clip in found}
    yield from sorted({f"{top}/{clip.sources[0]}" for clip in found for top in TOPS if f"{top}/{clip.part}" in tops})
