"""``deepfake calibrate``: fit a map from scores to probabilities, and save it in the recipe."""

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.commands.evaluate import earlier, evaluate
from deepfake_cli.config import Calibrate, Evaluate
from deepfake_cli.config.base import PLOT_FORMATS
from deepfake_cli.data import checks, manifest
from deepfake_cli.errors import ManifestError
from deepfake_cli.evaluation import folders
from deepfake_cli.evaluation.inputs import inputs
from deepfake_cli.evaluation.predictions_file import evaluated, is_predictions
from deepfake_cli.inference.runtimes.metadata import ONNX
from deepfake_cli.metrics import predictions
from deepfake_cli.metrics.calibration import Calibration, cross_validated
from deepfake_cli.metrics.few import FEWEST
from deepfake_cli.metrics.figures import figures
from deepfake_cli.metrics.names import CALIBRATION
from deepfake_cli.metrics.reliability import reliability
from deepfake_cli.metrics.videos import video_scores
from deepfake_cli.reporting.folder import PREDICTIONS
from deepfake_cli.reporting.style import also
from deepfake_cli.runs import recipe
from deepfake_cli.runs.best_onnx import traits_of
from deepfake_cli.runs.calibration import UNCALIBRATED, check_calibratable, save_calibration
from deepfake_cli.storage.file_sets import replaced, stale_note
from deepfake_cli.storage.files import write_text
from deepfake_cli.storage.folders import is_file

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], None]
Errors = dict[str, dict[str, float]]  # by level and metric
FOLDS = 5
FEW = 1000  # frames: isotonic regression overfits on fewer (Niculescu-Mizil and Caruana, ICML 2005, figure 8)


@dataclass
class CalibrateResult:
    """Result of `calibrate`.

    Attributes:
        calibration: the content of ``calibration.json``: the map, and the errors before and after.
        files: the files written.
    """

    calibration: dict[str, Any]
    files: list[Path]


def calibrate(settings: Calibrate, progress: Progress = lambda done, total: None) -> CalibrateResult:
    """Fit a calibration, plot its effect, and save it in the recipe of the snapshot.

    A map is refused if it rests on fewer than ten groups, or raises the log loss of frames of held-out groups; nothing is then
    written.

    Args:
        settings: see `deepfake_cli.config.Calibrate`.
        progress: called with the number of frames scored and the total.

    Raises:
        ManifestError: the list or the predictions are invalid, have one class only or too few groups, all scores are equal, or
            the calibration makes them worse.
        ModelError: there is no snapshot, no recipe that lists it, or the run is still training; or an exported detector is
            calibrated already.
    """
    if settings.method == "lr":
        from deepfake_cli.commands.likelihood_ratio import likelihood_ratio

        return likelihood_ratio(settings, progress)
    with tempfile.TemporaryDirectory(prefix="deepfake-") as folder:
        snapshot, table, notes = _scored(settings, Path(folder), progress)
        fitted, calibration = _fitted(settings, snapshot, table, notes)
        files = _write(settings, calibration, list(Path(folder).iterdir()))
    files += save_calibration(snapshot, fitted, calibration["threshold"])
    return CalibrateResult(calibration, files)


def _fitted(
    settings: Calibrate, snapshot: Path, table: "pd.DataFrame", notes: list[str]
) -> tuple[Calibration, dict[str, Any]]:
    """Fit a map that makes the scores better; return it with the content of ``calibration.json``."""
    fitted = Calibration.fit(table["label"], table["score"], settings.method)
    folds = settings.folds or FOLDS
    after = table.assign(score=fitted.apply(table["score"]))
    before, held_out = _errors(table), _errors(cross_validated(table, settings.method, folds, settings.seed))
    _check_better(before, held_out, settings)
    calibration: dict[str, Any] = {
        "snapshot": str(snapshot),
        **fitted.to_json(),
        "frames": len(table),
        "fake": int(table["label"].sum()),
        "groups": len(checks.groups(table)),
        "before": before,
        "after": _errors(after),
        "cross_validated": held_out,
        "folds": folds,
        "threshold": _threshold(snapshot, fitted, table, after),
        "reliability": {
            when: reliability(rows["label"], rows["score"]) for when, rows in (("before", table), ("after", after))
        },
    }
    calibration["notes"] = [*notes, *filter(None, [fitted.note()]), *_notes(snapshot, table, calibration)]
    return fitted, calibration


def _write(settings: Calibrate, calibration: dict[str, Any], evaluation: list[Path]) -> list[Path]:
    """Write ``calibration.json`` and its plot, with the files of the evaluation if there was one; return the first two."""
    summary, plot = (settings.output / name for name in ("calibration.json", "reliability.png"))
    names = (*(earlier(settings.output) if evaluation else ()), *(path.name for path in also(plot, PLOT_FORMATS)))
    with replaced(settings.output, last=summary.name, names=names) as new:
        for path in evaluation:
            shutil.copyfile(path, new / path.name)
        calibration["notes"] += stale_note(settings.output, new, names, of="evaluation")
        _draw(new / plot.name, calibration, settings.plot_formats)
        write_text(new / summary.name, json.dumps(calibration, indent=2) + "\n")
    return [summary, *also(plot, settings.plot_formats)]


