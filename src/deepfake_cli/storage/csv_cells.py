"""Text in CSV files that a spreadsheet would run as a formula.

Such text is written in apostrophes, ``'=x.jpg'``, which Excel and LibreOffice show as text, and read back without them. Numbers
stay as they are. All that writes or reads a CSV of ours uses this module; tests/storage/test_csv_cells.py checks that.
"""

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

BLANK = "\\x00-\\x20\x85\xa0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"  # spreadsheets skip some of these
START = f"[{BLANK}]*[=+@\uff1d\uff0b\uff0d\uff20-]|[\\t\\r\\n]"  # of a formula; Excel takes full-width signs in Japan
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
FORMULA = re.compile(START)
NUMBERS = re.compile(f" *{NUMBER}(?: {NUMBER})* *")  # a box has several
SUSPECT = f"^'*(?:{START})"  # what may have to change, for Arrow's RE2 too


def quoted(cell: Any) -> Any:
    """Quote a cell for writing: text that looks like a formula, or is quoted already, gets apostrophes; all else is unchanged."""
    return f"'{cell}'" if isinstance(cell, str) and (_is_formula(cell) or _is_quoted(cell)) else cell


def unquoted(cell: Any) -> Any:
    """Undo `quoted`."""
    return cell[1:-1] if isinstance(cell, str) and _is_quoted(cell) else cell


def _is_formula(text: str) -> bool:
    return bool(FORMULA.match(text)) and not NUMBERS.fullmatch(text)


def _is_quoted(text: str) -> bool:
    """Whether `quoted` makes this text of another one; it is not enough to start with an apostrophe, as ``'=x`` does."""
    depth = len(text) - len(text.lstrip("'"))
    return depth > 0 and text.endswith("'" * depth) and _is_formula(text[depth:-depth])


def write_rows(file: IO[str], columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows with a header; missing columns are empty, other keys are left out."""
    plain = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
    full = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n", quoting=csv.QUOTE_ALL)
    plain.writeheader()
    for row in rows:
        cells = {name: quoted(value) for name, value in row.items()}
        has_return = any("\r" in cell for cell in cells.values() if isinstance(cell, str))  # Python writes it bare
        (full if has_return else plain).writerow(cells)


def read_rows(file: Iterable[str]) -> Iterable[dict[str, Any]]:
    """Read the rows of `write_rows`, as text."""
    return ({name: unquoted(value) for name, value in row.items()} for row in csv.DictReader(file))


def quoted_table(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table whose text can be written; see `quoted`."""
    return _mapped(table, quoted)


def unquoted_table(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table, as read, with its text as it was; see `unquoted`."""
    return _mapped(table, unquoted)


def _mapped(table: "pd.DataFrame", change: Callable[[Any], Any]) -> "pd.DataFrame":
    """Change the text of a table; columns without suspect text are not copied, and a category is changed once."""
    changed = {}
    for name in table.columns:
        column = table[name]
        if column.dtype == "category":
            if any(change(value) != value for value in column.cat.categories):
                changed[name] = column.map(change, na_action="ignore").astype("category")
        elif column.dtype.kind == "O":
            suspect = column.str.contains(SUSPECT, na=False)
            if suspect.any():
                changed[name] = column.mask(suspect, column[suspect].map(change))
    return table.assign(**changed) if changed else table
