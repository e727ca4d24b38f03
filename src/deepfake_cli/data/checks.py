"""What must hold of a list, and between two of them: images that are there, both classes, no group in common."""

import os
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deepfake_cli.errors import ManifestError
from deepfake_cli.storage import remote, tar_shards

if TYPE_CHECKING:
    import pandas as pd


def check(table: "pd.DataFrame", name: str) -> None:
    """Check that a list has both classes, and that its images are there.

    Raises:
        ManifestError: it has one class only, or names images that are not there; the message counts and names some.
    """
    counts = table["label"].value_counts()
    if len(counts) < 2:
        found = "fake" if counts.index[0] else "real"
        raise ManifestError(f"{name}: all {len(table):,} frames are {found}; a detector needs reals and fakes.")
    check_files(table, name)


def check_files(table: "pd.DataFrame", name: str) -> None:
    """Check that the images of a list are there.

    Raises:
        ManifestError: some are not; the message counts and names some.
    """
    gone = missing(table["path"])
    if gone:
        some = "\n  ".join(gone[:5])
        raise ManifestError(f"{name}: {len(gone):,} of {len(table):,} images are not there, such as\n  {some}")


def missing(paths: "pd.Series[str]") -> list[str]:
    """The paths at which there is no file. Folders are listed once each: asking for every file takes minutes for millions."""
    gone: list[str] = []
    listed = cache(_files)
    for folder, names, _ in by_folder(paths):
        inside = tar_shards.packed(folder + names[0])
        if not inside:
            there = listed(folder)
        elif not remote.is_remote(inside[0]):
            there = _in_tar(inside[0], inside[1].rpartition("/")[0])
        else:  # what is in it could be seen only by copying it
            there = set(names) if inside[0].name in listed(f"{inside[0].parent}/") else set()
        gone += [folder + name for name in names if name not in there]
    return gone


def by_folder(paths: "pd.Series[str]") -> Iterator[tuple[str, list[str], np.ndarray]]:
    """Yield each folder, as ``"/a/b/"``, the names of the files in it, and their places in `paths`, int64."""
    folders = paths.str.replace(r"[^/]*$", "", regex=True).astype("category").cat
    codes = folders.codes.to_numpy()
    order = np.argsort(codes, kind="stable")
    names = paths.str.replace(r"^.*/", "", regex=True).array[order]
    ends = [*(np.flatnonzero(np.diff(codes[order])) + 1).tolist(), len(order)]
    for start, end in pairwise([0, *ends]):
        yield folders.categories[codes[order[start]]], names[start:end].tolist(), order[start:end]


def _in_tar(tar: Path, folder: str) -> set[str]:
    return {name.rpartition("/")[2] for name in tar_shards.names(tar) if name.rpartition("/")[0] == folder}


def _files(folder: str) -> set[str]:
    if remote.is_remote(folder):
        return remote.names(Path(folder))
    try:
        with os.scandir(folder or ".") as entries:
            return {entry.name for entry in entries if entry.is_file()}
    except OSError:
        return set()


def shared_groups(one: "pd.DataFrame", other: "pd.DataFrame") -> list[str]:
    """The groups, as ``dataset/group``, that stand in both lists."""
    return sorted(set(groups(one)) & set(groups(other)))


def groups(table: "pd.DataFrame") -> list[str]:
    """The groups of a list, as ``dataset/group``."""
    pairs = table[["dataset", "group"]].drop_duplicates().astype(str).itertuples(index=False)
    return sorted("/".join(filter(None, pair)) for pair in pairs)
