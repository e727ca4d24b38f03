"""Data set cards: the docstring of an adapter, with a title, a description, and a paragraph per heading in `HEADINGS`."""

import re

HEADINGS = ("Layout", "Layout read from", "Labels", "Groups", "Licence", "How to obtain", "Citation")


def paragraphs(card: str) -> list[tuple[str, str]]:
    """Split a card into (heading, text) in order; text without one of `HEADINGS` has an empty heading.

    Line breaks in a paragraph are removed and double backquotes become single ones. A docstring without headings, of a
    user's own adapter, is unchanged.
    """
    blocks = [block.partition(": ") for block in card.split("\n\n")]
    if not any(heading in HEADINGS for heading, _, _ in blocks):
        return [("", card)] if card else []
    return [
        (heading if heading in HEADINGS else "", _plain(text if heading in HEADINGS else heading + colon + text))
        for heading, colon, text in blocks
    ]


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("``", "`")


def title(card: str) -> str:
    """The first line of a card, without its full stop."""
    return paragraphs(card)[0][1].removesuffix(".")


def brief(card: str, heading: str) -> str:
    """The first sentence of a paragraph, for a table; empty if there is no such paragraph."""
    text = dict(paragraphs(card)).get(heading, "")
    return re.split(r"(?<!\b[A-Z])\. ", text)[0].removesuffix(".")  # not after an initial


def markdown(card: str, name: str) -> str:
    """The card as a section of the docs."""
    (_, heading), *rest = paragraphs(card)
    texts = [f"**{label}:** {text}" if label else text for label, text in rest]
    return "\n\n".join([f"## `{name}`: {heading.removesuffix('.')}", *texts])
