"""Find images shared by two parts: identical files, or near duplicates by perceptual hash."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import cv2
import numpy as np

from deepfake_cli.data.checks import by_folder
from deepfake_cli.media.image import read_image
from deepfake_cli.storage.hashes import sha256

if TYPE_CHECKING:
    import pandas as pd

BITS = 64  # of a perceptual hash
NEAR = 4  # bits that may differ after re-encoding a frame
FLAT = 2.0  # standard deviation of the grey levels, of 255, below which an image is too uniform to compare
T = TypeVar("T")
Progress = Callable[[int, int], None]


class Pair(NamedTuple):
    """Two images in two parts: their rows in the table, and the number of differing bits of their hashes."""

    one: int
    other: int
    bits: int


def same_bytes(table: "pd.DataFrame", progress: Progress = lambda done, total: None) -> list[Pair]:
    """Find identical files in two parts; reads only files whose size occurs in two parts.

    Args:
        table: columns path and part, a row per image; missing images are ignored.
        progress: called with the number of files read and the total.

    Returns:
        For each content and pair of parts, the first file of each.
    """
    files = table.assign(of=_sizes(table["path"]))
    files = _in_two_parts(files[files["of"] >= 0])
    files = files.assign(of=list(_map(_digest, files["path"].tolist(), progress)))
    files = _in_two_parts(files[files["of"].astype(bool)])
    firsts = files.drop_duplicates(["of", "part"])
    return [Pair(*pair, 0) for rows in firsts.groupby("of").groups.values() for pair in combinations(rows, 2)]


def look_alikes(
    table: "pd.DataFrame", progress: Progress = lambda done, total: None, near: int = NEAR
) -> tuple[list[Pair], int]:
    """Find near duplicates in different parts and groups, by perceptual hash (Zauner 2010).

    Args:
        table: columns path, part and group, a row per image.
        progress: called with the number of images hashed and the total.
        near: maximum number of differing bits.

    Returns:
        The pairs, and the number of unreadable images. Nearly uniform images are not compared.
    """
    hashed = list(_map(perceptual_hash, table["path"].tolist(), progress))
    known = np.array([value is not None for value in hashed])
    rows = table.index[known].to_numpy()
    hashes = np.array([value for value in hashed if value is not None], np.uint64)
    shown = hashes != 0
    rows, hashes = rows[shown], hashes[shown]
    part, group = (table.loc[rows, name].astype("category").cat.codes.to_numpy() for name in ("part", "group"))

    def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return (part[one] != part[other]) & (group[one] != group[other])

    pairs = [Pair(int(rows[one]), int(rows[other]), bits) for one, other, bits in near_pairs(hashes, near, apart)]
    return pairs, int((~known).sum())


def perceptual_hash(path: str) -> int | None:
    """The 64-bit DCT hash of an image; 0 if it is nearly uniform, None if unreadable."""
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

    Such hashes are equal in at least one of ``near + 1`` bands of bits (Manku et al. 2007), so only hashes with a common
    band are compared.

    Args:
        hashes: uint64 (n,).
        near: maximum number of differing bits.
        wanted: filter from the indices of candidate pairs, two arrays (m,), to bool (m,).

    Yields:
        Two indices, the smaller first, and the number of differing bits; each pair once.
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
    """The size of each file in bytes, int64; -1 if missing. Lists each folder once."""
    sizes = np.full(len(paths), -1, np.int64)
    for folder, names, places in by_folder(paths):
        listed = _listed(folder)
        sizes[places] = [listed.get(name, -1) for name in names]
    return sizes


def _listed(folder: str) -> dict[str, int]:
    try:
        with os.scandir(folder or ".") as entries:
            return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
    except OSError:
        return {}


def _in_two_parts(files: "pd.DataFrame") -> "pd.DataFrame":
    """The files whose ``of`` occurs in more than one part."""
    return files[files.groupby("of")["part"].transform("nunique") > 1]


def _digest(path: str) -> str:
    """Hash of the content of a file; empty if unreadable."""
    try:
        return sha256(path)
    except OSError:
        return ""


def _map(work: Callable[[str], T], paths: Sequence[str], progress: Progress) -> Iterator[T]:
    """Apply `work` to all paths, in order, in threads; decoding and hashing release the GIL."""
    with ThreadPoolExecutor() as pool:
        for done, result in enumerate(pool.map(work, paths), 1):
            yield result
            if done % 64 == 0 or done == len(paths):
                progress(done, len(paths))
