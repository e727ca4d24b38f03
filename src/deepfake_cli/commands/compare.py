"""``deepfake compare``: compare the scores of two detectors on the same frames."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepfake_cli.config import Compare
from deepfake_cli.datasets.clip import LABELS
from deepfake_cli.errors import ManifestError
from deepfake_cli.evaluation import folders
from deepfake_cli.metrics import paired, predictions
from deepfake_cli.metrics.videos import video_scores
from deepfake_cli.runs import recipe
from deepfake_cli.storage.file_sets import replaced
from deepfake_cli.storage.files import write_text

if TYPE_CHECKING:
    import pandas as pd

KEYS = (["path"], ["dataset", "video", "frame"], ["video", "frame"], ["dataset", "video"], ["video"])
THUMBNAILS = 6  # frames per video on the page


@dataclass
class CompareResult:
    """Result of `compare`.

    Attributes:
        comparison: the content of ``compare.json``.
        page: the HTML page, if requested.
    """

    comparison: dict[str, Any]
    page: Path | None = None


def compare(settings: Compare) -> CompareResult:
    """Compare two prediction files on their common rows.

    Args:
        settings: see `deepfake_cli.config.Compare`.

    Returns:
        All metrics of both, their difference (first minus second) with a paired interval, per frame and per video; DeLong's
        test of the AUCs; the number of rows in one file only; and the videos with the largest differences.

    Raises:
        ManifestError: a file cannot be read, or they share no rows, or have different labels.
    """
    a, b = (folders.csv_of(path) for path in (settings.a, settings.b))
    columns = predictions.mapping(settings.columns)
    one = predictions.read(a, columns)
    other = predictions.read(b, predictions.mapping(settings.columns_b) or columns)
    key = _key(one, other, a, b)
    both, coverage = _joined(one.frames, other.frames, key, a, b)
    thresholds = settings.threshold, settings.threshold if settings.threshold_b is None else settings.threshold_b
    plan = paired.Plan(thresholds, settings.resamples, settings.seed, settings.interval)
    videos = _videos(both, settings.pool)
    comparison: dict[str, Any] = {
        "a": str(a),
        "b": str(b),
        "lists": recipe.fingerprint([a, b]),
        "thresholds": list(thresholds),
        "pool": settings.pool,
        "key": key,
        "coverage": coverage,
        **paired.compared(both, videos, plan),
        "disagree": _disagree(both, videos, settings.worst),
        "notes": one.notes + other.notes + _uncovered(coverage),
    }
    if settings.output is None:
        return CompareResult(comparison)
    from deepfake_cli.reporting.compare_page import page

    with replaced(settings.output, last="compare.json") as new:
        write_text(new / "compare.json", json.dumps(comparison, indent=2) + "\n")
        write_text(new / "compare.html", page(comparison))
    return CompareResult(comparison, settings.output / "compare.html")


def _key(one: predictions.Predictions, other: predictions.Predictions, a: Path, b: Path) -> list[str]:
    """The first of `KEYS` that both files have and whose values are unique in both."""
    for key in KEYS:
        if all(set(key) <= set(file.own) and not file.frames.duplicated(key).any() for file in (one, other)):
            return key
    raise ManifestError(
        f"{a} and {b}: cannot match the rows. Both files need a unique path, or a unique video and frame; "
        "give their column names with --columns and --columns-b."
    )


def _joined(
    one: "pd.DataFrame", other: "pd.DataFrame", key: list[str], a: Path, b: Path
) -> tuple["pd.DataFrame", dict[str, int]]:
    """Join the rows, with scores ``a`` and ``b``; and count the rows in both files and in one only."""
    right = other[[*key, "label", "score"]].rename(columns={"label": "label_b", "score": "b"})
    both = one.rename(columns={"score": "a"}).merge(right, on=key, how="inner")
    coverage = {"both": len(both), "only_a": len(one) - len(both), "only_b": len(other) - len(both)}
    if both.empty:
        raise ManifestError(
            f"{a} and {b} share no {' and '.join(key)}: {one[key].iloc[0].tolist()} in the first, "
            f"{other[key].iloc[0].tolist()} in the second."
        )
    conflicts = both[both["label"] != both["label_b"]]
    if len(conflicts):
        raise ManifestError(
            f"{len(conflicts):,} rows have different labels in {a} and {b}, such as {conflicts[key].iloc[0].tolist()}."
        )
    return both.drop(columns="label_b"), coverage


def _videos(both: "pd.DataFrame", pool: str) -> "pd.DataFrame":
    """A row per video, with scores ``a`` and ``b``."""
    tables = [video_scores(both.assign(score=both[side]), pool) for side in "ab"]
    return tables[0].rename(columns={"score": "a"}).assign(b=tables[1]["score"])


def _uncovered(coverage: dict[str, int]) -> list[str]:
    alone = coverage["only_a"] + coverage["only_b"]
    if not alone:
        return []
    return [
        f"{coverage['only_a']:,} rows are in the first file only and {coverage['only_b']:,} in the second only: they are "
        "ignored. If they are hard, the comparison favours the detector without them."
    ]


def _disagree(both: "pd.DataFrame", videos: "pd.DataFrame", worst: int) -> list[dict[str, Any]]:
    """The videos with the largest score differences, with some images."""
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
