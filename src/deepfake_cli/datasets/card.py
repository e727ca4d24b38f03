"""A data set's card, which is the docstring of its adapter: a title, what it is, then `HEADINGS`, a paragraph each."""

import re

HEADINGS = ("Layout", "Labels", "Groups", "Licence", "How to obtain", "Citation")


def paragraphs(card: str) -> list[tuple[str, str]]:
    """Split a card into headings and texts, in its order; a text that is under none of `HEADINGS` has an empty heading.

    Within a paragraph of a card, line breaks go and the docstring's double backquotes become single ones; a docstring
    without headings (a user's own) stays as it is.
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
    """The card's first line, without its full stop."""
    return paragraphs(card)[0][1].removesuffix(".")


def brief(card: str, heading: str) -> str:
    """The first sentence of a paragraph, for a table; empty, if the card has no such paragraph."""
    text = dict(paragraphs(card)).get(heading, "")
    return re.split(r"(?<!\b[A-Z])\. ", text)[0].removesuffix(".")  # the stop after an initial ends no sentence


def markdown(card: str, name: str) -> str:
    """The card as a section of the docs."""
    (_, heading), *rest = paragraphs(card)
    texts = [f"**{label}:** {text}" if label else text for label, text in rest]
    return "\n\n".join([f"## `{name}`: {heading.removesuffix('.')}", *texts])
