"""Show characters that a terminal would obey, or that are not Unicode, as escapes."""

import re

_SURROGATE = "\ud800-\udfff"  # bytes of a name that is not UTF-8, or half a pair in JSON
_ENCODABLE = re.compile(f"[{_SURROGATE}]")
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters of both sets, but for tab and line feed
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # these change the direction of what follows
    f"\u2028\u2029{_SURROGATE}]"  # line ends
)


def visible(text: str) -> str:
    """The text with what a terminal would obey or cannot print as escapes: ESC is 4 characters, a backslash and x1b."""
    return _HIDDEN.sub(_escape, text)


def encodable(text: str) -> str:
    """The text with what UTF-8 cannot encode as escapes."""
    return _ENCODABLE.sub(_escape, text)


def encodable_json(text: str) -> str:
    """JSON with what UTF-8 cannot encode as JSON's escapes, which read back as they were."""
    return _ENCODABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else ascii(found[0])[1:-1]
