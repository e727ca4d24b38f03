"""List the files in folders, and the folders that cannot be listed."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from deepfake_cli.storage.disk import reason

CIRCLE = "a link to a folder that is read already"
CASE = "a case that predict --case wrote: name it to judge the pictures in it"
PASSED = (CIRCLE, CASE)  # of folders that are passed over, and are no fault
CASE_FILES = ("SHA256SUMS", "log.jsonl", "record.json")


def is_folder(path: Path) -> bool:
    """Whether a path is a folder; no, if this cannot be known: its parent may be listed, but not entered."""
    return os.path.isdir(path)  # noqa: PTH112 - `Path.is_dir` fails then


def is_file(path: Path) -> bool:
    """Whether a path is a file; no, if this cannot be known."""
    return os.path.isfile(path)  # noqa: PTH113


def exists(path: Path) -> bool:
    """Whether there is something at a path; no, if this cannot be known, and for a broken link."""
    return os.path.exists(path)  # noqa: PTH110


def is_case(folder: Path) -> bool:
    """Whether ``predict --case`` wrote a folder."""
    return all(is_file(folder / name) for name in CASE_FILES)


def closed(folder: Path) -> dict[Path, str]:
    """The folders at any depth that cannot be listed, with the reason. Links are not followed."""
    found: dict[Path, str] = {}
    for _ in os.walk(folder, onerror=_noting(found)):
        pass
    return found


def below(
    folder: Path, unread: dict[Path, str], is_one: Callable[[Path], bool] = lambda folder: False
) -> Iterator[Path]:
    """All files below a folder, also through links, sorted by folder; without those of cases in it.

    Args:
        folder: it may be one that cannot be listed.
        is_one: whether a folder is yielded itself, instead of its files.
        unread: gets the folders that cannot be listed, the links to folders that are read already, and the cases, with the
            reason.
    """
    around = {folder.resolve()}
    for place, inner, names in os.walk(folder, followlinks=True, onerror=_noting(unread)):
        parent = Path(place)
        inner.sort()
        for name in list(inner):
            target = (parent / name).resolve()
            if target in around:  # two links to it would repeat its files, one to a parent would never end
                inner.remove(name)
                unread[parent / name] = CIRCLE
            elif is_case(target):
                inner.remove(name)
                unread[parent / name] = CASE
            around.add(target)
        if is_one(parent):
            yield parent
        else:
            yield from (parent / name for name in sorted(names))


def _noting(found: dict[Path, str]) -> Callable[[OSError], None]:
    def note(error: OSError) -> None:
        found[Path(error.filename)] = reason(error)

    return note
