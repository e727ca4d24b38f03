"""The page, from what an evaluation found."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from deepfake_cli.metrics.names import FIGURES
from deepfake_cli.metrics.videos import video_scores
from deepfake_cli.reporting import summary, worst_faces
from deepfake_cli.storage.files import write_text

if TYPE_CHECKING:
    import pandas as pd


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

    What is not there is not shown: figures that an older ``metrics.json`` lacks, heat maps, the audit.

    Args:
        path: where to.
        metrics: as in ``metrics.json``.
        predictions: one row a frame, with the columns dataset, group, video, label (0 or 1), score and, to show faces, path and
            frame.
        heat_maps: of some frames, by path: (rows, columns) in 0..1, as from `deepfake_cli.models.grad_cam.heat_maps`.
        recipe: how to do it again: ``command``, ``seed``, ``versions``, ``snapshot`` (its hash) and ``trained``.
        audit: of the same lists, as in ``audit.json``.
        most_faces: how many of the most wrong faces are shown; 0 for none.
    """
    from deepfake_cli import __version__
    from deepfake_cli.reporting.slices import forests

    levels = _levels(metrics, predictions)
    most = most_faces if "path" in predictions.columns else 0
    wrong = worst_faces.worst(predictions, metrics["threshold"], most)
    page = _template().render(
        metrics=metrics,
        levels=[name for name in ("frame", "video", "group") if metrics.get(name)],
        terms=FIGURES,
        summary=summary.summary(metrics),
        limits=summary.limits(metrics),
        plots=_plots(levels, metrics["threshold"]),
        robustness=_robustness(metrics),
        forests=forests(metrics, predictions),
        faces=worst_faces.cards(wrong, heat_maps or {}),
        faces_wanted=most > 0,
        recipe=recipe or {},
        audit=audit or {},
        version=__version__,
    )
    write_text(path, page)


def _template() -> Any:
    import jinja2

    loader = jinja2.PackageLoader("deepfake_cli.reporting", "")
    engine = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    engine.lstrip_blocks = True
    engine.filters |= {"figure": summary.figure, "count": summary.count}
    return engine.get_template("report.html.jinja")


def _levels(metrics: Mapping[str, Any], predictions: "pd.DataFrame") -> dict[str, "pd.DataFrame"]:
    """Labels and scores of the frames and of the videos, each video's score as `metrics` had it."""
    pool = metrics.get("pool", "mean")
    options: dict[str, Any] = {} if pool == "mean" else {"pool": pool}
    return {"frame": predictions, "video": video_scores(predictions, **options)}


def _plots(levels: dict[str, "pd.DataFrame"], threshold: float) -> list[Any]:
    from deepfake_cli.reporting import svg_plots

    drawn = [svg_plots.scores(name, rows, threshold) for name, rows in levels.items()]
    drawn.append(svg_plots.reliability(levels))
    if levels["frame"]["label"].nunique() == 2:
        drawn = [svg_plots.roc(levels, threshold), svg_plots.precision_recall(levels), *drawn]
    return drawn


def _robustness(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of each change its name, its steps and their plot."""
    from deepfake_cli.reporting import svg_plots

    found: dict[str, list[Any]] = {}
    for step in metrics.get("robustness") or ():
        found.setdefault(str(step["change"]), []).append(step)
    (same,) = found.pop("none", [metrics])  # the same frames as they are; else those of the whole list
    clean = same["video"]["auc"]["value"]
    return [
        {"change": change, "steps": steps, "plot": svg_plots.robustness(number, change, steps, clean)}
        for number, (change, steps) in enumerate(found.items())
    ]
