"""``deepfake evaluate``: metrics with intervals, of a detector on lists or of scores in a CSV."""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.commands.report import of_evaluation
from deepfake_cli.commands.robustness import FILES as ROBUSTNESS
from deepfake_cli.commands.robustness import changes_of, robustness, written
from deepfake_cli.config import Evaluate
from deepfake_cli.config.base import PLOT_FORMATS
from deepfake_cli.data import checks, crops, manifest
from deepfake_cli.datasets.clip import LABELS
from deepfake_cli.errors import ModelError
from deepfake_cli.evaluation import folders, scored_frames
from deepfake_cli.evaluation.inputs import inputs
from deepfake_cli.evaluation.keras_scorer import detector_of
from deepfake_cli.evaluation.on_cluster import score_there
from deepfake_cli.metrics import predictions
from deepfake_cli.metrics.assess import assess
from deepfake_cli.reporting.folder import MAPS, METRICS, PAGE, PREDICTIONS, RECIPE
from deepfake_cli.reporting.page import PLOTS, plots
from deepfake_cli.runs import recipe
from deepfake_cli.storage.disk import check_output
from deepfake_cli.storage.downloads import is_there
from deepfake_cli.storage.file_sets import replaced, stale_note
from deepfake_cli.storage.files import write_text

if TYPE_CHECKING:
    import pandas as pd

FIGURES = tuple(f"{name}.{kind}" for name in PLOTS for kind in PLOT_FORMATS)
CONDITIONS = "conditions.csv"
FILES = (PREDICTIONS, METRICS, MAPS, RECIPE, PAGE, CONDITIONS, *FIGURES, *ROBUSTNESS)  # of one evaluation


@dataclass(repr=False)
class EvaluateResult:
    """Result of `evaluate`.

    Attributes:
        metrics: the content of ``metrics.json``.
        notes: warnings.
        predictions: path of ``predictions.csv``.
        summary: path of ``metrics.json``.
        page: path of the report, if requested.
        figures: plots written as files, if requested.
        more: further files written, with --robustness or --conditions.
    """

    metrics: dict[str, Any]
    notes: list[str]
    predictions: Path
    summary: Path
    page: Path | None = None
    figures: list[Path] = field(default_factory=list)
    more: list[Path] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """The folder of the files."""
        return self.summary.parent

    def __repr__(self) -> str:
        auc = self.metrics["video"]["auc"]
        value = "undefined" if auc["value"] is None else f"{auc['value']:.3f}"
        ends = "" if auc["low"] is None or auc["high"] is None else f" ({auc['low']:.2f}–{auc['high']:.2f})"
        return f"<EvaluateResult {self.summary}: video AUC {value}{ends}>"

    def to_df(self) -> "pd.DataFrame":
        """The metrics as a table with a row per level (frame, video, group) and metric: level, metric, value, low, high."""
        import pandas as pd

        rows = [
            {"level": level, "metric": name, **{end: figure[end] for end in ("value", "low", "high")}}
            for level in ("frame", "video", "group")
            for name, figure in (self.metrics[level] or {}).items()
            if isinstance(figure, dict) and "value" in figure
        ]
        return pd.DataFrame(rows).astype(dict.fromkeys(("value", "low", "high"), "float64"))


def evaluate(settings: Evaluate, progress: Callable[[int, int], None] = lambda done, total: None) -> EvaluateResult:
    """Evaluate a detector on lists, or the scores in a file.

    Args:
        settings: see `deepfake_cli.config.Evaluate`.
        progress: called with the number of frames scored and the total.

    Returns:
        Metrics per frame, video and group, and of slices, with 95 % intervals.

    Raises:
        ManifestError: a list is missing or unusable.
        ModelError: the snapshot is missing or cannot be read, or there are two.
        ConfigError: the output folder holds another evaluation.
    """
    if settings.conditions:
        from deepfake_cli.commands.conditions import conditions

        return conditions(settings, progress)
    wanted = changes_of(settings.robustness, settings.robustness_changes)  # first, so that errors show before the work
    lists, snapshot = (
        ([settings.predictions], None) if settings.predictions else inputs(settings.inputs, settings.runs_dir)
    )
    check_place(settings, snapshot, lists)
    if snapshot:
        scored = _from_model(settings, lists, snapshot, progress)
    else:
        scored = scored_frames.from_file(
            lists[0], columns=settings.columns, pool=settings.pool, threshold=settings.threshold
        )
    metrics = measured(settings, scored, scored.frames) | {"calibration": scored.calibrated.to_json()}
    with place(settings, snapshot, lists) as output:
        removed, figures = _write(output, settings, scored, metrics, wanted, progress)
    page = output / PAGE if settings.report else None
    more = [output / name for name in written(settings.plot_formats)] if wanted else []
    files = output / PREDICTIONS, output / METRICS, page, figures, more
    return EvaluateResult(metrics, metrics["notes"] + removed, *files)


