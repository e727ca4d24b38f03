"""Read and write manifests and split lists: the CSV format.

A list may have millions of rows, so there is no Python object per row: paths are Arrow strings, and repetitive columns are
categories.
"""

import csv
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.data.csv_columns import read_columns
from deepfake_cli.errors import ManifestError
from deepfake_cli.storage.csv_cells import quoted_table, write_rows
from deepfake_cli.storage.disk import reason
from deepfake_cli.storage.downloads import local_path
from deepfake_cli.storage.files import elsewhere, whole
from deepfake_cli.storage.near import hint
from deepfake_cli.storage.urls import is_remote

if TYPE_CHECKING:
    import pandas as pd

LIST_COLUMNS = ("path", "label", "dataset", "video", "group", "frame", "method", "quality", "crop")
CLIP_COLUMNS = ("people", "sources", "official")  # used by make-csv; several names are joined by SEPARATOR
FRAME_COLUMNS = ("track", "box", "score", "reason")  # reason: why there is no image, else empty
SOURCE_COLUMNS = ("codec", "fps", "width", "height")  # of the source video; empty if unknown
MANIFEST_COLUMNS = (*LIST_COLUMNS, *CLIP_COLUMNS, *FRAME_COLUMNS, *SOURCE_COLUMNS)
CATEGORIES = ("dataset", "video", "group", "method", "quality", "crop")
SEPARATOR = "|"
LABELS = {"real": 0, "fake": 1, "0": 0, "1": 1, "0.0": 0, "1.0": 1}  # floats, as pandas writes a column with a gap
MOST_FRAMES = 2**53  # largest exact integer in a float


def joined(names: Iterable[str]) -> str:
    """Join names to one cell."""
    return SEPARATOR.join(name.replace(SEPARATOR, "_") for name in names)


def names(cell: str) -> tuple[str, ...]:
    """Split a cell into names."""
    return tuple(filter(None, cell.split(SEPARATOR)))


