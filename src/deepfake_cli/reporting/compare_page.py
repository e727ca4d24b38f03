"""``compare.html``: two detectors compared, in one file with its images."""

from pathlib import Path
from typing import Any

from deepfake_cli.media.video import read_image
from deepfake_cli.metrics.few import no_interval
from deepfake_cli.metrics.names import FIGURES
from deepfake_cli.reporting.html import data_url, render

SIDE = 96  # pixels of an image


def page(comparison: dict[str, Any]) -> str:
    """Return the HTML of a comparison, as `deepfake_cli.commands.compare.compare` makes it."""
    videos = [row | {"images": list(filter(None, map(_image, row["images"])))} for row in comparison["disagree"]]
    why = no_interval(comparison["interval"]["units"], comparison["interval"]["unit"])
    return render(
        "reporting/compare.html.jinja", comparison=comparison, figures=FIGURES, videos=videos, no_interval=why
    )


def _image(path: str) -> str | None:
    image = read_image(Path(path))
    return None if image is None else data_url(image, SIDE)
