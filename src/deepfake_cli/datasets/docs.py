"""Generate docs/datasets.md: tables of the adapters and of where their layout is from, and their cards."""

import inspect
from collections.abc import Callable

from deepfake_cli.datasets import ADAPTERS, Adapter
from deepfake_cli.datasets.card import brief, markdown, paragraphs, title

COLUMNS = (
    "name",
    "data set",
    "layout",
    "labels; recorded",
    "real videos",
    "groups by",
    "published split",
    "licence",
    "from",
)

SOURCES = ("name", "published number of videos", "videos that have to be there", "layout read from", "not verified")


def documentation() -> str:
    """Markdown tables with a row per adapter, then all cards."""
    cards = [markdown(adapter.card, name) for name, adapter in ADAPTERS.items()]
    return "\n\n".join([_table(COLUMNS, _row), _table(SOURCES, _source), *cards]) + "\n"


def _table(columns: tuple[str, ...], row: Callable[[str, Adapter], tuple[str, ...]]) -> str:
    rows = [columns, *(row(*item) for item in ADAPTERS.items())]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |" for cells in rows]
    return "\n".join([lines[0], "|---" * len(columns) + "|", *lines[1:]])


def _row(name: str, adapter: Adapter) -> tuple[str, ...]:
    card = adapter.card
    return (
        f"`{name}`",
        title(card),
        brief(card, "Layout"),
        brief(card, "Labels"),
        "separate: `--realdir`" if adapter.reals else "included",
        ", ".join(adapter.by),
        adapter.official or "none",
        brief(card, "Licence"),
        brief(card, "How to obtain"),
    )


def _source(name: str, adapter: Adapter) -> tuple[str, ...]:
    """What `deepfake datasets verify` compares with, and where the layout is from."""
    counts = [
        f"{release} " * bool(release) + ", ".join(f"`{pattern}` {count:,}" for pattern, count in patterns.items())
        for release, patterns in adapter.counts.items()
    ]
    names = (inspect.getdoc(adapter.listed) or "" if adapter.listed else "").removesuffix(".")
    source, _, doubts = dict(paragraphs(adapter.card)).get("Layout read from", "").partition(" Not verified: ")
    return (
        f"`{name}`",
        "; ".join(counts) or "–",
        names or "–",
        source.removesuffix("."),
        doubts.removesuffix(".") or "–",
    )
