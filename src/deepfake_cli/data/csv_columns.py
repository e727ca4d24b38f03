"""Read columns of a list: with a header in any case, separated by comma, semicolon or tab, or as lines of ``path,label``."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deepfake_cli.storage.csv_cells import unquoted_table

if TYPE_CHECKING:
    import pandas as pd

UTF16 = (b"\xff\xfe", b"\xfe\xff")  # first bytes of a text, as Excel and PowerShell save it
DELIMITERS = ",;\t"


def read_columns(path: Path, columns: Sequence[str]) -> "pd.DataFrame":
    """Read all `columns` as text or categories; missing columns are empty."""
    import pandas as pd
    import pyarrow as pa
    from pyarrow import csv as arrow

    header, delimiter = _header(path)
    own = [name.strip().lower() for name in header]
    if {"path", "label"} <= set(own):
        wanted = {theirs: name for theirs, name in zip(header, own, strict=True) if name in columns}
        if len(set(wanted.values())) < len([name for name in own if name in columns]):
            raise ValueError(f"two columns have the same name: {', '.join(header)}")
        types = {
            theirs: pa.string() if name == "path" else pa.dictionary(pa.int32(), pa.string())
            for theirs, name in wanted.items()
        }
        table = arrow.read_csv(
            path,
            parse_options=arrow.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=arrow.ConvertOptions(include_columns=list(wanted), column_types=types),
        ).to_pandas()
        table = unquoted_table(table.rename(columns=wanted))
    elif {"label", "score"} <= set(own):
        raise ValueError(f"found columns {', '.join(header)}: give scores to deepfake evaluate --predictions")
    else:
        table = _read_headerless(path)
    for name in columns:
        if name not in table:
            table[name] = pd.Categorical([""]).repeat(len(table))
    return table[list(columns)]


def _header(path: Path) -> tuple[list[str], str]:
    """The names in the first line, and the delimiter that gives path and label; the comma if none does."""
    with path.open("rb") as start:
        if start.read(2) in UTF16:
            raise ValueError("the text is UTF-16; save it as UTF-8")
    with path.open(encoding="utf-8-sig") as file:
        line = next((line for line in file if line.strip()), "")  # the header may follow blank lines
    headers = {mark: next(csv.reader([line], delimiter=mark), []) for mark in DELIMITERS}
    named = (mark for mark, names in headers.items() if {"path", "label"} <= {name.strip().lower() for name in names})
    delimiter = next(named, ",")
    return headers[delimiter], delimiter


def _read_headerless(path: Path) -> "pd.DataFrame":
    """Read lines of ``path,label``; the label follows the last comma, so paths may have commas."""
    import pandas as pd

    lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    for line in lines:
        if "," not in line:
            raise ValueError(f"expected a header with path and label, or lines of path,label; found {line[:80]!r}")
    rows = [line.rsplit(",", 1) for line in lines]
    paths = pd.Series([_unquote(name) for name, _ in rows], dtype=str)
    return pd.DataFrame({"path": paths, "label": pd.Categorical([label.strip(' "') for _, label in rows])})


def _unquote(text: str) -> str:
    text = text.strip()
    return text[1:-1].replace('""', '"') if len(text) > 1 and text[0] == text[-1] == '"' else text
