"""The CSV contract: which columns a list of frames has, and how it is read and written.

A list may have millions of rows, so nothing here holds a Python object a row: paths are Arrow strings, and every column that
repeats itself is a category.
"""

import csv
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.errors import ManifestError
from deepfake_cli.storage.files import elsewhere, whole
from deepfake_cli.storage.remote import here, is_remote

if TYPE_CHECKING:
    import pandas as pd

LIST_COLUMNS = ("path", "label", "dataset", "video", "group", "frame", "method", "quality")
CLIP_COLUMNS = ("people", "sources", "official")  # what make-csv divides by; several names are joined by SEPARATOR
FRAME_COLUMNS = ("track", "box", "score", "reason")  # reason: why there is no image; empty if there is one
SOURCE_COLUMNS = ("codec", "fps", "width", "height")  # of the video that the image was cut from; empty if unknown
MANIFEST_COLUMNS = (*LIST_COLUMNS, *CLIP_COLUMNS, *FRAME_COLUMNS, *SOURCE_COLUMNS)
CATEGORIES = ("dataset", "video", "group", "method", "quality")
SEPARATOR = "|"
LABELS = {"real": 0, "fake": 1, "0": 0, "1": 1}
MOST_FRAMES = 2**53  # up to here a float tells whole numbers apart


def joined(names: Iterable[str]) -> str:
    """Several names as one cell."""
    return SEPARATOR.join(name.replace(SEPARATOR, "_") for name in names)


def names(cell: str) -> tuple[str, ...]:
    """The names in a cell."""
    return tuple(filter(None, cell.split(SEPARATOR)))