def write(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows with a header, atomically; missing columns are empty."""
    with whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        write_rows(file, columns, rows)


def write_table(path: Path, table: "pd.DataFrame") -> None:
    """Write a table, atomically; values are quoted only if needed."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    rows = pa.Table.from_pandas(quoted_table(table), preserve_index=False)
    with whole(path) as partial, partial.open("wb") as file:
        file.write((",".join(table.columns) + "\n").encode())
        start = file.tell()
        try:
            arrow.write_csv(rows, file, arrow.WriteOptions(include_header=False, quoting_style="none"))
        except pa.ArrowInvalid:  # a value needs quotes
            file.seek(start)
            file.truncate()
            arrow.write_csv(rows, file, arrow.WriteOptions(include_header=False))


def read_manifest(path: Path) -> tuple["pd.DataFrame", list[tuple[str, str]]]:
    """Read a manifest of `split`.

    Returns:
        The rows with an image, with the columns `LIST_COLUMNS` and `CLIP_COLUMNS`, paths as written and labels 0 and 1; and
        (dataset, video) of each video without an image.

    Raises:
        ManifestError: it cannot be read, or has no images.
    """
    table = _checked_columns(path, (*LIST_COLUMNS, *CLIP_COLUMNS))
    videos = table[["dataset", "video"]].drop_duplicates()
    table = _with_labels(table, path)
    usable = table[["dataset", "video"]].drop_duplicates()
    listed, kept = (set(pairs.astype(str).itertuples(index=False, name=None)) for pairs in (videos, usable))
    return table, sorted(listed - kept)


def read(path: Path) -> "pd.DataFrame":
    """Read a list of frames, with a header or as the former ``path,label`` without one.

    Relative paths are relative to the folder of the list, else, as in former lists, to the current folder.

    Returns:
        A table with the columns `LIST_COLUMNS`: path (str; absolute or as found), label (int8, fake = 1), dataset,
        video, group, method, quality, crop (categories) and frame (int64, -1 if unknown). Rows without an image are skipped.
        A missing video is the absolute folder of the image; a missing group is the video.
        The header may be in any case; cells are separated by commas, semicolons or tabs.

    Raises:
        ManifestError: the file is missing, empty or invalid, or a label is not 0, 1, real or fake.
    """
    table = _with_labels(_checked_columns(path, LIST_COLUMNS), path)
    folder = path.parent if is_remote(path) else path.parent.resolve()  # TensorFlow misreads ".." after a symbolic link
    table["path"] = _resolve(table["path"], folder)
    _fill(table, "video", lambda rows: _folders(rows["path"]))
    _fill(table, "group", lambda rows: rows["video"])
    for name in CATEGORIES:
        table[name] = table[name].cat.remove_unused_categories()
    return table


def read_lists(paths: Iterable[Path]) -> "pd.DataFrame":
    """Read several lists as one."""
    import pandas as pd
    from pandas.api.types import union_categoricals

    tables = [read(path) for path in paths]
    if len(tables) == 1:
        return tables[0]
    categories = {name: union_categoricals([table[name] for table in tables]) for name in CATEGORIES}
    plain = [table.drop(columns=list(CATEGORIES)) for table in tables]
    return pd.concat(plain, ignore_index=True).assign(**categories)[list(LIST_COLUMNS)]


def read_missing(paths: Iterable[Path]) -> tuple["pd.DataFrame", int]:
    """Read what `read_lists` skips: videos without an image, and the number of rows without one.

    Returns:
        A row per video with dataset, video, group, label (0 or 1), method, quality and reason (of the first row), as text
        except the label; and the number of rows without an image, of any video.

    Raises:
        ManifestError: a list cannot be read.
    """
    import pandas as pd

    kept = ["dataset", "video", "group", "label", "method", "quality", "reason"]
    tables = [_checked_columns(path, (*LIST_COLUMNS, "reason")) for path in paths]
    empty = pd.concat([table.loc[table["path"] == "", kept].astype(str) for table in tables], ignore_index=True)
    seen = pd.concat([table.loc[table["path"] != "", kept[:2]].drop_duplicates().astype(str) for table in tables])
    videos = empty[empty["video"] != ""].drop_duplicates(kept[:2])
    videos = videos[~pd.MultiIndex.from_frame(videos[kept[:2]]).isin(pd.MultiIndex.from_frame(seen))]
    labels = videos["label"].str.strip().str.lower().map(LABELS)
    videos = videos.assign(label=labels)[labels.notna()].astype({"label": "int64"}).reset_index(drop=True)
    return videos.assign(group=videos["group"].where(videos["group"] != "", videos["video"])), len(empty)


def _checked_columns(path: Path, columns: Sequence[str]) -> "pd.DataFrame":
    local = local_path(path)
    if local.is_dir():
        held = next(iter(sorted(local.rglob("*.csv"))), None)
        raise ManifestError(
            f"{path}: a folder, not a list. "
            + (
                f"Name a list in it, such as {held}"
                if held
                else "Create lists with deepfake split and deepfake make-csv."
            )
        )
    if not local.is_file():
        raise ManifestError(f"{path}: no such list.{hint(path)} Create it with deepfake make-csv.")
    try:
        return read_columns(local, columns)
    except (OSError, ValueError, csv.Error) as error:
        raise ManifestError(f"{path}: cannot be read as a CSV of frames: {reason(error)}") from None


def _with_labels(table: "pd.DataFrame", path: Path) -> "pd.DataFrame":
    """Keep the rows with an image; convert labels and frame indices to integers."""
    import pandas as pd

    table = table[table["path"] != ""].reset_index(drop=True)
    if table.empty:
        raise ManifestError(f"{path}: no images in this list.")
    odd = table["path"].str.contains("\0", regex=False)
    if odd.any():
        raise ManifestError(
            f"{path}: the path {table['path'][odd].iloc[0]!r} has a NUL, which no file has: correct it."
        )
    labels = _mapped(table["label"], lambda words: words.str.strip().str.lower().map(LABELS))
    if pd.isna(labels).any():
        row = int(pd.isna(labels).argmax())
        raise ManifestError(
            f"{path}: label {table['label'][row]!r} of {table['path'][row]}; allowed: real, fake, 0, 1."
        )
    table["label"] = labels.astype("int8")
    frame = _mapped(table["frame"], lambda words: pd.to_numeric(words, errors="coerce"))
    frame[~((frame >= 0) & (frame <= MOST_FRAMES))] = -1
    table["frame"] = frame.astype("int64")
    return table


def _mapped(column: "pd.Series[Any]", change: "Callable[[pd.Series[Any]], Any]") -> Any:
    """Apply `change` to the distinct values of a category; return the result per row, as float64."""
    import pandas as pd

    values = change(pd.Series(column.cat.categories, dtype=str))
    return values.to_numpy(dtype="float64", na_value=float("nan"))[column.cat.codes.to_numpy()]


def _resolve(paths: "pd.Series[str]", folder: Path) -> "pd.Series[str]":
    """Resolve relative paths to the folder of the list, or to the current folder if the first exists there."""
    relative = ~paths.str.match(r"[/\\]|[A-Za-z][A-Za-z0-9+.-]*:")
    if not relative.any():
        return paths
    if is_remote(folder):
        return paths.where(~relative, _below(paths, str(folder)))
    first = paths[relative].iloc[0]
    if not (folder / first).exists() and Path(first).exists():
        return paths
    return paths.where(~relative, str(folder.absolute()) + "/" + paths)


def _below(paths: "pd.Series[str]", folder: str) -> "pd.Series[str]":
    """Join paths to a remote folder, resolving ".." once per prefix."""
    parts = paths.str.extract(r"^((?:\.\./)*)(.*)$")
    return parts[0].map({up: posixpath.normpath(f"{folder}/{up}") + "/" for up in parts[0].unique()}) + parts[1]


def _fill(table: "pd.DataFrame", name: str, values: "Callable[[pd.DataFrame], pd.Series[Any]]") -> None:
    """Fill empty values of a category."""
    empty = table[name] == ""
    if empty.any():
        table[name] = table[name].astype(str).mask(empty, values(table).astype(str)).astype("category")


def _folders(paths: "pd.Series[str]") -> "pd.Series[Any]":
    """The absolute folder of each image."""
    folders = paths.str.replace(r"(^|[/\\])[^/\\]*$", "", regex=True).astype("category")
    return folders.map(
        {name: name if elsewhere(name) else str(Path(name).resolve()) for name in folders.cat.categories}
    )
