"""Deepfake-Eval-2024 (2025).

Videos from social media, circulated in 2024, 44 hours, labelled by hand; with audio and images, which are not read. The methods
and the people are unknown.

Layout: ``video-data/NAME`` and ``video-metadata-publish.csv`` or ``video-metadata-publish-with-links.csv``.

Layout read from: public scripts of users of the data set, whose addresses are not known; they name both lists, the folder and
the columns Filename, Video Ground Truth and Finetuning Set. The files of https://huggingface.co/datasets/nuriachandra/Deepfake-
Eval-2024 can be listed on request only. Not verified: the number of videos. Images are left out, since their folder could not be
verified.

Labels: by list; the column Video Ground Truth. Videos with another value than Real or Fake, such as Unknown, are left out, and
reported. A listed video that is missing counts as unreadable.

Groups: each video is a group. People are unknown, so no split can separate the faces.

Licence: CC BY-SA 4.0, with an agreement not to harm.

How to obtain: https://huggingface.co/datasets/nuriachandra/Deepfake-Eval-2024, on request. The published split is the column
Finetuning Set, train or test; no validation split.

Citation: N. A. Chandra and others, Deepfake-Eval-2024: A Multi-Modal In-the-Wild Benchmark of Deepfakes Circulated in 2024,
2025, arXiv:2503.02857.
"""

from collections.abc import Iterator
from pathlib import Path

from deepfake_cli.datasets.clip import LABELS, Clip, entries
from deepfake_cli.datasets.layout import LayoutError, csv_rows, find_root
from deepfake_cli.errors import DatasetError

TOP = "video-data"
LISTS = ("video-metadata-publish.csv", "video-metadata-publish-with-links.csv")
FILE, TRUTH, PART = "Filename", "Video Ground Truth", "Finetuning Set"
OFFICIAL = f"the column {PART} of the list that comes with the videos; no validation split"


def clips(root: str | Path) -> Iterator[Clip]:
    """The listed videos; without a list, the frames written by `split`."""
    root = _root(Path(root))
    path = _list(root)
    if path is None:
        written = [(label, *item) for label, name in enumerate(LABELS) for item in entries(root / TOP / name)]
        if not written:
            raise LayoutError(f"{root}: expected {' or '.join(LISTS)} next to {TOP}/; found neither.")
        yield from (_clip(file, label, stem, "") for label, stem, file in written)
        return
    frames, seen = dict(entries(root / TOP, root / TOP / "frames")), dict[str, int]()
    for line, row in csv_rows(path, (FILE, TRUTH, PART)):
        truth, stem = row[TRUTH].lower(), Path(row[FILE]).stem
        if stem in ("", ".."):
            raise DatasetError(f"{path}: line {line}: {row[FILE]!r} is not the name of a video.")
        if seen.setdefault(stem, line) != line:
            raise DatasetError(f"{path}: line {line}: {stem} is in line {seen[stem]} too; keep one.")
        if truth in LABELS:
            file = root / TOP / Path(row[FILE]).name
            place = file if file.exists() else frames.get(stem, file)
            yield _clip(place, LABELS.index(truth), stem, row[PART].lower())


def unlabelled(root: Path) -> Iterator[Path]:
    """The listed videos that are neither real nor fake."""
    root = _root(root)
    for _, row in csv_rows(path, (FILE, TRUTH)) if (path := _list(root)) else ():
        if row[TRUTH].lower() not in LABELS:
            yield root / TOP / Path(row[FILE]).name


def _root(root: Path) -> Path:
    return find_root(root, (TOP,), f"Deepfake-Eval-2024: {TOP}/ next to {LISTS[0]}")


def _list(root: Path) -> Path | None:
    return next((root / name for name in LISTS if (root / name).is_file()), None)


def _clip(path: Path, label: int, stem: str, part: str) -> Clip:
    """A clip with the label in its name, so that a tree of frames needs no list."""
    return Clip(path, label, "deepfakeeval", f"{TOP}/{LABELS[label]}/{stem}", part=part)
