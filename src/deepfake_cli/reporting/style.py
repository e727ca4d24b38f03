"""Colours, fonts and file output shared by all plots.

One colour has one meaning, on pages too: blue is real, orange is fake, purple is the detector's videos, green is a second
detector, grey is its frames and all else.
"""

import warnings
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.storage.files import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REAL, FAKE = "#0072b2", "#d55e00"  # from Okabe and Ito's colour-blind safe palette
ACCENT, SECOND = "#6a3d9a", "#1b8a5a"
INK, GREY, PALE, SHADE = "#1b1d1f", "#5a5f64", "#d5d8db", "#f1f3f4"
COLOURS = (REAL, FAKE)
LOOKS = {"frame": (GREY, "--", 1.4), "video": (ACCENT, "-", 2.2)}  # colour, line style, line width
DPI = 300
STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "text.parse_math": False,  # a group may be called $1
    "pdf.fonttype": 42,  # TrueType: journals refuse the Type 3 fonts of the default
    "savefig.dpi": DPI,
}


def save(figure: "Figure", path: Path) -> None:
    """Write a figure, whole or not at all, as its suffix says: .png, .svg, .pdf; letters missing from the font become boxes."""
    kind = path.suffix[1:]
    metadata = {"png": None, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[
        kind
    ]  # the same plot, the same bytes
    with whole(path) as partial, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(partial, format=kind, facecolor="white", metadata=metadata)


def also(path: Path, formats: Collection[str]) -> list[Path]:
    """The files that `save_all` writes: the PNG and its further formats."""
    return [path.with_suffix(f".{kind}") for kind in dict.fromkeys(["png", *formats])]


def save_all(figure: "Figure", path: Path, formats: Collection[str] = ()) -> None:
    """Write a figure as PNG, and beside it in further formats."""
    for file in also(path, formats):
        save(figure, file)
