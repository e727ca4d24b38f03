"""Measured properties as text, for tables and pages."""

from collections.abc import Mapping
from typing import Any


def name(about: Mapping[str, Any]) -> str:
    """Title and unit of a property."""
    return f"{about['title']}, {about['unit']}" if about["unit"] else str(about["title"])


def spread(summary: Mapping[str, Any]) -> str:
    """Median and 90 % range of one class: ``17 (12–22)``; a dash if no value is known."""
    if not summary["known"]:
        return "–"
    middle, low, high = (short(summary[name]) for name in ("median", "low", "high"))
    return middle if low == high else f"{middle} ({low}–{high})"


def single(about: Mapping[str, Any]) -> str:
    """The value of a property that is the same in both classes."""
    known = about["real"] if about["real"]["known"] else about["fake"]
    value = next(iter(known["values"])) if "values" in known else short(known["median"])
    return f"{value} {about['unit']}".strip()


def counts(summary: Mapping[str, Any], most: int) -> str:
    """The most frequent words of one class with their counts: ``h264 12, mpeg4 3``."""
    values = sorted(summary["values"].items(), key=lambda item: -item[1])
    more = [f"{len(values) - most:,} more"] if len(values) > most else []
    return ", ".join([*(f"{word} {count:,}" for word, count in values[:most]), *more]) or "–"


def short(value: float) -> str:
    """At least two digits, no exponent."""
    return f"{value:.0f}" if abs(value) >= 10 or value == round(value) else f"{value:.2f}"
