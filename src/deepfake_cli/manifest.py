"""The CSV contract: which columns a list of frames has, and how it is read, written and checked."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.errors import ManifestError
from deepfake_cli.files import whole

if TYPE_CHECKING:
    import pandas as pd

LIST_COLUMNS = ("path", "label", "dataset", "video", "group", "frame")
MANIFEST_COLUMNS = (*LIST_COLUMNS, "box", "score", "reason")  # reason: why there is no image; empty if there is one
LABELS = {"real": 0, "fake": 1, "0": 0, "1": 1}
MOST_FRAMES = 2**53  # up to here a float tells whole numbers apart


def write(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows under a header, whole or not at all; `columns` that a row lacks stay empty."""
    with whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_table(path: Path, table: "pd.DataFrame") -> None:
    """Write a table with the columns of `LIST_COLUMNS`, whole or not at all."""
    with whole(path) as partial:
        table.to_csv(partial, index=False, lineterminator="\n")


def read_manifest(path: Path) -> tuple["pd.DataFrame", list[tuple[str, str]]]:
    """Read what `split` wrote.

    Returns:
        The rows that have an image, with the columns of `LIST_COLUMNS`, paths as written and labels 0 and 1; and
        (dataset, video) of each video that has none.

    Raises:
        ManifestError: it can't be read, or lists no image.
    """
    table = _checked_columns(path)
    videos = table[["dataset", "video"]].drop_duplicates()
    table = _with_labels(table, path)
    usable = set(zip(table["dataset"], table["video"], strict=True))
    return table, sorted(set(zip(videos["dataset"], videos["video"], strict=True)) - usable)


def read(path: Path) -> "pd.DataFrame":
    """Read a list of frames: with our header, or the old header-less ``path,label``.

    A relative path is relative to the list's own folder, or else, as old lists have it, to the current one.

    Returns:
        A frame with the columns of `LIST_COLUMNS`: path (absolute or as found), label (int8, fake = 1), dataset, video,
        group (categories) and frame (int64, -1 if unknown). Rows without an image (no face) are left out. Where a list
        doesn't say the video, it is the image's folder (absolute), and where it doesn't say the group, the video.

    Raises:
        ManifestError: the file is missing, empty, no such list, or has a label that is none of 0, 1, real, fake.
    """
    table = _with_labels(_checked_columns(path), path)
    table["path"] = _resolve(table["path"], path.parent)
    unnamed = table["video"] == ""
    if unnamed.any():
        folder = table["path"].str.replace(r"(^|[/\\])[^/\\]*$", "", regex=True)
        places = {
            name: str(Path(name).resolve()) for name in folder[unnamed].unique()
        }  # ../../img is one place in all lists
        table["video"] = table["video"].where(~unnamed, folder.map(places))
    table["group"] = table["group"].where(table["group"] != "", table["video"])
    return table.astype(dict.fromkeys(("dataset", "video", "group"), "category"))[list(LIST_COLUMNS)]


def _checked_columns(path: Path) -> "pd.DataFrame":
    if not path.is_file():
        raise ManifestError(f"{path}: no such list. deepfake make-csv writes one.")
    try:
        return _read_columns(path)
    except (OSError, ValueError, csv.Error) as error:
        raise ManifestError(f"{path}: cannot be read as a CSV of frames: {str(error).strip()}") from None


def _with_labels(table: "pd.DataFrame", path: Path) -> "pd.DataFrame":
    """Keep the rows with an image; turn labels and frame numbers into numbers."""
    import pandas as pd

    table = table[table["path"] != ""].reset_index(drop=True)
    if table.empty:
        raise ManifestError(f"{path}: no image is listed in it.")
    labels = table["label"].str.strip().str.lower().map(LABELS)
    if labels.isna().any():
        row = int(labels.isna().to_numpy().argmax())
        raise ManifestError(
            f"{path}: label {table['label'][row]!r} of {table['path'][row]}; allowed: real, fake, 0, 1."
        )
    table["label"] = labels.astype("int8")
    frame = pd.to_numeric(table["frame"], errors="coerce")
    table["frame"] = frame.where(frame.between(0, MOST_FRAMES), -1).astype("int64")
    return table


def _read_columns(path: Path) -> "pd.DataFrame":
    """Read as text, with every column of a list; a column that the file lacks is empty."""
    import pandas as pd

    with path.open(encoding="utf-8-sig") as file:
        header = next(csv.reader([file.readline()]), [])
    if {"path", "label"} <= set(header):
        names = [name for name in LIST_COLUMNS if name in header]
        table = pd.read_csv(path, usecols=names, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    else:
        table = _read_headerless(path)
    return table.reindex(columns=list(LIST_COLUMNS), fill_value="")


def _read_headerless(path: Path) -> "pd.DataFrame":
    """``path,label`` a line: the label follows the last comma, so the path may hold commas, quoted or not."""
    import pandas as pd

    lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    for line in lines:
        if "," not in line:
            raise ValueError(f"expected a header with path and label, or path,label a line; found {line[:80]!r}")
    rows = [line.rsplit(",", 1) for line in lines]
    return pd.DataFrame(
        {"path": [_unquote(name) for name, _ in rows], "label": [label.strip(' "') for _, label in rows]}
    )


def _unquote(text: str) -> str:
    text = text.strip()
    return text[1:-1].replace('""', '"') if len(text) > 1 and text[0] == text[-1] == '"' else text


def _resolve(paths: "pd.Series[str]", folder: Path) -> "pd.Series[str]":
    """Make relative paths usable from here: below the list's folder, unless the first is found from here instead."""
    relative = ~paths.str.match(r"[/\\]|[A-Za-z]:")
    if not relative.any():
        return paths
    first = paths[relative].iloc[0]
    if not (folder / first).exists() and Path(first).exists():
        return paths
    return paths.where(~relative, str(folder.absolute()) + "/" + paths)


def read_lists(paths: Iterable[Path]) -> "pd.DataFrame":
    """Read several lists as one."""
    import pandas as pd

    tables = [read(path) for path in paths]
    if len(tables) == 1:
        return tables[0]
    joined = pd.concat(
        [table.astype(dict.fromkeys(("dataset", "video", "group"), str)) for table in tables], ignore_index=True
    )
    return joined.astype(dict.fromkeys(("dataset", "video", "group"), "category"))


def check(table: "pd.DataFrame", name: str) -> None:
    """Check that a list can be trained on.

    Raises:
        ManifestError: it has one class only, or names images that are not there; the message counts and names some.
    """
    counts = table["label"].value_counts()
    if len(counts) < 2:
        found = "fake" if counts.index[0] else "real"
        raise ManifestError(f"{name}: all {len(table):,} frames are {found}; a detector needs reals and fakes.")
    missing = [path for path in table["path"] if not Path(path).is_file()]
    if missing:
        some = "\n  ".join(missing[:5])
        raise ManifestError(f"{name}: {len(missing):,} of {len(table):,} images are not there, such as\n  {some}")


def shared_groups(one: "pd.DataFrame", other: "pd.DataFrame") -> list[str]:
    """The groups, as ``dataset/group``, that stand in both lists."""
    return sorted(set(groups(one)) & set(groups(other)))


def groups(table: "pd.DataFrame") -> list[str]:
    """The groups of a list, as ``dataset/group``."""
    pairs = table[["dataset", "group"]].drop_duplicates().astype(str).itertuples(index=False)
    return sorted("/".join(filter(None, pair)) for pair in pairs)
