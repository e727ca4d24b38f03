"""Text from the metadata of a file, which anyone may have written: of bounded length, without hidden characters."""

from collections.abc import Iterable, Mapping
from typing import Any

from deepfake_cli.storage.escapes import visible

LONGEST = 400  # characters of a value
MOST = 64  # fields of a header; the number of others is told


def plain(value: Any, longest: int = LONGEST) -> str:
    """A value as one line, bytes as UTF-8, hidden characters as escapes; of a longer one the start, and how long it is."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    line = " ".join(visible(text[: 8 * longest].replace("\0", "")).split())
    return line if len(line) <= longest else f"{line[:longest]}… (of {len(text):,} characters)"


def plain_fields(fields: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> dict[str, str]:
    """Fields with values of `plain`, without empty ones; at most `MOST`, then how many there are besides."""
    items = list(fields.items() if isinstance(fields, Mapping) else fields)
    kept = {plain(name, 80): text for name, value in items[:MOST] if (text := plain(value))}
    return kept | ({"…": f"{len(items) - MOST:,} more fields"} if len(items) > MOST else {})
