"""``deepfake make-csv``: frames to lists for training, validation and test that share no group."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deepfake_cli import manifest
from deepfake_cli.config import MakeCsv
from deepfake_cli.datasets import find_adapter, find_clips
from deepfake_cli.datasets.clip import LABELS, Clip
from deepfake_cli.errors import DatasetError
from deepfake_cli.splits import divide, name_groups
from deepfake_cli.video import frame_files

if TYPE_CHECKING:
    import pandas as pd

FILES = {"train": "train/train.csv", "val": "val/validation.csv", "test": "test/test.csv"}


@dataclass
class MakeCsvResult:
    """What `make_csv` wrote.

    Attributes:
        paths: the list of each part.
        counts: per part and label, how many frames, videos and groups.
        unlisted: videos of the manifest without any usable frame.
    """

    paths: dict[str, Path]
    counts: "pd.DataFrame"
    unlisted: list[str]


def make_csv(settings: MakeCsv) -> MakeCsvResult:
    """Divide the frames by group and write one list a part.

    Args:
        settings: see `deepfake_cli.config.MakeCsv`.

    Returns:
        What was written.

    Raises:
        DatasetError: no frames, one class only, or too few groups.
        ManifestError: the manifest can't be read.
    """
    table, unlisted = _frames(settings)
    present = set(table["label"])
    if present != {0, 1}:
        hint = find_adapter(settings.adapter).hint
        raise DatasetError(f"{settings.imgdir}: all frames of {settings.adapter} are {LABELS[present.pop()]}. {hint}")
    table["part"] = table["group"].astype(str).map(_parts(table, settings))
    table["label"] = table["label"].map(dict(enumerate(LABELS)))
    paths = {}
    for part in dict.fromkeys(FILES):
        rows = table[table["part"] == part]
        path = settings.csvdir / FILES[part]
        if rows.empty:
            path.unlink(missing_ok=True)  # an earlier run's test list would share groups with these
            continue
        start = os.path.relpath(settings.imgdir, path.parent)
        rows = rows.assign(path=start.replace(os.sep, "/") + "/" + rows["path"])
        manifest.write_table(path, rows[list(manifest.LIST_COLUMNS)])
        paths[part] = path
    counts = table.groupby(["part", "label"], sort=False, observed=True).agg(
        frames=("path", "size"), videos=("video", "nunique"), groups=("group", "nunique")
    )
    return MakeCsvResult(paths, counts.reindex([(part, label) for part in paths for label in LABELS]), unlisted)


def _parts(table: "pd.DataFrame", settings: MakeCsv) -> dict[str, str]:
    shares = {"train": settings.ratio, "val": 1 - settings.ratio - settings.test_ratio, "test": settings.test_ratio}
    pairs = table[["group", "label"]].drop_duplicates().astype({"group": str})
    classes = {str(group): frozenset(labels) for group, labels in pairs.groupby("group")["label"]}
    return divide(classes, {part: share for part, share in shares.items() if share > 0}, seed=settings.seed)


def _frames(settings: MakeCsv) -> tuple["pd.DataFrame", list[str]]:
    """The data set's frames, paths relative to imgdir: from the manifest, or from the tree."""
    import pandas as pd

    listed = settings.imgdir / "manifest.csv"
    find_adapter(settings.adapter)
    if listed.is_file():
        return _from_manifest(listed, settings)
    clips = find_clips(settings.adapter, settings.imgdir)
    table = pd.DataFrame(_rows(clips, settings.imgdir), columns=list(manifest.LIST_COLUMNS))
    if table.empty:
        raise DatasetError(f"{settings.imgdir}: no frames in it. deepfake split {settings.adapter} writes them.")
    return table, []


def _from_manifest(listed: Path, settings: MakeCsv) -> tuple["pd.DataFrame", list[str]]:
    table, unlisted = manifest.read_manifest(listed)
    known = sorted(set(table["dataset"]))
    if settings.adapter in known:
        own = table["dataset"] == settings.adapter
        return table[own].reset_index(drop=True), [video for dataset, video in unlisted if dataset == settings.adapter]
    if ":" in settings.adapter:  # a user's own adapter names its data sets itself
        return table, [video for _, video in unlisted]
    raise DatasetError(
        f"{listed}: lists frames of {', '.join(known)}, none of {settings.adapter}. deepfake split {settings.adapter} adds them."
    )


def _rows(clips: list[Clip], imgdir: Path) -> Iterator[tuple[str, int, str, str, str, int]]:
    for clip, group in zip(clips, name_groups([clip.links for clip in clips]), strict=True):
        for index, path in frame_files(clip.path) if clip.path.is_dir() else []:
            yield path.relative_to(imgdir).as_posix(), clip.label, clip.dataset, clip.video, group, index