def write(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows under a header, whole or not at all; `columns` that a row lacks stay empty."""
    with whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_table(path: Path, table: "pd.DataFrame") -> None:
    """Write a table, whole or not at all; what holds no comma, quote or line break stays without quotes."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    rows = pa.Table.from_pandas(table, preserve_index=False)
    with whole(path) as partial, partial.open("wb") as file:
        file.write((",".join(table.columns) + "\n").encode())
        start = file.tell()
        try:
            arrow.write_csv(rows, file, arrow.WriteOptions(include_header=False, quoting_style="none"))
        except pa.ArrowInvalid:  # something needs quotes
            file.seek(start)
            file.truncate()
            arrow.write_csv(rows, file, arrow.WriteOptions(include_header=False))


def read_manifest(path: Path) -> tuple["pd.DataFrame", list[tuple[str, str]]]:
    """Read what `split` wrote.

    Returns:
        The rows that have an image, with the columns of `LIST_COLUMNS` and `CLIP_COLUMNS`, paths as written and labels
        0 and 1; and (dataset, video) of each video that has none.

    Raises:
        ManifestError: it can't be read, or lists no image.
    """
    table = _checked_columns(path, (*LIST_COLUMNS, *CLIP_COLUMNS))
    videos = table[["dataset", "video"]].drop_duplicates()
    table = _with_labels(table, path)
    usable = table[["dataset", "video"]].drop_duplicates()
    listed, kept = (set(pairs.astype(str).itertuples(index=False, name=None)) for pairs in (videos, usable))
    return table, sorted(listed - kept)


def read(path: Path) -> "pd.DataFrame":
    """Read a list of frames: with our header, or the old header-less ``path,label``.

    A relative path is relative to the list's own folder, or else, as old lists have it, to the current one.

    Returns:
        A frame with the columns of `LIST_COLUMNS`: path (str; absolute or as found), label (int8, fake = 1), dataset,
        video, group, method, quality (categories) and frame (int64, -1 if unknown). Rows without an image (no face) are
        left out. Where a list doesn't say the video, it is the image's folder (absolute), and where it doesn't say the
        group, the video.

    Raises:
        ManifestError: the file is missing, empty, no such list, or has a label that is none of 0, 1, real, fake.
    """
    table = _with_labels(_checked_columns(path, LIST_COLUMNS), path)
    folder = path.parent if is_remote(path) else path.parent.resolve()  # TensorFlow takes ".." behind a link amiss
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
    """Read what `read_lists` leaves out: the videos that have no image at all, and the number of rows without one.

    Returns:
        The columns dataset, video, group, label (0 or 1), method, quality and reason (of the first row), a row a video,
        as text but for the label; and the rows without an image, of any video.

    Raises:
        ManifestError: a list can't be read.
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
    local = here(path)
    if not local.is_file():
        raise ManifestError(f"{path}: no such list. deepfake make-csv writes one.")
    try:
        return _read_columns(local, columns)
    except (OSError, ValueError, csv.Error) as error:
        text = " ".join(str(error).split())
        raise ManifestError(f"{path}: cannot be read as a CSV of frames: {text}") from None


def _with_labels(table: "pd.DataFrame", path: Path) -> "pd.DataFrame":
    """Keep the rows with an image; turn labels and frame numbers into numbers."""
    import pandas as pd

    table = table[table["path"] != ""].reset_index(drop=True)
    if table.empty:
        raise ManifestError(f"{path}: no image is listed in it.")
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
    """Apply `change` to the different values of a category, and give every row its value, as float64."""
    import pandas as pd

    values = change(pd.Series(column.cat.categories, dtype=str))
    return values.to_numpy(dtype="float64", na_value=float("nan"))[column.cat.codes.to_numpy()]


def _read_columns(path: Path, columns: Sequence[str]) -> "pd.DataFrame":
    """Read as text and categories of text, with all `columns`; one that the file lacks is empty."""
    import pandas as pd
    import pyarrow as pa
    from pyarrow import csv as arrow

    with path.open(encoding="utf-8-sig") as file:
        header = next(csv.reader([file.readline()]), [])
    if {"path", "label"} <= set(header):
        types = {name: pa.string() if name == "path" else pa.dictionary(pa.int32(), pa.string()) for name in columns}
        wanted = [name for name in columns if name in header]
        table = arrow.read_csv(
            path,
            parse_options=arrow.ParseOptions(newlines_in_values=True),
            convert_options=arrow.ConvertOptions(include_columns=wanted, column_types=types),
        ).to_pandas()
    else:
        table = _read_headerless(path)
    for name in columns:
        if name not in table:
            table[name] = pd.Categorical([""]).repeat(len(table))
    return table[list(columns)]


def _read_headerless(path: Path) -> "pd.DataFrame":
    """``path,label`` a line: the label follows the last comma, so the path may hold commas, quoted or not."""
    import pandas as pd

    lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    for line in lines:
        if "," not in line:
            raise ValueError(f"expected a header with path and label, or path,label a line; found {line[:80]!r}")
    rows = [line.rsplit(",", 1) for line in lines]
    paths = pd.Series([_unquote(name) for name, _ in rows], dtype=str)
    return pd.DataFrame({"path": paths, "label": pd.Categorical([label.strip(' "') for _, label in rows])})


def _unquote(text: str) -> str:
    text = text.strip()
    return text[1:-1].replace('""', '"') if len(text) > 1 and text[0] == text[-1] == '"' else text


def _resolve(paths: "pd.Series[str]", folder: Path) -> "pd.Series[str]":
    """Make relative paths usable from here: below the list's folder, unless the first is found from here instead."""
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
    """Join paths to a remote folder; stores know no "..", so it is worked out, once for each way up."""
    parts = paths.str.extract(r"^((?:\.\./)*)(.*)$")
    return parts[0].map({up: posixpath.normpath(f"{folder}/{up}") + "/" for up in parts[0].unique()}) + parts[1]


def _fill(table: "pd.DataFrame", name: str, values: "Callable[[pd.DataFrame], pd.Series[Any]]") -> None:
    """Give a category its value where it is empty."""
    empty = table[name] == ""
    if empty.any():
        table[name] = table[name].astype(str).mask(empty, values(table).astype(str)).astype("category")


def _folders(paths: "pd.Series[str]") -> "pd.Series[Any]":
    """The folder of each image, absolute: lists of different folders spell it differently."""
    folders = paths.str.replace(r"(^|[/\\])[^/\\]*$", "", regex=True).astype("category")
    return folders.map(
        {name: name if elsewhere(name) else str(Path(name).resolve()) for name in folders.cat.categories}
    )
