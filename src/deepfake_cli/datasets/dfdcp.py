"""DFDC preview (2019).

The preview of the DeepFake Detection Challenge: 1,131 videos with 66 paid actors, and 4,119 fakes by two methods, which are not
named. The full set, in another layout, is dfdc.

Layout: ``original_videos/ID/ID_A_001.mp4``, ``method_{A,B}/ID/ID_A/DONOR_ID_A_001.mp4`` and ``dataset.json``. Sub-folders may
be missing; if a video is missing, its frames in ``frames/`` are read.

Layout read from: preprocessing/rearrange.py of https://github.com/SCLBD/DeepfakeBench (dataset.json, frames), and names and
counts as in preprocess/inventory/builders/dfdcp.py of https://github.com/dfwb-research/deepfake-workbench. Not verified: the
suffixes of recordings, such as A. Augmentations of the test videos are in dataset.json and are not recorded.

Labels: by folder; the method is recorded. A row of dataset.json with another label is an error.

Groups: all videos linked by an actor, the one seen or the donor. Actors are swapped with several others, so groups by person
are few and large. ``--by pair`` and ``--by video`` give smaller ones, but test faces that were trained on.

Licence: DFDC licence, accepted on registration for the download.

How to obtain: https://ai.meta.com/datasets/dfdc. The published split comes with the videos, in dataset.json: 4,473 for training
and 777 for testing, no validation split.

Citation: B. Dolhansky, R. Howes, B. Pflaum, N. Baram, C. Canton Ferrer, The Deepfake Detection Challenge (DFDC) Preview
Dataset, 2019, arXiv:1910.08854.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from deepfake_cli.datasets.clip import FAKE, LABELS, REAL, Clip, below, videos_first
from deepfake_cli.datasets.layout import find_root, read_json
from deepfake_cli.errors import DatasetError

TOPS = {"original_videos": REAL, "method_A": FAKE, "method_B": FAKE}
NAMES = (
    re.compile(r"()((\d+)_[^_]+_\d+)"),
    re.compile(r"(\d+)_((\d+)_[^_]+_\d+)"),
)  # donor, source and target, by label
LIST = "dataset.json"
OFFICIAL = f"{LIST}, which comes with the videos; no validation split"
COUNTS = {"": {"original_videos": 1131, "method_A": 3975, "method_B": 144}}
EXTRAS = ("landmarks", "masks")


def clips(root: str | Path) -> Iterator[Clip]:
    """The videos of the three folders."""
    root = find_root(Path(root), TOPS, "DFDC preview: original_videos/, method_A/ and method_B/")
    parts = _parts(root)
    for top, label in TOPS.items():
        for stem, path in videos_first((_stem(path), path) for path in below(root / top, EXTRAS)):
            if named := NAMES[label].fullmatch(stem):
                donor, source, target = named.groups()
                name, people = f"{top}/{stem}", (target, donor) if donor else (target,)
                method = top if label else ""
                yield Clip(path, label, "dfdcp", name, people, (source,), method, part=parts.get(name, ""))


def listed(root: Path, found: list[Clip]) -> Iterator[str]:
    """All names in dataset.json."""
    yield from _parts(find_root(root, TOPS, "DFDC preview"))


def _parts(root: Path) -> dict[str, str]:
    """The part of each listed video in the published split; empty without a list."""
    path, parts = root / LIST, {}
    if not path.is_file():
        return {}
    rows = read_json(path)
    if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
        raise DatasetError(f'{path}: expected {{"method_A/…/NAME.mp4": {{"label": "fake", "set": "train", …}}, …}}.')
    for video, row in rows.items():
        top = video.split("/")[0]
        if top in TOPS and row.get("label") != LABELS[TOPS[top]]:
            raise DatasetError(f"{path}: {video}: found label {row.get('label')!r}, expected {LABELS[TOPS[top]]!r}.")
        parts[f"{top}/{Path(video).stem}"] = str(row.get("set") or "")
    return parts


def _stem(path: Path) -> str:
    return path.name if path.is_dir() else path.stem
