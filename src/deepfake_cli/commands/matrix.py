"""``deepfake matrix``: train on each list and test on each other list."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepfake_cli.commands.evaluate import evaluate
from deepfake_cli.commands.matrix_rows import Lists, named_lists, named_snapshots, plain, trainings
from deepfake_cli.commands.train import train
from deepfake_cli.config import Evaluate, Matrix, Train
from deepfake_cli.config.base import PLOT_FORMATS
from deepfake_cli.data import checks, manifest
from deepfake_cli.errors import ConfigError, DeepfakeError
from deepfake_cli.inference.runtimes.metadata import terms
from deepfake_cli.reporting.style import also
from deepfake_cli.runs import recipe
from deepfake_cli.storage.file_sets import replaced
from deepfake_cli.storage.files import write_text

LEVELS = ("frame", "video")
Progress = Callable[[str, int, int], None]
Follow = Callable[[Train], Callable[[Any], None]]


@dataclass(frozen=True)
class Detector:
    """A detector of a row: a seed or a snapshot; or the error of its training."""

    row: str
    seed: int | None
    snapshot: Path | None
    fault: str | None = None


@dataclass
class MatrixResult:
    """Result of `matrix`.

    Attributes:
        matrix: the content of ``matrix.json``: rows, columns, runs and cells.
        files: the files written.
        faults: cells that failed, with the reason.
    """

    matrix: dict[str, Any]
    files: list[Path]
    faults: list[tuple[str, str]]


def matrix(
    settings: Matrix,
    progress: Progress = lambda what, done, total: None,
    follow: Follow = lambda run: lambda event: None,
) -> MatrixResult:
    """Train on each list unless already done, test on each other list, and draw the matrix.

    Args:
        settings: see `deepfake_cli.config.Matrix`.
        progress: called with the current test, the number of frames scored and the total.
        follow: called with the settings of each training; returns a callback for its events.

    Raises:
        ConfigError: no rows or no columns are given, or two have the same name.
        ManifestError: a list is missing or invalid.
        ModelError: a snapshot is missing.
        DeepfakeError: all cells failed; with the first reason.
    """
    if not settings.test or not (settings.train or settings.snapshots):
        raise ConfigError(
            "Give rows with --train LIST or --snapshots RUN, and columns with --test LIST; repeat them as needed."
        )
    columns = named_lists(settings.test)
    for column in columns:  # before any training
        table = manifest.read_lists(column.paths)
        checks.check(table, column.name)
        checks.check_videos(table, column.name)
    detectors = list(_detectors(settings, follow))
    runs = [_tested(settings, detector, column, progress) for detector in detectors for column in columns]
    faults = [(f"{run['row']} on {run['column']}", run["fault"]) for run in runs if run["fault"]]
    if len(faults) == len(runs):
        raise DeepfakeError(f"All cells of the matrix failed. {faults[0][0]}: {faults[0][1]}")
    rows = list(dict.fromkeys(detector.row for detector in detectors))
    cells = [_cell(row, column.name, runs) for row in rows for column in columns]
    result = {
        "rows": rows,
        "columns": [column.name for column in columns],
        "lists": {column.name: recipe.fingerprint(column.paths) for column in columns},
        "seeds": settings.seeds if settings.train else None,
        "cells": cells,
        "runs": runs,
        "notes": list(dict.fromkeys(run["terms"] for run in runs if run["terms"])),
    }
    return MatrixResult(result, _write(settings.output, result, settings.plot_formats), faults)


def _detectors(settings: Matrix, follow: Follow) -> Iterator[Detector]:
    if settings.snapshots:
        yield from (Detector(name, None, path) for name, path in named_snapshots(settings.snapshots, settings.runs_dir))
        return
    rows = named_lists(settings.train)
    for row, runs in zip(rows, trainings(settings, rows), strict=True):
        for run in runs:
            try:
                yield Detector(row.name, run.seed, train(run, follow(run)).best)
            except DeepfakeError as error:  # a failed training does not stop the others
                yield Detector(row.name, run.seed, None, str(error))


def _tested(settings: Matrix, detector: Detector, column: Lists, progress: Progress) -> dict[str, Any]:
    """Test one detector on one column: metrics or the error."""
    base = {
        "row": detector.row,
        "column": column.name,
        "seed": detector.seed,
        "snapshot": None,
        "seen": None,
        "terms": "",
    }
    if detector.snapshot is None:
        return base | dict.fromkeys(LEVELS) | {"fault": detector.fault}
    what = f"{detector.row} on {column.name}"
    evaluation = _evaluation(settings, detector.row, detector.snapshot, column)
    try:
        metrics = evaluate(evaluation, lambda done, total: progress(what, done, total)).metrics
    except DeepfakeError as error:
        return base | {"snapshot": str(detector.snapshot)} | dict.fromkeys(LEVELS) | {"fault": str(error)}
    own = {level: {"n": metrics[level]["n"], "auc": _ends(metrics[level]["auc"])} for level in LEVELS}
    seen = _seen(detector.snapshot, column)
    units = {name: metrics["interval"][name] for name in ("unit", "units")}
    found = {"snapshot": str(detector.snapshot), "seen": seen, "terms": terms(metrics.get("card"))}
    return base | found | own | units | {"fault": None}


def _evaluation(settings: Matrix, row: str, snapshot: Path, column: Lists) -> Evaluate:
    """The settings of the evaluation of a cell, whose folder is named by it."""
    part = snapshot.parent.name if snapshot.stem == "best" else snapshot.stem
    return Evaluate(
        inputs=[*column.paths, snapshot],
        resamples=settings.resamples,
        seed=settings.seed,
        report=False,
        overwrite=True,
        output=settings.output / "cells" / f"{plain(row)}-{part}-on-{plain(column.name)}",
        **settings.model_dump(include={"gpu", "multi_gpu", "multi_gpu_force", "batch_size", "workers"}),
    )


def _seen(snapshot: Path, column: Lists) -> str | None:
    """Whether groups of the column were in ``train``, else in ``validation``; None if in neither."""
    seen = recipe.seen(snapshot, checks.groups(manifest.read_lists(column.paths)))
    return next((part for part, groups in seen.items() if groups), None)


def _ends(figure: dict[str, Any]) -> dict[str, float | None]:
    return {name: figure[name] for name in ("value", "low", "high")}


def _cell(row: str, column: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Metrics of a cell: of its only detector, or mean and standard deviation over seeds."""
    of_cell = [run for run in runs if (run["row"], run["column"]) == (row, column)]
    finished = [run for run in of_cell if not run["fault"]]
    seen = next((run["seen"] for run in finished if run["seen"]), None)
    levels = {level: {"auc": _mean([run[level]["auc"] for run in finished])} if finished else None for level in LEVELS}
    units = {name: finished[0][name] if finished else None for name in ("unit", "units")}
    return {"row": row, "column": column, "seen": seen, "seeds": len(finished), **units, **levels}


