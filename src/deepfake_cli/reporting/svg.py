"""Plots as inline SVG: text stays text, and colours follow the page in light, dark and print."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# placeholder colours, replaced by the CSS variables of the page
INK, MUTED, LINE, REAL, FAKE, ACCENT = "#010101", "#020202", "#030303", "#040404", "#050505", "#060606"
VARIABLES = {INK: "ink", MUTED: "muted", LINE: "line", REAL: "real", FAKE: "fake", ACCENT: "accent"}
SIZE = (4.4, 3.6)  # inches: the width of a phone at the intended text size
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
    """One plot and its caption; the block of `plot` fills in the drawing at its end.

    Attributes:
        axes: to draw on.
        name: prefix of the ids in the drawing.
        title: name of the plot.
        words: its caption.
        view_box: of the SVG.
        drawing: what is inside the SVG, as markup.
    """

    def __init__(self, axes: "Axes", name: str, title: str, words: str):
        self.axes, self.name, self.title, self.words = axes, name, title, words
        self.view_box, self.drawing = "", Markup()


@contextmanager
def plot(name: str, title: str, words: str, **settings: Any) -> Iterator[Plot]:
    """Yield axes to draw on.

    Args:
        name: letters and digits; prefix of the ids, which are unique on a page.
        title: name of the plot, also for screen readers.
        words: caption.
        settings: of the axes, as for `Axes.set`.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE | {"svg.hashsalt": name}):
        figure = Figure(figsize=SIZE, layout="constrained")
        made = Plot(figure.add_subplot(), name, title, words)
        yield made
        made.axes.set(**settings)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = file.getvalue()
    made.view_box, made.drawing = re.findall(r'viewBox="([^"]+)"', text)[0], _inline(text, name)


def _inline(text: str, name: str) -> Markup:
    """The inside of a drawing, with ids of its own, in the colours and the font of the page."""
    body = text[text.index("<svg") :].partition(">")[2].removesuffix("\n").removesuffix("</svg>")
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = body.replace("xlink:href", "href")
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'href="#', f'href="#{name}-', body)
    body = body.replace("url(#", f"url(#{name}-")
    body = re.sub(r"'DejaVu Sans'[^;\"]*", "var(--font)", body)
    for colour, variable in VARIABLES.items():
        body = body.replace(colour, f"var(--{variable})")
    return Markup(body)  # matplotlib escapes the texts that it draws
