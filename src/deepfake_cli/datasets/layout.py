"""Find the root of a data set in a given folder, with hints if there is none."""

import csv
import difflib
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from deepfake_cli.datasets.clip import folders
from deepfake_cli.errors import DatasetError
from deepfake_cli.storage.files import read_regular
from deepfake_cli.storage.folders import exists
from deepfake_cli.storage.json_files import parse_json

MOST_FOLDERS = 2000  # searched per level
DEEPEST = 4  # levels to search for a hint
NEAR = 0.8  # minimum similarity of a misspelt name
ARCHIVES = frozenset({".zip", ".7z", ".rar", ".tar", ".tgz", ".gz", ".bz2", ".xz"})


class LayoutError(DatasetError):
    """A folder without the layout of the data set."""


def find_root(root: Path, wanted: Iterable[str], expected: str) -> Path:
    """Return `root`, or a folder up to two levels below it, that contains one of `wanted`.

    Args:
        root: the given folder.
        wanted: names of folders or files; one is enough.
        expected: the layout as text, for the error message.

    Raises:
        LayoutError: there is no such folder, or several, or a name is misspelt; the message has the nearest match.
    """
    wanted = tuple(wanted)
    held = next((held for held in holders(root, wanted) if held), []) if root.is_dir() else []
    if not held:
        raise layout_error(root, wanted, expected)
    if len(held) > 1:
        raise LayoutError(f"{root}: {len(held)} folders have this layout: {_some(held)}. Give one of them.")
    misspelt = _misspelt(held[0], wanted)
    if misspelt:
        raise LayoutError(f"{held[0]}: expected {expected}. {misspelt}")
    return held[0]


def holders(root: Path, wanted: Sequence[str], levels: int = 2) -> Iterator[list[Path]]:
    """Yield, level by level, the folders that contain one of `wanted`; these are not searched further."""
    level = [root]
    for _ in range(levels + 1):
        held = [folder for folder in level if any(exists(folder / name) for name in wanted)]
        yield held
        level = list(
            islice((child for folder in level if folder not in held for child in _readable(folder)), MOST_FOLDERS)
        )


def layout_error(root: Path, wanted: Sequence[str], expected: str) -> LayoutError:
    """An error with the expected layout, the folders found, and a hint."""
    if not root.is_dir():
        return LayoutError(_no_folder(root, expected))
    hints = (look(root, wanted) for look in (_above, _below, _misspelt_nearby, _packed))
    names = sorted(path.name for path in root.iterdir() if not path.name.startswith("."))
    hint = next(filter(None, hints), "")
    return LayoutError(f"{root}: expected {expected}; found {_some(names) or 'nothing'}. {hint}".rstrip())


def read_json(path: Path) -> Any:
    """Read a JSON file of a data set.

    Raises:
        DatasetError: it is invalid, or has a key twice; the message has the line or the key.
    """
    return parse_json(read_text(path), Any, str(path), DatasetError, "Extract the file again.")


def csv_rows(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line number and the cells, by column, of each row of a CSV that comes with a data set.

    Raises:
        DatasetError: it is not text, or lacks one of the columns `needed`.
    """
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), restval="")
    try:
        if not set(needed) <= set(reader.fieldnames or ()):
            raise DatasetError(f"{path}: expected the columns {' and '.join(needed)}; found {reader.fieldnames}.")
        for row in reader:
            yield reader.line_num, {name: (row[name] or "").strip() for name in reader.fieldnames or ()}
    except csv.Error as error:
        raise DatasetError(f"{path}: line {reader.line_num}: {error}. Extract the file again.") from None


def read_text(path: Path) -> str:
    """Read a list that comes with a data set.

    Raises:
        DatasetError: it is not text.
    """
    try:
        return read_regular(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path}: not UTF-8 text: {error.reason} at byte {error.start}. Extract the file again."
        ) from None


def _no_folder(root: Path, expected: str) -> str:
    if root.suffix.lower() in ARCHIVES and root.is_file():
        return f"{root}: is an archive; extract it and give the folder."
    if root.is_file():
        return f"{root}: is a file; expected the folder of {expected}."
    near = difflib.get_close_matches(root.name, [folder.name for folder in _readable(root.parent)], n=1, cutoff=NEAR)
    hint = f" Did you mean {root.with_name(near[0])}?" if near else ""
    return f"{root}: no such folder; expected {expected}.{hint}"


def _above(root: Path, wanted: Sequence[str]) -> str:
    place, names = root.absolute(), {name.casefold() for name in wanted}
    for inner, outer in list(zip((place, *place.parents), place.parents, strict=False))[:3]:
        if inner.name.casefold() in names:
            where = "This is" if inner == place else "This is inside"
            return f"{where} the {inner.name} folder itself; use its parent, {outer}."
    return ""


def _below(root: Path, wanted: Sequence[str]) -> str:
    held = next((held for held in holders(root, wanted, DEEPEST) if held), [])
    return f"Use the sub-folder {held[0]}." if held else ""


def _misspelt_nearby(root: Path, wanted: Sequence[str]) -> str:
    hints = (_misspelt(folder, wanted) for folder in (root, *islice(_readable(root), MOST_FOLDERS)))
    return next(filter(None, hints), "")


def _misspelt(folder: Path, wanted: Sequence[str]) -> str:
    """A hint to rename a folder that is similar to a missing one."""
    try:
        names = {path.name.casefold(): path for path in folder.iterdir() if path.name not in wanted}
    except PermissionError:
        return ""
    for name in wanted:
        near = difflib.get_close_matches(name.casefold(), names, n=1, cutoff=NEAR)
        if near and not exists(folder / name):
            return f"Rename {names[near[0]]} to {name}."
    return ""


def _packed(root: Path, wanted: Sequence[str]) -> str:
    archives = sorted(path.name for path in root.iterdir() if path.suffix.lower() in ARCHIVES and path.is_file())
    return f"Extract {_some(archives)} first." if archives else ""


def _readable(folder: Path) -> list[Path]:
    try:
        return folders(folder)
    except PermissionError:
        return []


def _some(names: Sequence[Path | str], most: int = 8) -> str:
    return ", ".join(map(str, names[:most])) + (f" and {len(names) - most} more" if len(names) > most else "")
