"""``deepfake compare``: two detectors' scores of the same frames, to differences with intervals."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepfake_cli.config import Compare
from deepfake_cli.datasets.clip import LABELS
from deepfake_cli.errors import ManifestError
from deepfake_cli.metrics import paired, predictions
from deepfake_cli.metrics.videos import video_scores
from deepfake_cli.runs import recipe
from deepfake_cli.storage.files import write_text

if TYPE_CHECKING:
    import pandas as pd

KEYS = (["path"], ["dataset", "video", "frame"], ["video", "frame"], ["dataset", "video"], ["video"])
THUMBNAILS = 6  # frames of each video in the page


@dataclass
class CompareResult:
    """What `compare` found.

    Attributes:
        found: as in ``compare.json``.
        page: where the page is, if one was asked for.
    """

    found: dict[str, Any]
    page: Path | None = None


def compare(settings: Compare) -> CompareResult:
    """Compare two files of predictions on the rows that are in both.

    Args:
        settings: see `deepfake_cli.config.Compare`.

    Returns:
        Each figure of both and their difference (first less second) with a paired interval, at frame and at video level,
        DeLong's test of the AUCs, what is in one file only, and the videos on which the two differ most.

    Raises:
        ManifestError: a file can't be read, or the two share no rows, or disagree on a label.
    """
    columns = predictions.mapping(settings.columns)
    one = predictions.read(settings.a, columns)
    other = predictions.read(settings.b, predictions.mapping(settings.columns_b) or columns)
    key = _key(one, other, settings.a, settings.b)
    both, coverage = _joined(one.frames, other.frames, key, settings.a, settings.b)
    thresholds = settings.threshold, settings.threshold if settings.threshold_b is None else settings.threshold_b
    plan = paired.Plan(thresholds, settings.resamples, settings.seed, settings.interval)
    videos = _videos(both, settings.pool)
    found: dict[str, Any] = {
        "a": str(settings.a),
        "b": str(settings.b),
        "lists": recipe.fingerprint([settings.a, settings.b]),
        "thresholds": list(thresholds),
        "pool": settings.pool,
        "key": key,
        "coverage": coverage,
        **paired.compared(both, videos, plan),
        "disagree": _disagree(both, videos, settings.worst),
        "notes": one.notes + other.notes + _uncovered(coverage),
    }
    if settings.output is None:
        return CompareResult(found)
    from deepfake_cli.reporting.compare_page import page

    write_text(settings.output / "compare.json", json.dumps(found, indent=2) + "\n")
    write_text(settings.output / "compare.html", page(found))
    return CompareResult(found, settings.output / "compare.html")


def _key(one: predictions.Predictions, other: predictions.Predictions, a: Path, b: Path) -> list[str]:
    """The first columns that both files have and that tell all of their rows apart."""
    for key in KEYS:
        if all(set(key) <= set(file.own) and not file.frames.duplicated(key).any() for file in (one, other)):
            return key
    raise ManifestError(
        f"{a} and {b}: no columns say which rows belong together. Both need a path, or a video and frame, that "
        "is never the same twice; --columns and --columns-b say how theirs are called."
    )


def _joined(
    one: "pd.DataFrame", other: "pd.DataFrame", key: list[str], a: Path, b: Path
) -> tuple["pd.DataFrame", dict[str, int]]:
    """The rows of both, with the scores ``a`` and ``b``; and how many are in both and in one only."""
    right = other[[*key, "label", "score"]].rename(columns={"label": "label_b", "score": "b"})
    both = one.rename(columns={"score": "a"}).merge(right, on=key, how="inner")
    coverage = {"both": len(both), "only_a": len(one) - len(both), "only_b": len(other) - len(both)}
    if both.empty:
        raise ManifestError(
            f"{a} and {b} share no {' and '.join(key)}: {one[key].iloc[0].tolist()} in the first, "
            f"{other[key].iloc[0].tolist()} in the second."
        )
    torn = both[both["label"] != both["label_b"]]
    if len(torn):
        raise ManifestError(
            f"{len(torn):,} rows have another label in {b} than in {a}, such as {torn[key].iloc[0].tolist()}."
        )
    return both.drop(columns="label_b"), coverage


def _videos(both: "pd.DataFrame", pool: str) -> "pd.DataFrame":
    """A row a video, with the scores ``a`` and ``b``."""
    tables = [video_scores(both.assign(score=both[side]), pool) for side in "ab"]
    return tables[0].rename(columns={"score": "a"}).assign(b=tables[1]["score"])


def _uncovered(coverage: dict[str, int]) -> list[str]:
    alone = coverage["only_a"] + coverage["only_b"]
    if not alone:
        return []
    return [
        f"{coverage['only_a']:,} rows are in the first file only and {coverage['only_b']:,} in the second only: they are left "
        "out. If these are hard ones, the comparison flatters who skipped them."
    ]


def _disagree(both: "pd.DataFrame", videos: "pd.DataFrame", worst: int) -> list[dict[str, Any]]:
    """The videos on which the scores differ most, with some of their images."""
    gap = (videos["a"] - videos["b"]).to_numpy()
    rows = []
    for at in np.argsort(-np.abs(gap), kind="stable")[:worst]:
        video = videos.iloc[int(at)]
        images = both.loc[(both["dataset"] == video["dataset"]) & (both["video"] == video["video"]), "path"]
        chosen = images.iloc[np.unique(np.linspace(0, len(images) - 1, THUMBNAILS).round().astype(int))]
        rows.append(
            {
                "dataset": str(video["dataset"]),
                "video": str(video["video"]),
                "label": LABELS[int(video["label"])],
                "a": float(video["a"]),
                "b": float(video["b"]),
                "difference": float(gap[at]),
                "images": [str(path) for path in chosen if path],
            }
        )
    return rows
