"""Write ``report.html`` from the metrics and predictions of an evaluation."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from deepfake_cli.metrics.few import no_interval
from deepfake_cli.metrics.names import FIGURES
from deepfake_cli.metrics.videos import video_scores
from deepfake_cli.reporting import summary, worst_faces
from deepfake_cli.reporting.html import render
from deepfake_cli.storage.files import write_text

if TYPE_CHECKING:
    import pandas as pd

    from deepfake_cli.reporting.svg import Plot

PLOTS = ("roc", "precision-recall", "scores-frame", "scores-video", "reliability-curve")  # the names of `plots`


def write(
    path: Path,
    metrics: Mapping[str, Any],
    predictions: "pd.DataFrame",
    *,
    heat_maps: Mapping[str, NDArray[Any]] | None = None,
    recipe: Mapping[str, Any] | None = None,
    audit: Mapping[str, Any] | None = None,
    most_faces: int = worst_faces.MOST,
) -> None:
    """Write an evaluation as one self-contained HTML page, whole or not at all.

    Missing parts are left out: metrics that an older ``metrics.json`` lacks, heat maps, the audit.

    Args:
        path: of the page.
        metrics: as in ``metrics.json``.
        predictions: one row per frame, with the columns dataset, group, video, label (0 or 1), score and, to show faces, path
            and frame.
        heat_maps: of some frames, by path: (rows, columns) in 0..1, as from `deepfake_cli.models.grad_cam.heat_maps`.
        recipe: how to reproduce it: ``command``, ``seed``, ``versions``, ``snapshot`` (its hash) and ``trained``.
        audit: of the same lists, as in ``audit.json``.
        most_faces: maximum number of misclassified faces to show; 0 for none.
    """
    from deepfake_cli.reporting.slices import forests

    why = no_interval(metrics["interval"]["units"], metrics["interval"]["unit"])
    if why:  # an older version gave intervals all the same
        metrics = _without_intervals(metrics)
    most = most_faces if "path" in predictions.columns else 0
    wrong = worst_faces.worst(predictions, metrics["threshold"], most)
    page = render(
        "reporting/report.html.jinja",
        metrics=metrics,
        levels=[name for name in ("frame", "video", "group") if metrics.get(name)],
        figures=FIGURES,
        summary=summary.summary(metrics),
        limits=summary.limits(metrics),
        no_interval=why,
        plots=plots(metrics, predictions),
        robustness=_robustness(metrics),
        forests=forests(metrics, predictions),
        faces=worst_faces.cards(wrong, heat_maps or {}),
        faces_wanted=most > 0,
        recipe=recipe or {},
        audit=audit or {},
    )
    write_text(path, page)


def _without_intervals(part: Any) -> Any:
    """The same metrics without the ends of any interval."""
    if isinstance(part, Mapping):
        return {name: None if name in ("low", "high") else _without_intervals(value) for name, value in part.items()}
    return [_without_intervals(each) for each in part] if isinstance(part, list) else part


def plots(metrics: Mapping[str, Any], predictions: "pd.DataFrame") -> "list[Plot]":
    """Draw ROC, precision and recall, scores and reliability, of frames and videos; see `write` for the arguments."""
    from deepfake_cli.reporting import svg_plots

    levels, threshold = _levels(metrics, predictions), metrics["threshold"]
    drawn = [svg_plots.scores(name, rows, threshold) for name, rows in levels.items()]
    drawn.append(svg_plots.reliability(levels))
    if levels["frame"]["label"].nunique() == 2:
        drawn = [svg_plots.roc(levels, threshold), svg_plots.precision_recall(levels), *drawn]
    return drawn


def _levels(metrics: Mapping[str, Any], predictions: "pd.DataFrame") -> dict[str, "pd.DataFrame"]:
    """Labels and scores of frames and videos; video scores use the pooling recorded in `metrics`."""
    pool = metrics.get("pool", "mean")
    options: dict[str, Any] = {} if pool == "mean" else {"pool": pool}
    return {"frame": predictions, "video": video_scores(predictions, **options)}


def _robustness(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Name, steps and plot of each corruption."""
    from deepfake_cli.reporting import svg_plots

    by_change: dict[str, list[Any]] = {}
    for step in metrics.get("robustness") or ():
        by_change.setdefault(str(step["change"]), []).append(step)
    (same,) = by_change.pop("none", [metrics])  # the same frames without corruption; else the whole list
    clean = (same.get("video", {}).get("auc") or {}).get("value")
    return [
        {"change": change, "steps": steps, "plot": svg_plots.robustness(number, change, steps, clean)}
        for number, (change, steps) in enumerate(by_change.items())
    ]
