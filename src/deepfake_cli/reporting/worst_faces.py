"""The faces that a detector is most wrong about, with what spoke for its call."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deepfake_cli.datasets.clip import LABELS
from deepfake_cli.reporting.heat_map import overlay

if TYPE_CHECKING:
    import pandas as pd

MOST = 16  # faces in a report
SIDE = 176  # of a face on the page, in pixels
QUALITY = 85  # of its JPEG


def worst(predictions: "pd.DataFrame", threshold: float, most: int = MOST) -> "pd.DataFrame":
    """Return the frames that are furthest on the wrong side of the threshold, one a video, the worst first.

    Args:
        predictions: one row a frame, with the columns dataset, video, label (0 or 1) and score.
        threshold: a score of at least this is called fake.
        most: how many rows to return at most; fewer if fewer videos have a frame that is called wrong.
    """
    beyond = predictions["score"] - threshold
    wrong = predictions[(beyond >= 0) != (predictions["label"] == 1)]
    order = beyond[wrong.index].abs().sort_values(ascending=False, kind="stable").index
    return wrong.loc[order].drop_duplicates(["dataset", "video"]).head(most)


def cards(rows: "pd.DataFrame", heat_maps: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """Return what the page shows of each frame: its words, and its face and heat map as ``data:`` addresses or None."""
    return [_card(row, heat_maps.get(row["path"])) for row in rows.to_dict("records")]


def _card(row: dict[Any, Any], heat: NDArray[Any] | None) -> dict[str, Any]:
    from deepfake_cli.media.video import read_image

    image = read_image(Path(row["path"]))
    return {
        "label": LABELS[row["label"]],
        "called": LABELS[1 - row["label"]],
        **{key: row.get(key, "") for key in ("score", "dataset", "group", "video", "frame", "path")},
        "face": None if image is None else jpeg(image),
        "heat": None if image is None or heat is None else jpeg(overlay(image, heat)),
    }


def jpeg(image: NDArray[np.uint8]) -> str:
    """An image of at most `SIDE` pixels as a ``data:`` address."""
    import cv2

    scale = min(1.0, SIDE / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()
