"""Options of the commands that measure a detector or export it: evaluate, report, compare, calibrate, matrix, export."""

from pathlib import Path
from typing import Literal

from pydantic import model_validator

from deepfake_cli.config.base import CLUSTER, EVALUATION, RUNS, Device, Step, argument, option
from deepfake_cli.config.choices import CHANGES, RUNTIMES, either


class Evaluate(Device):
    """Measure a detector on a list that it has not seen."""

    inputs: list[Path] = argument(
        [],
        "Lists, and the snapshot (.keras, .h5; or .onnx, which needs no TensorFlow). [default: csv/val/validation.csv, and the "
        "newest run's best.keras]",
        remote=True,
    )
    runtime: str = option("onnx", f"What runs an .onnx file: {either(RUNTIMES)}; your own as module:function.")
    model: str | None = option(None, "Architecture, where an .h5 file holds weights only.")
    image_size: int | None = option(None, "Side of that architecture's input, in pixels.", ge=32, le=2048)
    batch_size: int = option(16, "Images a step.", ge=1)
    workers: int | None = option(None, "Threads that read images. [default: as TensorFlow sees fit]", ge=1)
    cluster: str | None = option(None, f"{CLUSTER} On its CPUs; but for --robustness.")
    threshold: float | None = option(
        None, "Scores from here on are called fake. [default: chosen on validation, from the recipe]", ge=0, le=1
    )
    predictions: Path | None = option(None, "Measure the scores in this CSV; no model is loaded.", remote=True)
    columns: str | None = option(
        None, "Its names of our columns, where they differ: score=prob,label=target,video=clip."
    )
    pool: Literal["auto", "mean", "median", "top", "confident"] = option(
        "auto", "What makes a video's score of its frames'; auto: what the recipe says, else the mean."
    )
    missing: Literal["fail", "half", "skip"] = option(
        "skip",
        "Videos without a usable face count as called wrong, score 0.5, or are left out; they are listed anyway.",
    )
    resamples: int = option(1000, "Bootstrap resamples for the 95 % intervals.", ge=0, le=100_000)
    interval: Literal["percentile", "bca"] = option(
        "percentile", "Intervals of plain percentiles, or corrected for bias and skewness."
    )
    seed: int = option(0, "Seed of the resamples.", ge=0)
    calibration: bool = option(True, "Apply the calibration in the recipe, if calibrate left one; or leave it out.")
    robustness: bool = option(
        False,
        "Measure anew after JPEG, H.264, blur, noise and the like, each at five strengths: "
        f"{5 * len(CHANGES) + 1} times the work.",
    )
    robustness_changes: str | None = option(
        None,
        f"Of these only, with commas: {', '.join(CHANGES)}; includes --robustness. [default: all]",
    )
    robustness_frames: int = option(
        8, "On so many successive frames from the middle of each video; 0: on all of them.", ge=0
    )
    runs_dir: Path = option(RUNS, "Where the runs are.", remote=True)
    output: Path = option(EVALUATION, "Where predictions.csv and metrics.json go.", remote=True)
    report: bool = option(True, "Write report.html too, with heat maps of the faces that are most wrong.")

    @model_validator(mode="after")
    def _one_source(self) -> "Evaluate":
        if self.columns and not self.predictions:
            raise ValueError("columns is for predictions: name the file with --predictions FILE.csv")
        if self.predictions and (self.robustness or self.robustness_changes):
            raise ValueError("robustness needs the detector, to score changed frames: name lists and the snapshot")
        if self.predictions and self.inputs:
            raise ValueError("predictions and lists exclude each other: the scores are in the file already")
        return self


class Report(Step):
    """Write an evaluation as one page for a browser."""

    evaluation: Path = argument(EVALUATION, "The folder that evaluate wrote.", remote=True)
    output: Path | None = option(None, "Where the page goes. [default: report.html in that folder]", remote=True)
    audit: Path | None = option(
        None,
        "The audit.json to show. [default: one in that folder, or in audit beside it, if it is of the same lists]",
        remote=True,
    )
    faces: int = option(16, "Show this many of the most wrong faces; 0 for none.", ge=0, le=64)