def _scored(settings: Calibrate, folder: Path, progress: Progress) -> tuple[Path, "pd.DataFrame", list[str]]:
    """The snapshot, frames with uncalibrated scores, and notes: of predictions, or of scored lists, with files in `folder`."""
    named = [predictions_of(path) for path in settings.inputs]
    given = [path for path in named if is_predictions(path)]
    if given and (len(given) > 1 or len(named) > 2):
        raise ManifestError("Expected one predictions.csv, optionally with its snapshot; or lists and a snapshot.")
    if given:
        snapshot = evaluated(given[0], [path for path in named if path not in given])
        check_calibratable(snapshot)
        table = predictions.read(given[0])
        _check_groups(table.frames, str(given[0]))
        return snapshot, table.frames, table.notes
    shared = settings.model_dump(include=set(Evaluate.model_fields) - {"seed"})
    scoring = Evaluate(**shared | {"calibration": False, "resamples": 0, "report": False, "output": folder})
    lists, snapshot = inputs(scoring.inputs, scoring.runs_dir)
    check_calibratable(snapshot)
    listed, name = manifest.read_lists(lists), ", ".join(map(str, lists))
    _check_groups(listed, name)  # before the work
    result = evaluate(scoring, progress)
    frames = predictions.read(result.predictions).frames
    return Path(result.metrics["snapshot"]), frames, checks.repeated(listed, name)


def _check_groups(table: "pd.DataFrame", name: str) -> None:
    """Refuse to fit on fewer groups than an interval needs: the map would be that of these people."""
    found = len(checks.groups(table))
    if found < FEWEST:
        raise ManifestError(
            f"{name}: {found} group{'s' * (found != 1)}, at least {FEWEST} are needed to calibrate. Add videos of other people "
            "to the list, or use the scores without calibration."
        )


def _check_better(before: Errors, held_out: Errors, settings: Calibrate) -> None:
    """Refuse a map that raises the log loss, which it is fitted to, of the frames of held-out groups."""
    was, now = (errors["frame"]["log_loss"] for errors in (before, held_out))
    if now > was:
        other = " Try --method temperature, or a" if settings.method == "isotonic" else " Use a"
        raise ManifestError(
            f"Calibration ({settings.method}) makes validation worse, so nothing was saved: the log loss of held-out groups "
            f"rises from {was:.4f} to {now:.4f}.{other} longer validation list, or the scores without calibration."
        )


def predictions_of(path: Path) -> Path:
    """The predictions of an evaluation that is given as its folder or another of its files; another path as it is."""
    return folders.csv_of(path) if path.name in folders.FILES or is_file(path / PREDICTIONS) else path


def _errors(table: "pd.DataFrame") -> Errors:
    videos = video_scores(table)
    metrics = {name: figures(rows["label"], rows["score"], 0.5) for name, rows in (("frame", table), ("video", videos))}
    return {name: {error: values[error] for error in CALIBRATION} for name, values in metrics.items()}


def _threshold(
    snapshot: Path, fitted: Calibration, table: "pd.DataFrame", after: "pd.DataFrame"
) -> dict[str, Any] | None:
    """The threshold before and after calibration, and the number of changed predictions; None if the recipe has none."""
    traits = traits_of(snapshot) if snapshot.suffix.lower() == ONNX else None
    before = traits.threshold if traits else recipe.threshold_of(snapshot)
    if before is None:
        return None
    mapped = float(fitted.apply([before])[0])
    levels = {"frames": (table, after), "videos": (video_scores(table), video_scores(after))}
    otherwise = {
        name: int(((old["score"] >= before) != (new["score"] >= mapped)).sum()) for name, (old, new) in levels.items()
    }
    return {"before": before, "after": mapped, "called_otherwise": otherwise}


def _notes(snapshot: Path, table: "pd.DataFrame", calibration: dict[str, Any]) -> list[str]:
    trained, notes = recipe.seen(snapshot, checks.groups(table))["train"], []
    traits = traits_of(snapshot) if snapshot.suffix.lower() == ONNX else None
    kept = vars(traits) if traits else recipe.read(snapshot)["snapshots"][snapshot.name]
    if dropped := [words for name, words in UNCALIBRATED.items() if kept.get(name)]:
        notes.append(f"Removed, since they were of other scores: {' and '.join(dropped)}. Measure them again.")
    if trained:
        notes.append(
            f"{len(trained)} of {calibration['groups']} groups were trained on, such as {trained[0]}. Scores on training data "
            "are overconfident: calibrate on the validation list."
        )
    was, now = (calibration[when]["video"]["log_loss"] for when in ("before", "cross_validated"))
    if now > was:
        notes.append(
            f"The log loss of videos rises from {was:.4f} to {now:.4f} on held-out groups: the map is fitted to frames, and the "
            "mean of a video's frames is then too cautious."
        )
    if calibration["method"] == "isotonic" and len(table) < FEW:
        notes.append(f"Isotonic regression overfits on {len(table):,} frames: use temperature, which needs fewer.")
    return notes


def _draw(path: Path, calibration: dict[str, Any], formats: Sequence[str]) -> None:
    from deepfake_cli.reporting.figures.reliability import reliability_diagram

    method = f"temperature {calibration['temperature']:.3g}" if calibration["method"] == "temperature" else "isotonic"
    titles = {"before": "uncalibrated", "after": f"calibrated: {method}"}
    panels = [
        {"title": title, "bins": calibration["reliability"][when], "errors": calibration[when]["frame"]}
        for when, title in titles.items()
    ]
    reliability_diagram(
        path,
        panels,
        f"{calibration['frames']:,} frames, {calibration['groups']:,} group{'s' * (calibration['groups'] != 1)}; "
        "fitted on the same frames",
        formats,
    )
