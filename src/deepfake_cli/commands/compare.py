"""``deepfake compare``: compare the scores of two detectors on the same frames."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepfake_cli.config import Compare
from deepfake_cli.config.base import PLOT_FORMATS
from deepfake_cli.datasets.clip import LABELS
from deepfake_cli.errors import ManifestError
from deepfake_cli.evaluation import folders
from deepfake_cli.evaluation.predictions_file import notes_of, terms_of
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
        figures: plots written as files, if requested.
    """

    comparison: dict[str, Any]
    page: Path | None = None
    figures: list[Path] = field(default_factory=list)


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
    measured = paired.compared(both, videos, plan)
    files = zip((a, b), (one, other), thresholds, strict=True)
    carried = [[*file.notes, *notes_of(path, threshold)] for path, file, threshold in files]
    own = [*_terms(a, b), *_uncovered(coverage), *measured.pop("notes")]
    comparison: dict[str, Any] = {
        "a": str(a),
        "b": str(b),
        "lists": recipe.fingerprint([a, b]),
        "thresholds": list(thresholds),
        "pool": settings.pool,
        "key": key,
        "coverage": coverage,
        **measured,
        "disagree": _disagree(both, videos, settings.worst),
        "notes": [*_carried(carried[0], carried[1], own), *own],
    }
    return _written(settings.output, comparison, both, videos, settings.plot_formats)


def _written(
    output: Path | None,
    comparison: dict[str, Any],
    both: "pd.DataFrame",
    videos: "pd.DataFrame",
    formats: Sequence[str],
) -> CompareResult:
    """The result, with its files in a folder if one is given."""
    if output is None:
        return CompareResult(comparison)
    from deepfake_cli.reporting.compare_page import page
    from deepfake_cli.reporting.compare_plots import NAMES, plots
    from deepfake_cli.reporting.svg import save_plots

    drawn = plots(comparison, both, videos)
    names = [f"{name}.{kind}" for name in NAMES for kind in PLOT_FORMATS]
    with replaced(output, last="compare.json", names=names) as new:
        write_text(new / "compare.json", json.dumps(comparison, indent=2) + "\n")
        write_text(new / "compare.html", page(comparison, drawn))
        figures = save_plots(new, drawn, formats)
    return CompareResult(comparison, output / "compare.html", [output / name for name in figures])


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


def _carried(of_a: list[str], of_b: list[str], own: list[str]) -> list[str]:
    """The notes on each file, and those of its evaluation; once where they hold for both."""
    sides = {note: "A" * (note in of_a) + "B" * (note in of_b) for note in [*of_a, *of_b] if note not in own}
    return [f"{' and '.join(side)}: {note}" for note, side in sides.items()]


def _terms(a: Path, b: Path) -> list[str]:
    """What the licences of the two detectors forbid."""
    return list(dict.fromkeys(filter(None, map(terms_of, (a, b)))))


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