def _mean(figures: list[dict[str, float | None]]) -> dict[str, float | None]:
    """Mean and sample standard deviation over seeds; with one detector, its value and interval."""
    values = np.array([figure["value"] for figure in figures], dtype="float64")
    if len(values) == 1:
        return figures[0] | {"spread": None}
    return {"value": float(values.mean()), "low": None, "high": None, "spread": float(values.std(ddof=1))}


def _write(output: Path, result: dict[str, Any], formats: Sequence[str]) -> list[Path]:
    from deepfake_cli.reporting.figures.matrix import heat_map

    files = [output / f"matrix.{suffix}" for suffix in ("json", "csv", "png")]
    keys = ("value", "low", "high", "spread")
    flat = [
        {name: cell[name] for name in ("row", "column", "seen", "seeds")}
        | {f"{level}_auc_{key}": cell[level]["auc"][key] for level in LEVELS if cell[level] for key in keys}
        for cell in result["cells"]
    ]
    columns = [f"{level}_auc_{key}" for level in LEVELS for key in keys]
    with replaced(output, last=files[0].name, names=[path.name for path in also(files[2], PLOT_FORMATS)]) as new:
        write_text(new / files[0].name, json.dumps(result, indent=2) + "\n")
        manifest.write(new / files[1].name, ["row", "column", "seen", "seeds", *columns], flat)
        heat_map(new / files[2].name, result, formats)
    return [*files[:2], *also(files[2], formats)]
