"""``deepfake calibrate --method lr``: likelihood ratios of videos, and what they cost on videos of other groups."""

import csv
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepfake_cli.commands.calibrate import CalibrateResult, predictions_of
from deepfake_cli.commands.evaluate import evaluate
from deepfake_cli.config import Calibrate, Evaluate
from deepfake_cli.data import checks, manifest
from deepfake_cli.errors import ManifestError, ModelError
from deepfake_cli.evaluation.inputs import inputs
from deepfake_cli.evaluation.predictions_file import calibration_in, evaluated, is_predictions
from deepfake_cli.inference.condition import PROPERTIES, rounded
from deepfake_cli.inference.runtimes import load
from deepfake_cli.inference.runtimes.metadata import ONNX
from deepfake_cli.metrics import predictions
from deepfake_cli.metrics.calibration import Calibration
from deepfake_cli.metrics.few import FEWEST
from deepfake_cli.metrics.interval import LEVEL
from deepfake_cli.metrics.likelihood_cost import cllr, cllr_min, misleading
from deepfake_cli.metrics.likelihood_fit import bounded, fit, resampled
from deepfake_cli.metrics.likelihood_ratio import logit
from deepfake_cli.metrics.videos import video_scores
from deepfake_cli.runs import card, recipe
from deepfake_cli.storage.csv_cells import read_rows
from deepfake_cli.storage.downloads import is_there, local_path
from deepfake_cli.storage.file_sets import replaced, stale_note
from deepfake_cli.storage.files import write_text

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], None]
FOLDS = 10
RESAMPLES = 200
OUTPUT = ("calibration.json", "likelihood_ratios.csv", "tippett.png", "ece.png")
OTHERS = ("reliability.png",)  # of a calibration to probabilities


