"""``deepfake evaluate``: a detector and lists it has not seen, to figures with intervals."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli import checks, manifest, metrics, recipe
from deepfake_cli.config import Evaluate
from deepfake_cli.datasets.clip import LABELS
from deepfake_cli.errors import ManifestError, ModelError
from deepfake_cli.files import write_text
from deepfake_cli.quiet import quiet
from deepfake_cli.steps.calibrated import Calibrated
from deepfake_cli.steps.robustness import changes_of, robustness
from deepfake_cli.training.runs import BEST, newest

if TYPE_CHECKING:
    import pandas as pd

FEW = 10  # groups, below which an interval says so
MODEL_SUFFIXES = (".keras", ".h5")
DEFAULT_LIST = Path("csv/val/validation.csv")
OLD_SNAPSHOT = Path("snapshots/best.keras")  # where the old trainer's users have theirs


@dataclass
class EvaluateResult:
    """What `evaluate` found.

    Attributes:
        metrics: figures with intervals, as in ``metrics.json``.
        notes: what a reader of the figures should know.
        predictions: where the scores are.
        summary: where the figures are.
    """

    metrics: dict[str, Any]
    notes: list[str]
    predictions: Path
    summary: Path


def evaluate(settings: Evaluate, report: Callable[[int, int], None] = lambda done, total: None) -> EvaluateResult:
    """Score the lists' frames and measure the detector on them.

    Args:
        settings: see `deepfake_cli.config.Evaluate`.
        report: called with how many of how many frames are scored.

    Returns:
        Figures at frame and video level, with 95 % intervals.

    Raises:
        ManifestError: a list is missing or can't be measured on.
        ModelError: the snapshot is missing, can't be read, or two are given.
    """
    lists, snapshot = inputs(settings)
    table = manifest.read_lists(lists)
    checks.check(table, ", ".join(map(str, lists)))
    threshold, notes = _threshold(settings, snapshot)
    notes += _seen(snapshot, table)
    calibrated = Calibrated.of(settings, snapshot)  # before the work: what is wrong with it shows at once
    wanted = changes_of(settings)
    table = table.assign(score=calibrated.scores(_scores(settings, snapshot, table, report)))
    threshold = calibrated.threshold(threshold)
    found = metrics.assess(table, threshold, settings.resamples, settings.seed)
    units, unit = found["interval"]["units"], found["interval"]["unit"]
    if units < FEW:
        notes.append(
            f"Intervals from {units} {unit}{'s' * (units > 1)} mean little: they can't tell how other people would do."
        )
    found = {"snapshot": str(snapshot), "lists": recipe.fingerprint(lists), **found, "notes": notes}
    found["calibration"] = calibrated.to_json()
    if wanted:
        found["robustness"] = robustness(settings, snapshot, table, threshold, wanted, calibrated.scores, report)
    predictions, summary = settings.output / "predictions.csv", settings.output / "metrics.json"
    columns = ["path", "dataset", "group", "video", "frame", "label", "score"]
    manifest.write_table(predictions, table.assign(label=table["label"].map(dict(enumerate(LABELS))))[columns])
    write_text(summary, json.dumps(found, indent=2) + "\n")
    return EvaluateResult(found, notes, predictions, summary)


def inputs(settings: Evaluate) -> tuple[list[Path], Path]:
    """Tell lists from the snapshot by the suffix; where either is not given, its default.

    Raises:
        ModelError: two snapshots are given, or none and there is no run.
    """
    models = [path for path in settings.inputs if path.suffix in MODEL_SUFFIXES]
    lists = [path for path in settings.inputs if path.suffix not in MODEL_SUFFIXES]
    if len(models) > 1:
        raise ModelError(f"One snapshot at a time; found {', '.join(map(str, models))}.")
    run = newest(settings.runs_dir, BEST)
    snapshot = models[0] if models else run / BEST if run else OLD_SNAPSHOT
    if not snapshot.is_file():
        where = "" if models else f"no run in {settings.runs_dir} has a {BEST}, and "
        raise ModelError(f"{where}{snapshot}: no such snapshot. deepfake train writes one; deepfake runs lists them.")
    return lists or [DEFAULT_LIST], snapshot


def _threshold(settings: Evaluate, snapshot: Path) -> tuple[float, list[str]]:
    """The threshold: asked for, from the recipe, or 0.5 with a note that nobody chose it."""
    if settings.threshold is not None:
        return settings.threshold, []
    stored = recipe.threshold_of(snapshot)
    if stored is None:
        return 0.5, ["No recipe beside the snapshot gives a threshold: 0.5 is used."]
    return stored, []


def _seen(snapshot: Path, table: "pd.DataFrame") -> list[str]:
    """Notes on groups of the lists that training or validation had seen."""
    known, here = recipe.read(snapshot).get("groups", {}), set(checks.groups(table))
    trained, chosen = (sorted(here & set(known.get(part, []))) for part in ("train", "validation"))
    notes = []
    if trained:
        notes.append(
            f"{len(trained)} of {len(here)} groups were trained on, such as {trained[0]}: the figures are too good."
        )
    if chosen:
        notes.append(
            f"The checkpoint and the threshold were chosen on {len(chosen)} of {len(here)} groups: the figures are somewhat "
            "too good. make-csv --test-ratio keeps a test list apart."
        )
    return notes


def _scores(settings: Evaluate, snapshot: Path, table: "pd.DataFrame", report: Callable[[int, int], None]) -> Any:
    with quiet():
        from deepfake_cli import devices
        from deepfake_cli.models import load_model
        from deepfake_cli.training.score import scores

    plan = devices.choose(
        settings.gpu, settings.multi_gpu, settings.multi_gpu_force, devices.visible_gpus(), os.cpu_count() or 1
    )
    with devices.open_strategy(plan).scope():
        model = load_model(snapshot, settings.model, settings.image_size)
    found = scores(model, table, batch_size=settings.batch_size, workers=settings.workers, report=report)
    if not (found == found).all():
        raise ManifestError(f"{snapshot} gives scores that are no number; train it again.")
    return found
