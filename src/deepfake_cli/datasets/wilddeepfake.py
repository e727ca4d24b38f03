"""WildDeepfake (2020).

7,314 sequences of face crops of 224x224, 3,805 real and 3,509 fake, from 707 fake videos and real ones of the internet. There
are no videos.

Layout: ``{real,fake}_{train,test}/N/{real,fake}/SEQUENCE/FRAME.png``, extracted from ``{real,fake}_{train,test}/N.tar.gz``,
plain tars despite the name. Extract each archive in its folder. Sub-folders may be missing.

Layout read from: README.md of https://github.com/OpenTAI/wild-deepfake (the archives; folders of images named by their frame),
and preprocess/inventory/builders/wilddeepfake.py of https://github.com/dfwb-research/deepfake-workbench (inside of an archive,
counts). Not verified: whether an archive is one video.

Labels: by folder. The methods are unknown.

Groups: the sequences of an archive. People are not named and videos not listed, so no split can separate the faces: report
results on another data set too.

Licence: for research only; an agreement is part of the request form.

How to obtain: the form at https://github.com/OpenTAI/wild-deepfake, then https://huggingface.co/datasets/xingjunm/WildDeepfake.
The published split is in the names of the folders; no validation split. The images are face crops: give ``split`` ``--crop
none``.

Citation: B. Zi, M. Chang, J. Chen, X. Ma, Y.-G. Jiang, WildDeepfake: A Challenging Real-World Dataset for Deepfake Detection,
ACM MM 2020, arXiv:2101.01456.
"""

from collections.abc import Iterator
from pathlib import Path

from deepfake_cli.datasets.clip import LABELS, Clip, below
from deepfake_cli.datasets.layout import LayoutError, find_root

PARTS = ("train", "test")
TOPS = tuple(f"{label}_{part}" for label in LABELS for part in PARTS)
PASSED = {*LABELS, "frames"}  # folders that are no part of a name
OFFICIAL = "the training and test sets, in folders of these names; no validation split"
COUNTS = {"": {"real_train": 3409, "real_test": 396, "fake_train": 3099, "fake_test": 410}}


def clips(root: str | Path) -> Iterator[Clip]:
    """The sequences of the four folders."""
    root = find_root(Path(root), TOPS, f"WildDeepfake: {'/, '.join(TOPS)}/")
    archives = [path for top in TOPS for path in sorted((root / top).glob("*.tar*"))]
    found = False
    for top in TOPS:
        label, part = top.split("_")
        for path in below(root / top):
            found = True
            words = [word for word in path.relative_to(root / top).parts if word not in PASSED]
            name, archive = "/".join([top, *words]), f"{top}/{words[0]}" if words else top
            yield Clip(path, LABELS.index(label), "wilddeepfake", name, sources=(archive,), part=part)
    if archives and not found:
        raise LayoutError(
            f"{root}: {len(archives)} archives, such as {archives[0].relative_to(root)}; extract each in its folder."
        )