def check_place(settings: Evaluate, snapshot: Path | None, lists: Sequence[Path]) -> None:
    """Check, before the work, that an evaluation can be written, and that it replaces no other one.

    Raises:
        ConfigError: ``--output`` holds another evaluation.
        OSError: the folder cannot be written.
    """
    if settings.output is None:
        check_output(folders.default(snapshot, lists), folder=True)
    elif not settings.overwrite:
        folders.check_free(settings.output, snapshot, lists)


def place(settings: Evaluate, snapshot: Path | None, lists: Sequence[Path]) -> AbstractContextManager[Path]:
    """The folder of an evaluation: ``--output``, or a new one, which goes if it fails."""
    return nullcontext(settings.output) if settings.output else folders.new(folders.default(snapshot, lists))


def _write(
    output: Path,
    settings: Evaluate,
    scored: scored_frames.Judged,
    metrics: dict[str, Any],
    wanted: list[str],
    progress: Callable[[int, int], None],
) -> tuple[list[str], list[Path]]:
    """Write all files of an evaluation together, in place of those of an earlier one; return notes on these, and the plots."""
    table = scored.frames.assign(label=scored.frames["label"].map(dict(enumerate(LABELS))))
    names = earlier(output)
    with replaced(output, last=METRICS, names=names) as new:
        if wanted:
            metrics["robustness"] = robustness(settings, scored, wanted, new, progress)
        manifest.write_table(new / PREDICTIONS, table[[name for name in predictions.COLUMNS if name in table]])
        write_text(new / METRICS, json.dumps(metrics, indent=2) + "\n")
        if settings.report:
            of_evaluation(settings, scored, new, output)
        figures = draw(new, metrics, scored.frames, settings.plot_formats)
        notes = stale_note(output, new, names, of="evaluation")
    return notes, [output / name for name in figures]


def draw(folder: Path, metrics: dict[str, Any], frames: "pd.DataFrame", formats: Sequence[str]) -> list[str]:
    """Write the plots of the report as files in these formats, and return the names."""
    from deepfake_cli.reporting.svg import save_plots

    return save_plots(folder, plots(metrics, frames), formats) if formats else []


def measured(settings: Evaluate, scored: scored_frames.Judged, rows: "pd.DataFrame") -> dict[str, Any]:
    """The metrics of scored rows, as in ``metrics.json``, with what they are of and all notes.

    Args:
        settings: of the bootstrap and of what is missing.
        scored: the rows and their origin.
        rows: those of `scored` with the columns to slice by.
    """
    metrics = assess(
        rows,
        scored.threshold,
        settings.resamples,
        settings.seed,
        pool=scored.pool,
        interval=settings.interval,
        missing=scored.missing,
        missing_as=settings.missing,
    )
    notes = scored.notes + metrics.pop("notes")
    head: dict[str, Any] = {"snapshot": scored.snapshot, "lists": recipe.fingerprint(scored.lists)}
    if card := getattr(scored.detector, "card", None):
        head["card"] = card  # of another project
    return {**head, **metrics, "errors": scored_frames.errors(scored), "notes": notes}


def earlier(output: Path) -> tuple[str, ...]:
    """The names of the files of an earlier evaluation; empty if there was none, since a report.html may be the user's."""
    return FILES if is_there(output / METRICS) else ()


def _from_model(
    settings: Evaluate, lists: list[Path], snapshot: Path, progress: Callable[[int, int], None]
) -> scored_frames.Judged:
    table = manifest.read_lists(lists)
    named = ", ".join(map(str, lists))
    checks.check(table, named)
    checks.check_videos(table, named)
    missing, unscored = manifest.read_missing(lists)
    cut = crops.cut_of(table, settings.margin, named)
    settings = settings.model_copy(update={"margin": cut.margin})
    detector = detector_of(settings, snapshot)
    paths = table["path"].tolist()
    scores = score_there(settings, snapshot, paths, progress) if settings.cluster else detector.scores(table, progress)
    odd = scores[~((scores >= 0) & (scores <= 1))]
    if odd.size:
        raise ModelError(
            f"{snapshot}: {odd.size:,} scores are no probabilities in 0..1, such as {odd[0]:.3g}; train again."
        )
    return scored_frames.Judged(
        frames=table.assign(score=detector.calibrated.scores(scores)),
        missing=missing,
        unscored=unscored,
        threshold=detector.threshold,
        pool=(detector.pool or "mean") if settings.pool == "auto" else settings.pool,
        notes=checks.repeated(table, named) + cut.notes + detector.notes + seen_notes(snapshot, table),
        lists=lists,
        snapshot=str(snapshot),
        detector=detector,
        calibrated=detector.calibrated,
    )


def seen_notes(snapshot: Path, table: "pd.DataFrame") -> list[str]:
    """Notes on groups that were used in training or validation."""
    groups, notes = set(checks.groups(table)), []
    trained, chosen = recipe.seen(snapshot, groups).values()
    if trained:
        notes.append(
            f"{len(trained)} of {len(groups)} groups were trained on, such as {trained[0]}: the metrics are too optimistic."
        )
    if chosen:
        notes.append(
            f"The checkpoint and the threshold were chosen on {len(chosen)} of {len(groups)} groups: the metrics are slightly "
            "optimistic. Make a separate test list with make-csv --test-ratio."
        )
    return notes
