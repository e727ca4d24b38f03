"""Find Content Credentials and XMP in a file of any format, by their first bytes."""

import re
from pathlib import Path
from typing import NamedTuple

STORE = b"jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"  # a C2PA manifest store (C2PA 2.2, 11.1.4)
XMP, END = b"<x:xmpmeta", b"</x:xmpmeta>"
CHUNK = 1 << 20  # bytes read at once
LONGEST = 1 << 16  # bytes of an XMP packet
MOST = 4  # XMP packets that are read
TAG = r"(?:\w+:)"


class Found(NamedTuple):
    """Whether there is a store of Content Credentials, and the text of the XMP packets."""

    store: bool
    xmp: list[str]


def scan(path: Path) -> Found:
    """Search a file once.

    Raises:
        OSError: it cannot be read.
    """
    store, places, before, offset = False, list[int](), b"", 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            window, start = before + chunk, offset - len(before)
            store = store or STORE in window
            places += [start + match.start() for match in re.finditer(re.escape(XMP), window)]
            before, offset = window[-len(STORE) :], offset + len(chunk)
        packets = []
        for place in sorted(set(places))[:MOST]:
            file.seek(place)
            packets.append(file.read(LONGEST).partition(END)[0].decode("utf-8", "replace"))
    return Found(store, packets)


def values(xmp: list[str], name: str) -> list[str]:
    """The values of a property in XMP packets, as attribute or element; without a parser, so that no entity is expanded."""
    pattern = re.compile(rf"{TAG}{name}\s*=\s*(?:\"([^\"]*)\"|'([^']*)')|<{TAG}{name}(?:\s[^>]*)?>([^<]+)<")
    return [next(filter(None, found), "").strip() for packet in xmp for found in pattern.findall(packet)]
