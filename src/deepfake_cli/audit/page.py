"""``audit.html``: the audit in one file, with its plots and random faces."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.audit import words
from deepfake_cli.audit.panels import panels
from deepfake_cli.audit.plots import lines, ranking
from deepfake_cli.audit.verdict import NAMES
from deepfake_cli.media.image import read_image
from deepfake_cli.reporting.html import data_url, render
from deepfake_cli.reporting.svg import SIZE, Plot, plot

if TYPE_CHECKING:
    import pandas as pd

MOST = 6  # words of a property
SIDE = 1400  # pixels: longer side of the sheet of faces


def page(audit: Mapping[str, Any], images: "pd.DataFrame", videos: "pd.DataFrame", faces: Path) -> str:
    """Return the HTML of an audit.

    Args:
        audit: see `deepfake_cli.commands.audit.AuditResult`.
        images: one row per image; see `deepfake_cli.audit.plots.overview`.
        videos: one row per video.
        faces: the sheet of random faces.
    """
    sheet = read_image(faces)
    measured = list((audit["properties"] | audit["sources"]["properties"]).values())
    return render(
        "audit/page.html.jinja",
        audit=audit,
        names=NAMES,
        properties=[_row(about) for about in measured if not about["same"]],
        same=[f"{about['title']} {words.single(about)}" for about in measured if about["same"]],
        plots=plots(audit, images, videos),
        faces=None if sheet is None else data_url(sheet, SIDE),
    )


def plots(audit: Mapping[str, Any], images: "pd.DataFrame", videos: "pd.DataFrame") -> list[Plot]:
    """The panels of ``audit.png``, one by one: the ranking of the AUCs, then a panel per property."""
    shown = len(lines(audit))
    about = f"AUC of each property and of all together, with 95 % intervals. Shaded: up to {audit['limit']:g}."
    with plot("auc", "AUC from properties alone", about, (SIZE[0], 1.2 + 0.34 * max(6, shown))) as made:
        ranking(made.axes, audit)
        made.axes.set(title="", xlabel="AUC")
    drawn = [made]
    for number, draw in enumerate(panels(images, videos)):
        with plot(f"panel-{number}", "", "Blue: real, orange: fake. Dashed lines: medians.") as made:
            draw(made.axes)
            made.title = made.axes.get_title("left")
            made.axes.set_title("")
            made.axes.grid(visible=False)
            if made.axes.containers:  # bars
                made.words = "Blue: real, orange: fake. At the bars: counts."
        drawn.append(made)
    return drawn


def _row(about: Mapping[str, Any]) -> dict[str, Any]:
    """A property as text: name, real, fake, and how fakes differ."""
    if "values" in about["real"]:
        real, fake = (words.counts(about[label], MOST) for label in ("real", "fake"))
    else:
        real, fake = (words.spread(about[label]) for label in ("real", "fake"))
    alone = about["alone"] or {}
    auc = None if not alone else {"value": alone["auc"], "low": alone["low"], "high": alone["high"]}
    return {"name": words.name(about), "real": real, "fake": fake, "auc": auc, "fakes": alone.get("fakes")}