class Compare(Step):
    """Compare two detectors on the same frames, by their predictions."""

    a: Path = argument(..., "The first's predictions.csv, or anyone's CSV of labels and scores.", remote=True)
    b: Path = argument(..., "The second's.", remote=True)
    columns: str | None = option(
        None, "Their names of our columns, where they differ: score=prob,label=target,video=clip."
    )
    columns_b: str | None = option(None, "The second file's, where it differs from the first.")
    threshold: float = option(0.5, "Scores from here on are called fake.", ge=0, le=1)
    threshold_b: float | None = option(None, "The second's threshold. [default: the first's]", ge=0, le=1)
    pool: Literal["mean", "median", "top", "confident"] = option("mean", "What makes a video's score of its frames'.")
    resamples: int = option(1000, "Bootstrap resamples for the 95 % intervals.", ge=0, le=100_000)
    interval: Literal["percentile", "bca"] = option(
        "percentile", "Intervals of plain percentiles, or corrected for bias and skewness."
    )
    seed: int = option(0, "Seed of the resamples.", ge=0)
    worst: int = option(10, "Videos to list on which the two differ most.", ge=0, le=1000)
    output: Path | None = option(None, "Where compare.json and compare.html go. [default: nowhere]", remote=True)


class Calibrate(Device):
    """Fit a map from a detector's scores to probabilities, and keep it beside the threshold in the recipe."""

    inputs: list[Path] = argument(
        [],
        "The predictions.csv of an evaluation; or lists and the snapshot, as of evaluate. [default: csv/val/validation.csv, and "
        "the newest run's best.keras]",
        remote=True,
    )
    method: Literal["temperature", "isotonic"] = option(
        "temperature", "One number that the logit is divided by; or a rising staircase, which wants a thousand frames."
    )
    folds: int | None = option(
        None, "Also fit on all but one of so many folds of the groups, in turn, and measure on the one.", ge=2, le=100
    )
    seed: int = option(0, "Seed of the folds.", ge=0)
    model: str | None = option(None, "Architecture, where an .h5 file holds weights only.")
    image_size: int | None = option(None, "Side of that architecture's input, in pixels.", ge=32, le=2048)
    batch_size: int = option(16, "Images a step.", ge=1)
    workers: int | None = option(None, "Threads that read images. [default: as TensorFlow sees fit]", ge=1)
    runs_dir: Path = option(RUNS, "Where the runs are.", remote=True)
    output: Path = option(Path("calibration"), "Where calibration.json and reliability.png go.", remote=True)


class Matrix(Device):
    """Train on each of several lists, test on each of others: does a detector carry over to data sets it has not seen?"""

    train: list[str] = option(
        [], "A list to train on, once for each row; several as one with commas; with a name as NAME=LIST."
    )
    val: list[str] = option(
        [], "The list to validate on, for each --train in turn. [default: ../val/validation.csv beside it]"
    )
    test: list[str] = option([], "A list to test on, once for each column, as of --train.")
    snapshots: list[str] = option(
        [], "Instead of --train: a run, its folder or a snapshot, once for each row; with a name as NAME=RUN."
    )
    train_config: Path | None = option(
        None, "A .toml or .ini file whose [train] section says how to train. [default: train's defaults]"
    )
    seeds: int = option(1, "Train so many times on each list, with the seeds 0, 1, …, and give mean and spread.", ge=1)
    batch_size: int = option(16, "Images a step of the tests.", ge=1)
    workers: int | None = option(None, "Threads that read images. [default: as TensorFlow sees fit]", ge=1)
    resamples: int = option(1000, "Bootstrap resamples for the 95 % intervals.", ge=0, le=100_000)
    seed: int = option(0, "Seed of the resamples.", ge=0)
    runs_dir: Path = option(RUNS, "Where the runs are, and those that it trains go, as matrix-….", remote=True)
    output: Path = option(
        Path("matrix"), "Where matrix.json, matrix.csv, matrix.png and each cell's evaluation go.", remote=True
    )

    @model_validator(mode="after")
    def _one_kind_of_row(self) -> "Matrix":
        if self.train and self.snapshots:
            raise ValueError("train and snapshots exclude each other: the rows are lists to train on, or trained runs")
        if self.val and len(self.val) != len(self.train):
            raise ValueError(f"val is given {len(self.val)} times, and train {len(self.train)} times: one for each")
        if self.seeds > 1 and self.snapshots:
            raise ValueError("seeds is for train: snapshots are trained already")
        return self


class Export(Step):
    """Write a detector to a file that runs without TensorFlow's Python."""

    snapshot: Path | None = argument(
        None, "The snapshot, .keras or .h5. [default: the newest run's best.keras]", remote=True
    )
    format: Literal["onnx", "litert", "saved_model"] = option(
        "onnx", "ONNX, for predict; litert, for phones; saved_model, for TensorFlow Serving."
    )
    output: Path | None = option(
        None, "The file, or the folder of a saved_model. [default: beside the snapshot]", remote=True
    )
    compact: bool = option(
        False, "Store an ONNX file's weights as float16: half the size, scores differ by up to 0.005."
    )
    model: str | None = option(None, "Architecture, where an .h5 file holds weights only.")
    image_size: int | None = option(None, "Side of that architecture's input, in pixels.", ge=32, le=2048)
    runs_dir: Path = option(RUNS, "Where the runs are.", remote=True)
