"""Checks of lists: existing images, both classes, no shared groups."""

import os
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deepfake_cli.errors import ManifestError
from deepfake_cli.storage import remote, tar_shards
from deepfake_cli.storage.urls import is_remote

if TYPE_CHECKING:
    import pandas as pd


def check(table: "pd.DataFrame", name: str) -> None:
    """Check that a list has both classes and that its images exist.

    Raises:
        ManifestError: one class only, or missing images; the message has the number and examples.
    """
    counts = table["label"].value_counts()
    if len(counts) < 2:
        only = "fake" if counts.index[0] else "real"
        raise ManifestError(f"{name}: all {len(table):,} frames are {only}; reals and fakes are needed.")
    check_files(table, name)


def check_videos(table: "pd.DataFrame", name: str) -> None:
    """Check that a video has one label and one group, and an image one label.

    Raises:
        ManifestError: one has several; the message names the column.
    """
    rows = table[["path", "label"]].drop_duplicates()
    twice = rows["path"].duplicated()
    if twice.any():
        path = rows["path"][twice].iloc[0]
        raise ManifestError(f"{name}: {twice.sum():,} images are listed as real and as fake, such as {path}.")
    for column in ("label", "group"):
        pairs = table[["dataset", "video", column]].drop_duplicates()
        torn = pairs.duplicated(["dataset", "video"])
        if torn.any():
            raise ManifestError(
                f"{name}: {torn.sum():,} videos have several values in the column {column}, such as "
                f"{pairs['video'][torn].iloc[0]}. A video has one label and one group: correct the columns video, label and "
                "group. Without a column video, a folder is a video: add the column, with a name per image for single images."
            )


def repeated(table: "pd.DataFrame", name: str) -> list[str]:
    """A note if images are listed several times, since each then counts as often."""
    twice = table["path"].duplicated()
    if not twice.any():
        return []
    path = table["path"][twice].iloc[0]
    return [f"{name}: {twice.sum():,} rows repeat an image, such as {path}; each row counts. Remove them."]


def check_files(table: "pd.DataFrame", name: str) -> None:
    """Check that the images of a list exist.

    Raises:
        ManifestError: missing images; the message has the number and examples.
    """
    gone = missing(table["path"])
    if gone:
        some = "\n  ".join(gone[:5])
        raise ManifestError(f"{name}: {len(gone):,} of {len(table):,} images are missing, such as\n  {some}")


def missing(paths: "pd.Series[str]") -> list[str]:
    """The paths without a file. Lists each folder once, since checking millions of files takes minutes."""
    gone: list[str] = []
    listed = cache(_files)
    for folder, names, _ in by_folder(paths):
        inside = tar_shards.packed(folder + names[0])
        if not inside:
            existing = listed(folder)
        elif not is_remote(inside[0]):
            existing = _in_tar(inside[0], inside[1].rpartition("/")[0])
        else:  # a remote tar is not downloaded for this
            existing = set(names) if inside[0].name in listed(f"{inside[0].parent}/") else set()
        gone += [folder + name for name in names if name not in existing]
    return gone


def by_folder(paths: "pd.Series[str]") -> Iterator[tuple[str, list[str], np.ndarray]]:
    """Yield each folder, as ``"/a/b/"``, its file names, and their indices in `paths`, int64."""
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
    if is_remote(folder):
        return remote.file_names(Path(folder))
    if Path(folder).resolve().is_relative_to("/proc") or Path(folder).resolve().is_relative_to("/sys"):
        return set()  # the kernel's files have no size, and may have no end
    try:
        with os.scandir(folder or ".") as entries:
            return {entry.name for entry in entries if entry.is_file() and not _is_of_kernel(entry)}
    except OSError:
        return set()


def _is_of_kernel(entry: "os.DirEntry[str]") -> bool:
    """Whether a link leads to a file without a size, as those in /proc and /sys."""
    return entry.is_symlink() and entry.stat().st_size == 0


def shared_groups(one: "pd.DataFrame", other: "pd.DataFrame") -> list[str]:
    """The groups in both lists, as ``dataset/group``."""
    return sorted(set(groups(one)) & set(groups(other)))


def groups(table: "pd.DataFrame") -> list[str]:
    """The groups of a list, as ``dataset/group``."""
    pairs = table[["dataset", "group"]].drop_duplicates().astype(str).itertuples(index=False)
    return sorted("/".join(filter(None, pair)) for pair in pairs)
