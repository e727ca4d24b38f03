"""``deepfake evaluate --conditions``: error rates of a detector on whole files, by their condition."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from deepfake_cli.assets import STARTER
from deepfake_cli.commands.evaluate import (
    CONDITIONS,
    EvaluateResult,
    check_place,
    draw,
    earlier,
    measured,
    place,
    seen_notes,
)
from deepfake_cli.commands.report import of_evaluation
from deepfake_cli.config import Evaluate
from deepfake_cli.data import manifest
from deepfake_cli.datasets.clip import LABELS
from deepfake_cli.errors import ManifestError
from deepfake_cli.evaluation import conditions as rates
from deepfake_cli.evaluation import scored_frames
from deepfake_cli.evaluation.inputs import MODEL_SUFFIXES, inputs
from deepfake_cli.evaluation.whole_files import AS_IS, judged, labelled
from deepfake_cli.inference.detector import Detector
from deepfake_cli.media.encodings import ENCODINGS
from deepfake_cli.metrics import predictions
from deepfake_cli.reporting.folder import METRICS, PAGE, PREDICTIONS
from deepfake_cli.runs import card
from deepfake_cli.runs.files import BEST
from deepfake_cli.runs.find import newest, snapshot_of
from deepfake_cli.storage.file_sets import replaced, stale_note
from deepfake_cli.storage.files import write_text

if TYPE_CHECKING:
    import pandas as pd


def conditions(settings: Evaluate, progress: Callable[[int, int], None]) -> EvaluateResult:
    """Judge files as `predict` does, as they are and encoded anew; keep the error rates in the card of the detector.

    Args:
        settings: see `deepfake_cli.config.Evaluate`.
        progress: called with the number of files done and the total.

    Returns:
        The metrics of the files as they are, and under ``conditions`` the error rates.

    Raises:
        ManifestError: a list is invalid or of face crops, or a class is missing.
        ModelError: the detector cannot be loaded, or its card cannot be written.
    """
    sources, path = _inputs(settings)
    files = labelled(sources)
    detector = Detector.load(path, runtime=settings.runtime, threshold=settings.threshold)
    own = settings.threshold is None
    if own:
        card.check(path)
    check_place(settings, path, sources)
    table = judged(files, detector, settings.conditions_frames, progress)
    if table["score"].isna().all():
        raise ManifestError(f"No file could be judged. The first: {table['path'][0]}: {table['reason'][0]}.")
    as_is = table[table["encoding"] == AS_IS]
    found = {
        "on": f"{len(as_is):,} files of {', '.join(source.name for source in sources)}, and {len(ENCODINGS)} encodings of videos",
        "threshold": detector.threshold,
        "slices": rates.slices(table),
    }
    scored = _scored(as_is, detector, sources, path)
    columns = [name for name in predictions.COLUMNS if name in scored.frames]
    metrics = measured(settings, scored, scored.frames[columns])
    notes = metrics["notes"]
    if not own:
        notes.append("The card of the detector has no error rates for another threshold than its own: not saved.")
    metrics |= {
        "calibration": detector.traits.calibration,
        "conditions": {**found, "encodings": rates.by_encoding(table)},
    }
    with place(settings, path, sources) as output:
        metrics["snapshot"] = str(card.place(path, output) if own else path)
        names, more = earlier(output), [output / CONDITIONS]
        with replaced(output, last=METRICS, names=names) as new:
            for name, rows in ((PREDICTIONS, scored.frames), (CONDITIONS, table)):
                manifest.write_table(new / name, rows.assign(label=rows["label"].map(dict(enumerate(LABELS)))))
            write_text(new / METRICS, json.dumps(metrics, indent=2) + "\n")
            if settings.report:
                of_evaluation(settings, scored, new, output)
            figures = draw(new, metrics, scored.frames, settings.plot_formats)
            if own:
                more += card.keep(path, output, new, conditions=found)
            notes += stale_note(output, new, names, of="evaluation")
    page = output / PAGE if settings.report else None
    drawn = [output / name for name in figures]
    return EvaluateResult(metrics, notes, output / PREDICTIONS, output / METRICS, page, drawn, more)


def _inputs(settings: Evaluate) -> tuple[list[Path], Path]:
    """The labelled files, and the detector: the given one, else that of the newest run, else the starter detector."""
    paths = [snapshot_of(path, settings.runs_dir) for path in settings.inputs]
    sources = [path for path in paths if path.suffix.lower() not in MODEL_SUFFIXES]
    if not sources:
        raise ManifestError(
            "--conditions needs labelled files: a folder with real/ and fake/, or a CSV with path and label."
        )
    if len(sources) < len(paths) or newest(settings.runs_dir, BEST):
        return inputs(paths, settings.runs_dir)
    return sources, STARTER


def _scored(rows: "pd.DataFrame", detector: Detector, sources: list[Path], path: Path) -> scored_frames.Judged:
    """The files as they are, each a video of one row."""
    lacks = rows["score"].isna()
    return scored_frames.Judged(
        frames=rows[~lacks].reset_index(drop=True),
        missing=rows[lacks].assign(quality=""),
        unscored=int(lacks.sum()),
        threshold=detector.threshold,
        pool=detector.traits.pool,
        notes=seen_notes(path, rows),
        lists=[source for source in sources if source.is_file()],
        snapshot=str(path),
    )
