"""Remote paths, such as in object stores, and their URLs.

A remote path starts with a protocol: ``Path("s3://bucket/name")``, which pathlib normalises to ``s3:/bucket/name``.
"""

import re
from pathlib import Path

REMOTE = re.compile(r"([a-z][a-z0-9+.-]+):/+(.+)", re.DOTALL)  # two letters or more: not a Windows drive
SPELT = re.compile(r"(?<![\w./-])([a-z][a-z0-9+.-]+):/(?=[\w*])")  # a remote path as normalised by pathlib, in a text


def is_remote(path: Path | str) -> bool:
    """Whether a path starts with a protocol."""
    return REMOTE.match(str(path)) is not None


def url(path: Path | str) -> str:
    """The path as a URL: ``s3://bucket/name``."""
    return REMOTE.sub(r"\1://\2", str(path))


def spelled(text: str) -> str:
    """Replace remote paths in a text by URLs."""
    return SPELT.sub(r"\1://", text)


def store(path: Path) -> str:
    """The protocol with bucket or host of a path; empty for a local path."""
    return "/".join(path.parts[:2]) if is_remote(path) else ""


def protocol(path: Path) -> str:
    """The protocol of a remote path: ``s3``."""
    match = REMOTE.match(str(path))
    assert match
    return match[1]
