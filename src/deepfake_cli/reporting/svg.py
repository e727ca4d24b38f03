"""Plots as inline SVG: text stays text, and colours are the page's own, light, dark and on paper."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# what is drawn with, and the page's variable that it becomes
INK, MUTED, LINE, REAL, FAKE, ACCENT = "#010101", "#020202", "#030303", "#040404", "#050505", "#060606"
VARIABLES = {INK: "ink", MUTED: "muted", LINE: "line", REAL: "real", FAKE: "fake", ACCENT: "accent"}
SIZE = (4.4, 3.6)  # inches: as wide as a phone at the size the text is meant for
STYLE: dict[str, Any] = {
    "font.size": 9.5,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "text.parse_math": False,
    "svg.fonttype": "none",
}


class Plot:
    """One plot with the words beneath it; `drawing` is the SVG, as markup, once the block of `plot` has ended."""

    def __init__(self, axes: "Axes", title: str, words: str):
        self.axes, self.title, self.words = axes, title, words
        self.drawing: Any = ""


@contextmanager
def plot(name: str, title: str, words: str, **settings: Any) -> Iterator[Plot]:
    """Yield axes to draw on.

    Args:
        name: of letters; the ids of this plot start with it, so that plots don't meet in one page.
        title: what a screen reader calls the plot.
        words: what it says of the plot.
        settings: of the axes, as for `Axes.set`.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE | {"svg.hashsalt": name}):
        figure = Figure(figsize=SIZE, layout="constrained")
        made = Plot(figure.add_subplot(), title, words)
        yield made
        made.axes.set(**settings)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    made.drawing = _inline(file.getvalue(), name, title, words)


def _inline(text: str, name: str, title: str, words: str) -> Any:
    """The drawing without what a page has already, under its own ids and in the page's colours and font."""
    from markupsafe import Markup

    body = text[text.index("<svg") :].partition(">")[2]
    box = re.findall(r'viewBox="([^"]+)"', text)[0]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = body.replace("xlink:href", "href")
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'href="#', f'href="#{name}-', body)
    body = body.replace("url(#", f"url(#{name}-")
    body = re.sub(r"'DejaVu Sans'[^;\"]*", "var(--font)", body)
    for colour, variable in VARIABLES.items():
        body = body.replace(colour, f"var(--{variable})")
    head = Markup('<svg viewBox="{0}" role="img" aria-labelledby="{1}-title {1}-words">').format(box, name)
    told = Markup('<title id="{0}-title">{1}</title><desc id="{0}-words">{2}</desc>').format(name, title, words)
    return head + told + Markup(body)  # matplotlib escapes the texts that it draws
