"""Images that two parts have in common: the same bytes, or nearly the same look."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import cv2
import numpy as np

from deepfake_cli.data.checks import by_folder
from deepfake_cli.media.video import read_image
from deepfake_cli.storage.files import read_bytes

if TYPE_CHECKING:
    import pandas as pd

BITS = 64  # of a perceptual hash
NEAR = 4  # of them may differ between a frame and the same frame encoded anew
FLAT = 2.0  # standard deviation of the grey levels, of 255, below which an image shows nothing to compare
T = TypeVar("T")
Progress = Callable[[int, int], None]


class Pair(NamedTuple):
    """Two images in two parts: their rows in the table, and in how many of `BITS` their hashes differ."""

    one: int
    other: int
    bits: int


def same_bytes(table: "pd.DataFrame", progress: Progress = lambda done, total: None) -> list[Pair]:
    """Find files of one content in two parts. Only files of a size that two parts have are read.

    Args:
        table: columns path and part, one row an image; images that aren't there are passed over.
        progress: called with how many files of how many have been read.

    Returns:
        For each content and two parts, the first file of each.
    """
    files = table.assign(of=_sizes(table["path"]))
    files = _in_two_parts(files[files["of"] >= 0])
    files = files.assign(of=list(_each(_digest, files["path"].tolist(), progress)))
    files = _in_two_parts(files[files["of"].astype(bool)])
    firsts = files.drop_duplicates(["of", "part"])
    return [Pair(*pair, 0) for rows in firsts.groupby("of").groups.values() for pair in combinations(rows, 2)]


def look_alikes(
    table: "pd.DataFrame", progress: Progress = lambda done, total: None, near: int = NEAR
) -> tuple[list[Pair], int]:
    """Find images that look nearly the same, in two parts and two groups, by perceptual hash (Zauner 2010).

    Args:
        table: columns path, part and group, one row an image.
        progress: called with how many images of how many have been hashed.
        near: bits in which two hashes may differ.

    Returns:
        The pairs, and how many images could not be read. Images of next to one colour are not compared.
    """
    found = list(_each(perceptual_hash, table["path"].tolist(), progress))
    known = np.array([value is not None for value in found])
    rows = table.index[known].to_numpy()
    hashes = np.array([value for value in found if value is not None], np.uint64)
    shown = hashes != 0
    rows, hashes = rows[shown], hashes[shown]
    part, group = (table.loc[rows, name].astype("category").cat.codes.to_numpy() for name in ("part", "group"))

    def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return (part[one] != part[other]) & (group[one] != group[other])

    pairs = [Pair(int(rows[one]), int(rows[other]), bits) for one, other, bits in near_pairs(hashes, near, apart)]
    return pairs, int((~known).sum())


def perceptual_hash(path: str) -> int | None:
    """The DCT hash of an image as 64 bits; 0 if it shows next to one colour, None if it cannot be read."""
    import imagehash
    from PIL import Image

    image = read_image(Path(path))
    if image is None:
        return None
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    if grey.std() < FLAT:
        return 0
    return int(str(imagehash.phash(Image.fromarray(grey))), 16)


def near_pairs(
    hashes: np.ndarray, near: int, wanted: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> Iterator[tuple[int, int, int]]:
    """Find all wanted pairs of hashes that differ in at most `near` bits.

    Two such hashes are equal in at least one of ``near + 1`` bands of bits (Manku et al. 2007), so only hashes that share
    a band are compared.

    Args:
        hashes: uint64 (n,).
        near: most bits in which they differ.
        wanted: from the indices of candidate pairs, two arrays (m,), to which of them matter, bool (m,).

    Yields:
        Two indices, the smaller first, and the number of bits; each pair once.
    """
    edges = np.linspace(0, BITS, near + 2).astype(int)
    seen: set[tuple[int, int]] = set()
    for low, high in pairwise(edges):
        band = (hashes >> np.uint64(low)) & np.uint64((1 << int(high - low)) - 1)
        order = np.argsort(band, kind="stable")
        starts = np.flatnonzero(np.diff(band[order], prepend=band[order][:1] + np.uint64(1)))
        for bucket in np.split(order, starts[1:]):
            one, other = (bucket[side] for side in np.triu_indices(len(bucket), 1))
            bits = np.bitwise_count(hashes[one] ^ hashes[other])
            for place in np.flatnonzero((bits <= near) & wanted(one, other)):
                first, second = sorted((int(one[place]), int(other[place])))
                if (first, second) not in seen:
                    seen.add((first, second))
                    yield first, second, int(bits[place])


def _sizes(paths: "pd.Series[str]") -> np.ndarray:
    """The size of each file in bytes, int64, -1 if it isn't there; every folder is read once."""
    sizes = np.full(len(paths), -1, np.int64)
    for folder, names, places in by_folder(paths):
        there = _listed(folder)
        sizes[places] = [there.get(name, -1) for name in names]
    return sizes


def _listed(folder: str) -> dict[str, int]:
    try:
        with os.scandir(folder or ".") as entries:
            return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
    except OSError:
        return {}


def _in_two_parts(files: "pd.DataFrame") -> "pd.DataFrame":
    """The files whose ``of`` stands in more than one part."""
    return files[files.groupby("of")["part"].transform("nunique") > 1]


def _digest(path: str) -> str:
    """A hash of the file's bytes; empty if it cannot be read."""
    try:
        return hashlib.blake2b(read_bytes(path)).hexdigest()
    except OSError:
        return ""


def _each(work: Callable[[str], T], paths: Sequence[str], progress: Progress) -> Iterator[T]:
    """Do the work on every path, in order, on all cores: decoding and hashing leave Python's lock."""
    with ThreadPoolExecutor() as pool:
        for done, result in enumerate(pool.map(work, paths), 1):
            yield result
            if done % 64 == 0 or done == len(paths):
                progress(done, len(paths))
