"""``deepfake matrix``: trained on each of some data sets, tested on each of others."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepfake_cli.commands.evaluate import evaluate
from deepfake_cli.commands.matrix_rows import Lists, named_lists, named_snapshots, plain, trainings
from deepfake_cli.commands.train import train
from deepfake_cli.config import Evaluate, Matrix, Train
from deepfake_cli.data import checks, manifest
from deepfake_cli.errors import ConfigError, DeepfakeError
from deepfake_cli.runs import recipe
from deepfake_cli.storage.files import write_text

LEVELS = ("frame", "video")
Progress = Callable[[str, int, int], None]
Follow = Callable[[Train], Callable[[Any], None]]


@dataclass(frozen=True)
class Detector:
    """A detector of a row: one of its seeds, or a snapshot; or why there is none."""

    row: str
    seed: int | None
    snapshot: Path | None
    fault: str | None = None


@dataclass
class MatrixResult:
    """What `matrix` found.

    Attributes:
        found: rows, columns, runs and cells, as in ``matrix.json``.
        files: what it wrote.
        faults: what could not be trained or tested, with the reason.
    """

    found: dict[str, Any]
    files: list[Path]
    faults: list[tuple[str, str]]


def matrix(
    settings: Matrix,
    progress: Progress = lambda what, done, total: None,
    follow: Follow = lambda run: lambda event: None,
) -> MatrixResult:
    """Train on each list, unless that is done already, test on each other list, and draw the matrix.

    Args:
        settings: see `deepfake_cli.config.Matrix`.
        progress: called with what is tested, and how many of how many frames are scored.
        follow: called with the settings of each training; what it returns hears of that training as it goes.

    Raises:
        ConfigError: no rows or no columns are asked for, or two are called the same.
        ManifestError: a list is missing.
        ModelError: a snapshot is missing.
        DeepfakeError: no cell at all could be had; the first reason.
    """
    if not settings.test or not (settings.train or settings.snapshots):
        raise ConfigError(
            "A matrix has rows and columns: --train LIST or --snapshots RUN, and --test LIST, each as often as wanted."
        )
    columns = named_lists(settings.test)
    detectors = list(_detectors(settings, follow))
    runs = [_tested(settings, detector, column, progress) for detector in detectors for column in columns]
    faults = [(f"{run['row']} on {run['column']}", run["fault"]) for run in runs if run["fault"]]
    if len(faults) == len(runs):
        raise DeepfakeError(f"No cell of the matrix could be had. {faults[0][0]}: {faults[0][1]}")
    rows = list(dict.fromkeys(detector.row for detector in detectors))
    cells = [_cell(row, column.name, runs) for row in rows for column in columns]
    found = {
        "rows": rows,
        "columns": [column.name for column in columns],
        "lists": {column.name: recipe.fingerprint(column.paths) for column in columns},
        "seeds": settings.seeds if settings.train else None,
        "cells": cells,
        "runs": runs,
    }
    return MatrixResult(found, _write(settings.output, found), faults)


def _detectors(settings: Matrix, follow: Follow) -> Iterator[Detector]:
    if settings.snapshots:
        yield from (Detector(name, None, path) for name, path in named_snapshots(settings.snapshots, settings.runs_dir))
        return
    rows = named_lists(settings.train)
    for row, runs in zip(rows, trainings(settings, rows), strict=True):
        for run in runs:
            try:
                yield Detector(row.name, run.seed, train(run, follow(run)).best)
            except DeepfakeError as error:  # one that came apart leaves the others standing
                yield Detector(row.name, run.seed, None, str(error))


def _tested(settings: Matrix, detector: Detector, column: Lists, progress: Progress) -> dict[str, Any]:
    """One detector on one column: its figures, or why there are none."""
    base = {"row": detector.row, "column": column.name, "seed": detector.seed, "snapshot": None, "seen": None}
    if detector.snapshot is None:
        return base | dict.fromkeys(LEVELS) | {"fault": detector.fault}
    part = detector.snapshot.parent.name if detector.snapshot.stem == "best" else detector.snapshot.stem
    shared = settings.model_dump(include={"gpu", "multi_gpu", "multi_gpu_force", "batch_size", "workers"})
    asked = Evaluate(
        inputs=[*column.paths, detector.snapshot],
        resamples=settings.resamples,
        seed=settings.seed,
        report=False,
        output=settings.output / "cells" / f"{plain(detector.row)}-{part}-on-{plain(column.name)}",
        **shared,
    )
    what = f"{detector.row} on {column.name}"
    try:
        figures = evaluate(asked, lambda done, total: progress(what, done, total)).metrics
    except DeepfakeError as error:
        return base | {"snapshot": str(detector.snapshot)} | dict.fromkeys(LEVELS) | {"fault": str(error)}
    own = {level: {"n": figures[level]["n"], "auc": _ends(figures[level]["auc"])} for level in LEVELS}
    seen = _seen(detector.snapshot, column)
    return base | {"snapshot": str(detector.snapshot), "seen": seen} | own | {"fault": None}


def _seen(snapshot: Path, column: Lists) -> str | None:
    """The part of training, ``train`` before ``validation``, that held groups of the column; None if neither did."""
    found = recipe.seen(snapshot, checks.groups(manifest.read_lists(column.paths)))
    return next((part for part, groups in found.items() if groups), None)


def _ends(figure: dict[str, Any]) -> dict[str, float | None]:
    return {name: figure[name] for name in ("value", "low", "high")}


def _cell(row: str, column: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of a row's only detector, or the mean and the spread of several."""
    mine = [run for run in runs if (run["row"], run["column"]) == (row, column)]
    sound = [run for run in mine if not run["fault"]]
    seen = next((run["seen"] for run in sound if run["seen"]), None)
    levels = {level: {"auc": _mean([run[level]["auc"] for run in sound])} if sound else None for level in LEVELS}
    return {"row": row, "column": column, "seen": seen, "seeds": len(sound), **levels}


def _mean(figures: list[dict[str, float | None]]) -> dict[str, float | None]:
    """Mean and sample standard deviation over seeds; one detector's own interval instead, if it is the only one."""
    values = np.array([figure["value"] for figure in figures], dtype="float64")
    if len(values) == 1:
        return figures[0] | {"spread": None}
    return {"value": float(values.mean()), "low": None, "high": None, "spread": float(values.std(ddof=1))}


def _write(output: Path, found: dict[str, Any]) -> list[Path]:
    from deepfake_cli.reporting.figures.matrix import heat_map

    files = [output / f"matrix.{suffix}" for suffix in ("json", "csv", "png")]
    write_text(files[0], json.dumps(found, indent=2) + "\n")
    keys = ("value", "low", "high", "spread")
    flat = [
        {name: cell[name] for name in ("row", "column", "seen", "seeds")}
        | {f"{level}_auc_{key}": cell[level]["auc"][key] for level in LEVELS if cell[level] for key in keys}
        for cell in found["cells"]
    ]
    columns = [f"{level}_auc_{key}" for level in LEVELS for key in keys]
    manifest.write(files[1], ["row", "column", "seen", "seeds", *columns], flat)
    heat_map(files[2], found)
    return files
