"""Colours, fonts and file output shared by all plots."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.storage.files import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00")  # real, fake: from Okabe and Ito's colour-blind safe palette
ACCENT = "#6a3d9a"  # the detector, where neither real nor fake is meant
GREY, PALE, SHADE = "#5f6368", "#dadce0", "#f1f3f4"
STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "ytick.labelcolor": "black",
    "legend.frameon": False,
    "text.parse_math": False,  # a group may be called $1
}


def save(figure: "Figure", path: Path) -> None:
    """Write a figure as a PNG, whole or not at all; letters missing from the font become boxes, without a warning."""
    with whole(path) as partial, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(partial, format="png")
