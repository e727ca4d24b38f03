"""Options of compare and matrix."""

from pathlib import Path
from typing import Literal

from pydantic import model_validator

from deepfake_cli.config.base import RUNS, Device, Step, argument, option
from deepfake_cli.config.panels import Panel
from deepfake_cli.config.texts import BCA, COLUMNS, FIGURES, INTERVAL, RESAMPLES, SEVERAL, THREADS


class Compare(Step):
    """Compare two detectors on the same frames."""

    a: Path = argument(
        ...,
        "An evaluation, a run, or a CSV of labels and scores",
        more="An evaluation is its folder or a file in it; of a run, its newest evaluation is taken",
        remote=True,
    )
    b: Path = argument(..., "The same of the second detector", remote=True)
    output: Path | None = option(
        None,
        "Output folder for compare.json and compare.html [default: none]",
        metavar="FOLDER",
        remote=True,
        writes="folder",
    )
    threshold: float = option(0.5, "Scores at or above this are fake", ge=0, le=1)
    threshold_b: float | None = option(
        None, "Threshold of the second [default: as --threshold]", metavar="SCORE", ge=0, le=1
    )
    worst: int = option(10, "Number of videos to list", more="Those on which the detectors differ most", ge=0, le=1000)
    columns: str | None = option(None, COLUMNS, more="If they differ", panel=Panel.SCORES, metavar="NAMES")
    columns_b: str | None = option(
        None, "Column names in the second CSV, if they are others", panel=Panel.SCORES, metavar="NAMES"
    )
    pool: Literal["mean", "median", "top", "confident"] = option(
        "mean", "Video score: mean, median, top or confident", panel=Panel.SCORES
    )
    resamples: int = option(1000, RESAMPLES, panel=Panel.SCORES, ge=0, le=100_000)
    interval: Literal["percentile", "bca"] = option("percentile", INTERVAL, more=BCA, panel=Panel.SCORES)
    seed: int = option(0, "Random seed of the bootstrap", panel=Panel.SCORES, ge=0)
    figures: str | None = option(None, FIGURES, more=SEVERAL, panel=Panel.OUTPUT, metavar="FORMATS")

    @model_validator(mode="after")
    def _figures_need_a_folder(self) -> "Compare":
        if self.figures and self.output is None:
            raise ValueError("figures needs --output FOLDER, where they are written")
        return self


class Matrix(Device):
    """Train on each list and test on each other list: a cross-dataset matrix."""

    train: list[str] = option(
        [],
        "List to train on, repeated for each row; NAME=LIST names it",
        more="Join several with commas",
        metavar="LIST",
    )
    val: list[str] = option(
        [],
        "List to validate on, one per --train, in the same order",
        more="By default val/validation.csv next to the train folder",
        metavar="LIST",
    )
    test: list[str] = option(
        [], "List to test on, repeated for each column", more="Written as for --train", metavar="LIST"
    )
    snapshots: list[str] = option(
        [],
        "Instead of --train: a run, repeated for each row; NAME=RUN names it",
        more="Its name, its folder, a snapshot, an .onnx file or starter",
        metavar="RUN",
    )
    seeds: int = option(
        1,
        "Trainings per list",
        more="With seeds 0, 1, …; mean and standard deviation are reported",
        ge=1,
    )
    train_config: Path | None = option(
        None,
        "Config file with a [train] section [default: that of --config]",
        more="A .toml or .ini file; without any, the defaults of train",
        metavar="FILE",
    )
    output: Path = option(
        Path("matrix"),
        "Output folder",
        more="For matrix.json, matrix.csv, matrix.png and the evaluation of each cell",
        remote=True,
        writes="folder",
    )
    batch_size: int = option(16, "Batch size of the tests", ge=1)
    runs_dir: Path = option(RUNS, "Folder of the runs; new runs are named matrix-…", remote=True)
    resamples: int = option(1000, RESAMPLES, panel=Panel.SCORES, ge=0, le=100_000)
    seed: int = option(0, "Random seed of the bootstrap", panel=Panel.SCORES, ge=0)
    workers: int | None = option(None, THREADS, panel=Panel.SPEED, metavar="N", ge=1)
    figures: str | None = option(None, FIGURES, more=SEVERAL, panel=Panel.OUTPUT, metavar="FORMATS")

    @model_validator(mode="after")
    def _one_kind_of_row(self) -> "Matrix":
        if self.train and self.snapshots:
            raise ValueError(
                "train and snapshots cannot be combined: rows are either lists to train on or trained runs"
            )
        if self.val and len(self.val) != len(self.train):
            raise ValueError(
                f"val is given {len(self.val)} times and train {len(self.train)} times; give one val per train"
            )
        if self.seeds > 1 and self.snapshots:
            raise ValueError("seeds needs train: snapshots are already trained")
        return self