def likelihood_ratio(settings: Calibrate, progress: Progress) -> CalibrateResult:
    """Fit likelihood ratios to the scores of videos, and save them in the card of the detector.

    Args:
        settings: see `deepfake_cli.config.Calibrate`.
        progress: called with the number of frames scored and the total.

    Raises:
        ManifestError: the list or the predictions are invalid, have too few groups, or groups that were trained on.
        ModelError: there is no detector, or its card cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="deepfake-") as folder:
        detector, frames, source = _scored(settings, Path(folder), progress)
    card.check(detector)
    videos = video_scores(frames, _use(detector)[1])
    _check_groups(detector, videos)
    truth, scores, groups = videos["label"].to_numpy(), videos["score"].to_numpy(), _units(videos)
    fitted = fit(truth, scores, groups, settings.lr_model, resamples=RESAMPLES, seed=settings.seed)
    folds = min(settings.folds or FOLDS, *(len(set(groups[truth == label])) for label in (0, 1)))
    held_out = _held_out(truth, scores, groups, settings.lr_model, folds, settings.seed)
    costs = _costs(held_out, truth, groups, settings.seed)
    data = {
        "on": ", ".join(path.name for path in settings.inputs if path != detector) or source.name,
        "real": int((truth == 0).sum()),
        "fake": int((truth == 1).sum()),
        "groups": len(set(groups)),
        "ranges": _ranges(source),
    }
    found = {
        "snapshot": str(detector),
        "method": "lr",
        "model": settings.lr_model,
        "data": data,
        "folds": folds,
        "bounds": [rounded(end) for end in (min(fitted.log10), max(fitted.log10))],
        **costs,
        "misleading": misleading(held_out, truth),
        "notes": _notes(detector, videos, data, costs),
    }
    about = {"data": data, "costs": {name: rounded(costs[name]["value"]) for name in ("cllr", "cllr_min")}}
    with replaced(settings.output, last=OUTPUT[0], names=(*OUTPUT, *OTHERS)) as new:
        found["notes"] += stale_note(settings.output, new, OTHERS, of="calibration")
        _write(new, found, videos, held_out)
        kept = card.keep(detector, settings.output, new, likelihood_ratio=fitted.to_json() | about)
    return CalibrateResult(found, [*(settings.output / name for name in OUTPUT), *kept])


def _scored(settings: Calibrate, folder: Path, progress: Progress) -> tuple[Path, "pd.DataFrame", Path]:
    """The detector, the frames with the scores that `predict` gives them, and the file that may have their conditions."""
    named = [predictions_of(path) for path in settings.inputs]
    given = [path for path in named if is_predictions(path)]
    if given and (len(given) > 1 or len(named) > 2):
        raise ManifestError("Expected one predictions file, optionally with its detector; or lists and a detector.")
    if given:
        detector = evaluated(given[0], [path for path in named if path not in given], calibrated=True)
        if not is_there(detector):
            raise ModelError(f"{detector}: no such detector. Give it after the predictions.")
        frames, used, own = predictions.read(given[0]).frames, calibration_in(given[0]), _use(detector)[0]
        if used and used != own:
            raise ModelError(
                f"{given[0]}: its scores have another calibration than {detector}. Run deepfake evaluate again."
            )
        if own and not used:
            frames = frames.assign(score=Calibration.from_json(own).apply(frames["score"]))
        return detector, frames, given[0]
    shared = settings.model_dump(include=set(Evaluate.model_fields) - {"seed"})
    scoring = Evaluate(**shared | {"resamples": 0, "report": False, "output": folder})
    card.check(inputs(scoring.inputs, scoring.runs_dir)[1])
    result = evaluate(scoring, progress)
    return Path(result.metrics["snapshot"]), predictions.read(result.predictions).frames, result.predictions


def _use(detector: Path) -> tuple[dict[str, Any] | None, str]:
    """The calibration of a detector, and how it pools frames."""
    if detector.suffix.lower() == ONNX:
        traits = load(detector).traits
        return traits.calibration, traits.pool
    return recipe.calibration_of(detector), recipe.pool_of(detector) or "mean"


def _units(videos: "pd.DataFrame") -> np.ndarray:
    return (videos["dataset"].astype(str) + "/" + videos["group"].astype(str)).to_numpy()


def _check_groups(detector: Path, videos: "pd.DataFrame") -> None:
    for label, name in enumerate(("real", "fake")):
        count = len(set(_units(videos[videos["label"] == label])))
        if count < FEWEST:
            raise ManifestError(
                f"Likelihood ratios need at least {FEWEST} groups of each class; found {count} of {name} videos."
            )
    if trained := recipe.seen(detector, checks.groups(videos))["train"]:
        raise ManifestError(
            f"{len(trained)} groups were trained on, such as {trained[0]}: their ratios would be too strong. Give a list of "
            "other groups."
        )


def _held_out(
    truth: np.ndarray, scores: np.ndarray, groups: np.ndarray, model: str, folds: int, seed: int
) -> np.ndarray:
    """Log10 ratios of videos, each by a map fitted without its group, float64 (videos,)."""
    from sklearn.model_selection import StratifiedGroupKFold

    place, found = logit(scores), np.zeros(len(scores))
    for rest, part in StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(place, truth, groups):
        if len(part):
            found[part] = bounded(truth[rest], place[rest], model)(place[part])
    return found


def _costs(held_out: np.ndarray, truth: np.ndarray, groups: np.ndarray, seed: int) -> dict[str, Any]:
    """Cllr and Cllr-min with 95 % intervals over groups."""
    drawn = list(resampled(truth, groups, RESAMPLES, seed))
    found = {}
    for name, cost in (("cllr", cllr), ("cllr_min", cllr_min)):
        ends = np.quantile([cost(held_out[rows], truth[rows]) for rows in drawn], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        found[name] = {"value": cost(held_out, truth), "low": float(ends[0]), "high": float(ends[1])}
    return found


def _ranges(source: Path) -> dict[str, Any]:
    """For each property, the range of its values in a file of ``evaluate --conditions``, or its words; empty for others."""
    local = local_path(source)
    if not local.is_file():  # it was temporary, so has no conditions
        return {}
    with local.open(encoding="utf-8-sig", newline="") as file:
        if not set(PROPERTIES) - {"turn"} <= set(next(csv.reader(file), [])):  # older files have no turn
            return {}
        file.seek(0)
        rows = [row for row in read_rows(file) if row["score"]]
    found: dict[str, Any] = {}
    for name, about in PROPERTIES.items():
        values = {row[name] for row in rows if row.get(name)}
        try:
            numbers = sorted(map(float, values)) if about.edges else []
        except ValueError:
            raise ManifestError(
                f"{source}: {name} has a value that is not a number. Run deepfake evaluate again."
            ) from None
        if values:
            found[name] = [rounded(numbers[0]), rounded(numbers[-1])] if numbers else sorted(values)
    return found


def _notes(detector: Path, videos: "pd.DataFrame", data: dict[str, Any], costs: dict[str, Any]) -> list[str]:
    found = []
    if chosen := recipe.seen(detector, checks.groups(videos))["validation"]:
        found.append(
            f"The checkpoint was chosen on {len(chosen)} of {data['groups']} groups: the ratios are slightly too strong."
        )
    if costs["cllr"]["value"] >= 1:
        found.append("Cllr is 1 or more: these ratios are worth no more than none. Do not use them.")
    if not data["ranges"]:
        found.append(
            "The conditions of the videos are not known, so predict cannot say how a file differs from them: calibrate on the "
            "conditions.csv of deepfake evaluate --conditions."
        )
    return found


def _write(new: Path, found: dict[str, Any], videos: "pd.DataFrame", held_out: np.ndarray) -> None:
    from deepfake_cli.reporting.figures.likelihood import ece_plot, tippett_plot

    truth = videos["label"].to_numpy()
    data = found["data"]
    about = f"{data['real']:,} real and {data['fake']:,} fake videos of {data['groups']:,} groups; each map without its group"
    kept = videos[["dataset", "video", "group", "label", "score"]]
    manifest.write_table(new / OUTPUT[1], kept.assign(log10_lr=held_out.round(6)))
    tippett_plot(new / OUTPUT[2], held_out, truth, about)
    ece_plot(new / OUTPUT[3], held_out, truth, about)
    write_text(new / OUTPUT[0], json.dumps(found, indent=2) + "\n")
