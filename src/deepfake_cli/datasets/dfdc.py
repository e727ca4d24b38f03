"""DFDC (2020).

The DeepFake Detection Challenge: 128,154 ten-second videos with paid actors: 119,154 for training, in 50 parts of about
10 GB, 4,000 for validation and 5,000 for testing. The fakes are made by several methods, which are not recorded.

Layout: ``dfdc_train_part_N/metadata.json`` next to its videos, ``validation/labels.csv``, ``test/metadata.json``. Some parts
are enough, such as the sample on Kaggle. Videos may also be in ``videos/``, or as frames in ``frames/``, next to the list.

Layout read from: preprocessing/rearrange.py of https://github.com/SCLBD/DeepfakeBench (labels.csv, frames), and notes of users
(training parts, metadata.json). Not verified: against https://www.kaggle.com/c/deepfake-detection-challenge; the number of videos
per part.

Labels: by list; metadata.json or else labels.csv. A listed video that is missing counts as unreadable; a video that is not
listed is an error.

Groups: a real video and the fakes made from it. People are not named and actors appear in many videos, so no split can
separate the faces: report results on another data set too. In the validation and test sets, the sources of fakes are unknown,
so each video is a group.

Licence: DFDC licence, accepted on registration for the download.

How to obtain: https://ai.meta.com/datasets/dfdc, with an AWS account; the training set also from Kaggle,
https://www.kaggle.com/c/deepfake-detection-challenge.

Citation: B. Dolhansky, J. Bitton, B. Pflaum, J. Lu, R. Howes, M. Wang, C. Canton Ferrer, The DeepFake Detection Challenge
(DFDC) Dataset, 2020, arXiv:2006.07397.
"""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from deepfake_cli.datasets.clip import LABELS, Clip, entries, folders
from deepfake_cli.datasets.layout import csv_rows, holders, layout_error, read_json
from deepfake_cli.errors import DatasetError

LISTS = ("metadata.json", "labels.csv")
WORDS = {"REAL": 0, "FAKE": 1, "0": 0, "1": 1}
PARTS = ("train", "val", "test")
COUNTS = {"": {"validation": 4000, "test": 5000}}
EXTRAS = ("test_videos",)  # of Kaggle, without labels
OFFICIAL = "the training, validation and test sets, in folders of these names, each with a metadata.json or labels.csv"


def clips(root: str | Path) -> Iterator[Clip]:
    """The listed videos; without lists, the frames written by `split`."""
    root = Path(root)
    parts = [folder for held in holders(root, LISTS, 3) for folder in held]
    clips = chain.from_iterable(map(_listed, parts) if parts else map(_written, folders(root)))
    first = next(clips, None)
    if first is None:
        raise layout_error(root, LISTS, "DFDC: metadata.json or labels.csv next to the videos")
    yield from chain([first], clips)


def _listed(folder: Path) -> Iterator[Clip]:
    listed = next(folder / name for name in LISTS if (folder / name).is_file())
    rows = read_json(listed) if listed.suffix == ".json" else _csv_rows(listed)
    if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
        raise DatasetError(f'{listed}: expected {{"NAME.mp4": {{"label": "FAKE", …}}, …}}.')
    found = list(entries(folder, folder / "videos", folder / "frames"))
    videos = dict(found)
    if len(videos) < len(found):
        twice = next(stem for stem, path in found if videos[stem] != path)
        raise DatasetError(f"{folder}: two files are the video {twice}; keep the one that {listed.name} lists.")
    unlisted = sorted(videos.keys() - {Path(name).stem for name in rows})
    if unlisted:
        raise DatasetError(
            f"{listed}: does not list {len(unlisted)} of the videos next to it, such as {unlisted[0]}, so their labels are "
            "unknown. Move them elsewhere."
        )
    inside = folder.absolute().name  # of ".", too
    for name, row in rows.items():
        stem, original = _stem(name, listed), _stem(row.get("original") or "", listed)
        path = videos.get(stem, folder / Path(name).name)
        yield _clip(path, inside, _label(row, name, listed), stem, original, str(row.get("split") or ""))


def _written(folder: Path) -> Iterator[Clip]:
    """Frames in ``real/VIDEO``, ``fake/VIDEO`` and ``fake/ORIGINAL/VIDEO``, as named by `_clip`."""
    for label, name in enumerate(LABELS):
        for original, place in (("", folder / name), *((inner.name, inner) for inner in folders(folder / name))):
            for stem, path in entries(place):
                if path.is_dir():
                    yield _clip(path, folder.name, label, stem, original)


def _clip(path: Path, folder: str, label: int, stem: str, original: str, split: str = "") -> Clip:
    """A clip with label and original in its name, so that a tree of frames needs no list."""
    name = "/".join(filter(None, (folder, LABELS[label], original, stem)))
    words = re.split(r"[^a-z]+", (split or folder).lower())
    part = next((part for part in PARTS for word in words if word.startswith(part)), "")
    return Clip(path, label, "dfdc", name, sources=(original or stem,), part=part)


def _stem(name: Any, listed: Path) -> str:
    """The file name without folders and suffix, valid as a folder name."""
    stem = Path(str(name)).stem
    if stem == "..":
        raise DatasetError(f"{listed}: {name!r} is not the name of a video.")
    return stem


def _label(row: dict[str, Any], name: str, listed: Path) -> int:
    label = row.get("label", row.get("is_fake"))
    if str(label).upper() not in WORDS:
        raise DatasetError(f"{listed}: {name}: found label {label!r}, expected REAL or FAKE.")
    return WORDS[str(label).upper()]


def _csv_rows(path: Path) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for line, row in csv_rows(path, ("filename", "label")):
        if rows.setdefault(row["filename"], row) != row:
            raise DatasetError(f"{path}: line {line}: {row['filename']} has another row too; keep one.")
    return rows
