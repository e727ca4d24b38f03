"""Generate docs/datasets.md: a table of the adapters, and their cards."""

from deepfake_cli.datasets import ADAPTERS, Adapter
from deepfake_cli.datasets.card import brief, markdown, title

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


def documentation() -> str:
    """A Markdown table with a row per adapter, then all cards."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in _row(*item)) + " |" for item in ADAPTERS.items()]
    cards = [markdown(adapter.card, name) for name, adapter in ADAPTERS.items()]
    return "\n\n".join(["\n".join(lines), *cards]) + "\n"


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
