"""The worst errors: misclassified faces furthest from the threshold, with their heat maps."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from deepfake_cli.datasets.clip import LABELS
from deepfake_cli.reporting.heat_map import overlay
from deepfake_cli.reporting.html import data_url

if TYPE_CHECKING:
    import pandas as pd

MOST = 16  # faces on the page


def worst(predictions: "pd.DataFrame", threshold: float, most: int = MOST) -> "pd.DataFrame":
    """Return misclassified frames, one per video, furthest from the threshold first.

    Args:
        predictions: one row a frame, with the columns dataset, video, label (0 or 1) and score.
        threshold: scores at or above it are predicted fake.
        most: maximum number of rows.
    """
    beyond = predictions["score"] - threshold
    wrong = predictions[(beyond >= 0) != (predictions["label"] == 1)]
    order = beyond[wrong.index].abs().sort_values(ascending=False, kind="stable").index
    return wrong.loc[order].drop_duplicates(["dataset", "video"]).head(most)


def cards(rows: "pd.DataFrame", heat_maps: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """Return the text of each frame for the page, with its face and heat map as ``data:`` URLs or None."""
    return [_card(row, heat_maps.get(row["path"])) for row in rows.to_dict("records")]


def _card(row: dict[Any, Any], heat: NDArray[Any] | None) -> dict[str, Any]:
    from deepfake_cli.media.image import read_image

    image = read_image(Path(row["path"]))
    return {
        "label": LABELS[row["label"]],
        "predicted": LABELS[1 - row["label"]],
        **{key: row.get(key, "") for key in ("score", "dataset", "group", "video", "frame", "path")},
        "face": None if image is None else data_url(image),
        "heat": None if image is None or heat is None else data_url(overlay(image, heat)),
    }
