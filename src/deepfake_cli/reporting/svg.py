"""Plots as inline SVG: text stays text, and colours follow the page in light, dark and print."""

import io
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from deepfake_cli.reporting import style
from deepfake_cli.reporting.style import ACCENT, FAKE, GREY, INK, PALE, REAL, SECOND, SHADE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# in the CSS of the pages; none is a part of another
VARIABLES = {
    INK: "ink", GREY: "muted", PALE: "line", SHADE: "raised", REAL: "real", FAKE: "fake", ACCENT: "accent", SECOND: "second",
}  # fmt: skip
SIZE = (4.4, 3.6)  # inches: the width of a phone at the intended text size
STYLE: dict[str, Any] = style.STYLE | {
    "font.size": 9.5,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": PALE,
    "grid.linewidth": 0.6,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}


class Plot:
    """One plot and its caption; the block of `plot` fills in the drawing at its end.

    Attributes:
        figure: of matplotlib.
        axes: to draw on.
        name: prefix of the ids in the drawing, and name of the file.
        title: name of the plot.
        words: its caption.
        view_box: of the SVG.
        drawing: what is inside the SVG, as markup.
    """

    def __init__(self, figure: "Figure", name: str, title: str, words: str):
        self.figure, self.axes, self.name, self.title, self.words = figure, figure.add_subplot(), name, title, words
        self.view_box, self.drawing = "", Markup()


@contextmanager
def plot(name: str, title: str, words: str, size: tuple[float, float] = SIZE, **settings: Any) -> Iterator[Plot]:
    """Yield axes to draw on.

    Args:
        name: letters, digits and hyphens; unique on a page.
        title: name of the plot, also for screen readers.
        words: caption.
        size: width and height, in inches.
        settings: of the axes, as for `Axes.set`.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE | {"svg.hashsalt": name, "svg.fonttype": "none"}):
        made = Plot(Figure(figsize=size, layout="constrained"), name, title, words)
        yield made
        made.axes.set(**settings)
        made.view_box, made.drawing = inline(made.figure, name)


def inline(figure: "Figure", name: str) -> tuple[str, Markup]:
    """A figure as the view box and the inside of an SVG, with ids of its own, in the colours and the font of the page."""
    from matplotlib import rc_context

    file = io.StringIO()
    with rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        figure.savefig(
            file, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    text = file.getvalue()
    body = text[text.index("<svg") :].partition(">")[2].removesuffix("\n").removesuffix("</svg>")
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = body.replace("xlink:href", "href")
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'href="#', f'href="#{name}-', body)
    body = body.replace("url(#", f"url(#{name}-")
    body = re.sub(r"'DejaVu Sans'[^;\"]*", "var(--font)", body)
    for colour, variable in VARIABLES.items():
        body = body.replace(colour, f"var(--{variable})")
    return re.findall(r'viewBox="([^"]+)"', text)[0], Markup(body)  # matplotlib escapes the texts that it draws


def save_plots(folder: Path, plots: Iterable[Plot], formats: Collection[str]) -> list[str]:
    """Write plots as files with their title, such as ``roc.svg``, and return the names."""
    from matplotlib import rc_context

    names = []
    for made in plots if formats else ():
        with rc_context(STYLE | {"svg.hashsalt": made.name}):
            made.axes.set_title(made.title)
            for kind in formats:
                names.append(f"{made.name}.{kind}")
                style.save(made.figure, folder / names[-1])
    return names
