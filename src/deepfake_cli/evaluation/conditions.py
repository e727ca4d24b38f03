"""Error rates by condition, with intervals over groups."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from deepfake_cli.inference.condition import PROPERTIES, Condition
from deepfake_cli.metrics.rates import interval

if TYPE_CHECKING:
    import pandas as pd

CALLS = ("real", "fake")


def slices(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """The error rates of all rows, of each part of each property, and of each part of all properties together.

    Args:
        table: the rows of `deepfake_cli.evaluation.whole_files.judged`.

    Returns:
        Objects as `deepfake_cli.inference.card.Slice`. Rows whose condition is unknown, since no face was found, count only
        among all, and by codec and rate where these are known.
    """
    parts = [_parts(row) for row in table.to_dict("records")]
    found = [{"where": {}, **_rates(table)}]
    for where in _distinct([part for row in parts for part in row.values()]):
        (name,) = where
        found.append({"where": where, **_rates(table[[row.get(name) == where for row in parts]])})
    whole = [row for row in parts if len(row) == len(PROPERTIES)]
    for where in _distinct([_joined(row) for row in whole]):
        rows = [len(row) == len(PROPERTIES) and _joined(row) == where for row in parts]
        found.append({"where": where, **_rates(table[rows])})
    return found


def by_encoding(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """The error rates of each encoding, in order: ``encoding``, and the rates as in `slices`."""
    names = table["encoding"].drop_duplicates()
    return [{"encoding": name, **_rates(table[table["encoding"] == name])} for name in names]


def _parts(row: Mapping[Any, Any]) -> dict[str, dict[str, Any]]:
    """The part of each property that a row is in, where its value is known."""
    values: dict[str, Any] = {name: None if row[name] != row[name] else row[name] for name in PROPERTIES}
    condition = Condition(**values)
    found = {name: condition.part(name) for name in PROPERTIES}
    return {name: dict(part) for name, part in found.items() if part}


def _joined(row: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {name: part for where in row.values() for name, part in where.items()}


def _distinct(parts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each part once, in the order of properties and values."""
    order = list(PROPERTIES)
    known = {repr(part): part for part in parts}

    def place(part: dict[str, Any]) -> tuple[Any, ...]:
        ends = [
            (-1.0 if end[0] is None else end[0], "") if isinstance(end, list) else (0.0, end) for end in part.values()
        ]
        return len(part), order.index(next(iter(part))), ends

    return iter(sorted(known.values(), key=place))


def _rates(rows: "pd.DataFrame") -> dict[str, Any]:
    found = {}
    for label, (own, other) in enumerate((CALLS, CALLS[::-1])):
        of = rows[rows["label"] == label]
        units = of["dataset"] + "/" + of["group"]
        rates = {
            call: _rate(of["verdict"] == said, units) for call, said in (("wrong", other), ("undecided", "undecided"))
        }
        found[own] = {"files": len(of), "groups": int(units.nunique()), **rates}
    return found


def _rate(hits: "pd.Series[bool]", units: "pd.Series[str]") -> dict[str, Any]:
    low, high = interval(hits, units) or (None, None)
    ends = {name: None if end is None else round(end, 4) for name, end in (("low", low), ("high", high))}
    return {"count": int(hits.sum()), **ends}
