"""Options of evaluate, report, compare, calibrate, matrix and export."""

from pathlib import Path
from typing import Literal

from pydantic import model_validator

from deepfake_cli.config.base import (
    CLUSTER,
    FIGURES,
    ON_THIS_MACHINE,
    RUNS,
    SEVERAL,
    Device,
    Step,
    argument,
    option,
)
from deepfake_cli.config.choices import CHANGES, FAMILIES, OWN, RUNTIMES, either
from deepfake_cli.config.panels import Panel

NEWEST = "[default: validation.csv and best.keras of the newest run]"
THREADS = "Number of threads that read images [default: chosen by TensorFlow]"
RESAMPLES = "Bootstrap resamples for the 95 % intervals"
INTERVAL = "Bootstrap intervals: percentile or bca"
BCA = "Plain percentiles, or bias-corrected and accelerated"
COLUMNS = "Column names in the CSV: score=prob,label=target,video=clip"
ARCHITECTURE = "Architecture, if the .h5 file holds only weights"
ITS_SIZE = "Input size of that architecture, in pixels"


class Evaluate(Device):
    """Evaluate a detector on test lists."""

    inputs: list[Path] = argument(
        [],
        f"Lists, and a snapshot {NEWEST}",
        more="The list is csv/val/validation.csv. A snapshot is a .keras, .h5 or .onnx file; .onnx needs no TensorFlow",
        remote=True,
    )
    output: Path | None = option(
        None,
        "Output folder [default: evaluations/LIST in the run]",
        more="For predictions.csv, metrics.json and report.html. By default each evaluation gets a new folder, numbered if "
        "there is one of that name; that of a detector in no run is evaluation in the current folder",
        metavar="FOLDER",
        remote=True,
        writes="folder",
    )
    overwrite: bool = option(False, "Replace another evaluation in --output")
    report: bool = option(True, "Also write report.html, with heat maps of the worst errors")
    threshold: float | None = option(
        None,
        "Scores at or above this are fake [default: from the recipe]",
        more="It was chosen on validation",
        metavar="SCORE",
        ge=0,
        le=1,
    )
    predictions: Path | None = option(
        None, "Evaluate the scores in this CSV; no model is loaded", metavar="CSV", remote=True
    )
    columns: str | None = option(None, COLUMNS, more="If they differ", metavar="NAMES")
    batch_size: int = option(16, "Batch size", ge=1)
    robustness: bool = option(
        False,
        "Also evaluate under corruptions, at five strengths each",
        more=f"Such as JPEG, H.264, blur and noise: {5 * len(CHANGES) + 1} times the work",
    )

    pool: Literal["auto", "mean", "median", "top", "confident"] = option(
        "auto",
        "Video score: auto, mean, median, top or confident",
        more="How frame scores become one; auto: as in the recipe, else mean",
        panel=Panel.SCORES,
    )
    missing: Literal["fail", "half", "skip"] = option(
        "skip",
        "Videos without a usable face: fail, half or skip",
        more="Count as errors, as score 0.5, or skip; they are listed in any case",
        panel=Panel.SCORES,
    )
    calibration: bool = option(True, "Apply the calibration in the recipe, if there is one", panel=Panel.SCORES)
    resamples: int = option(1000, RESAMPLES, panel=Panel.SCORES, ge=0, le=100_000)
    interval: Literal["percentile", "bca"] = option("percentile", INTERVAL, more=BCA, panel=Panel.SCORES)
    seed: int = option(0, "Random seed of the bootstrap", panel=Panel.SCORES, ge=0)

    robustness_changes: str | None = option(
        None,
        "Only these corruptions [default: all]",
        choices=f"{', '.join(CHANGES)}, comma-separated",
        more="Implies --robustness",
        panel=Panel.ROBUSTNESS,
        metavar="NAMES",
    )
    robustness_frames: int = option(
        8,
        "Consecutive frames to corrupt in each video; 0: all",
        more="From its middle",
        panel=Panel.ROBUSTNESS,
        ge=0,
    )
    conditions: bool = option(
        False,
        "Measure error rates by condition, on whole files",
        more="Judges files as predict does, as they are and encoded anew: by face size, sharpness, light, bits per pixel and "
        "codec. Give folders with real/ and fake/, or CSVs of files (path, label, group)",
        panel=Panel.ROBUSTNESS,
    )
    conditions_frames: int = option(16, "Number of frames of each file for --conditions", panel=Panel.ROBUSTNESS, ge=1)

    model: str | None = option(None, ARCHITECTURE, panel=Panel.MODEL, metavar="NAME")
    image_size: int | None = option(None, ITS_SIZE, panel=Panel.MODEL, metavar="PIXELS", ge=32, le=2048)
    runtime: str = option("onnx", "Runtime of an .onnx file", choices=f"{either(RUNTIMES)}; {OWN}", panel=Panel.MODEL)
    margin: float | None = option(
        None,
        "Margin of the crops [default: what the lists say]",
        more="They are cut to the margin that an .onnx file expects. If neither says it: that of the detector's run; 1.3 if it "
        "has none",
        panel=Panel.MODEL,
        metavar="MARGIN",
        ge=1,
        le=4,
    )
    runs_dir: Path = option(RUNS, "Folder of the runs", panel=Panel.MODEL, remote=True)

    workers: int | None = option(None, THREADS, panel=Panel.SPEED, metavar="N", ge=1)
    cluster: str | None = option(
        None,
        CLUSTER,
        more=f"{ON_THIS_MACHINE}; --robustness runs here",
        panel=Panel.SPEED,
        metavar="ADDRESS",
    )
    figures: str | None = option(None, FIGURES, more=SEVERAL, panel=Panel.OUTPUT, metavar="FORMATS")

    @model_validator(mode="after")
    def _one_source(self) -> "Evaluate":
        if self.columns and not self.predictions:
            raise ValueError("columns needs --predictions FILE.csv")
        if self.predictions and (self.robustness or self.robustness_changes):
            raise ValueError("robustness needs a detector: give lists and a snapshot instead of predictions")
        if self.conditions and (self.predictions or self.robustness or self.robustness_changes or self.cluster):
            raise ValueError("conditions cannot be combined with predictions, robustness or cluster")
        if self.predictions and self.inputs:
            raise ValueError("predictions and lists cannot be combined: the scores are already in the file")
        return self


class Report(Step):
    """Write an evaluation as an HTML page."""

    evaluation: Path | None = argument(
        None,
        "An evaluation [default: the newest]",
        more="Its folder, a file in it, or a run",
        remote=True,
    )
    output: Path | None = option(
        None, "Output HTML file [default: report.html in that folder]", metavar="FILE", remote=True, writes="page"
    )
    audit: Path | None = option(
        None,
        "An audit.json to include [default: one of the same lists]",
        more="It is looked for in that folder, and in the folder audit next to it",
        metavar="FILE",
        remote=True,
    )
    faces: int = option(16, "Number of worst errors to show; 0: none", ge=0, le=64)


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


class Calibrate(Device):
    """Calibrate scores to probabilities."""

    inputs: list[Path] = argument(
        [],
        "An evaluation; or lists and a snapshot",
        more="By default csv/val/validation.csv, and best.keras of the newest run",
        remote=True,
    )
    method: Literal["temperature", "isotonic", "lr"] = option(
        "temperature",
        "Method: temperature, isotonic or lr",
        more="Divide the logit by a temperature; fit an isotonic step function, which needs about 1,000 frames; or fit "
        "likelihood ratios of videos (lr), for forensic reports",
    )
    lr_model: Literal["logistic", "kde"] = option(
        "logistic", "Model of lr: logistic or kde", more="Logistic regression, or kernel densities"
    )
    folds: int | None = option(
        None, "Folds of the groups to cross-validate on [default: 5; lr: 10]", metavar="N", ge=2, le=100
    )
    seed: int = option(0, "Random seed of the folds", ge=0)
    output: Path = option(
        Path("calibration"), "Output folder for calibration.json and plots", remote=True, writes="folder"
    )
    batch_size: int = option(16, "Batch size", ge=1)
    model: str | None = option(None, ARCHITECTURE, panel=Panel.MODEL, metavar="NAME")
    image_size: int | None = option(None, ITS_SIZE, panel=Panel.MODEL, metavar="PIXELS", ge=32, le=2048)
    runs_dir: Path = option(RUNS, "Folder of the runs", panel=Panel.MODEL, remote=True)
    workers: int | None = option(None, THREADS, panel=Panel.SPEED, metavar="N", ge=1)
    figures: str | None = option(None, FIGURES, more=SEVERAL, panel=Panel.OUTPUT, metavar="FORMATS")


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


class Export(Step):
    """Export a detector to ONNX, LiteRT or SavedModel."""

    snapshot: Path | None = argument(
        None,
        "Snapshot to export, .keras or .h5; or a checkpoint for --from",
        more="By default best.keras of the newest run",
        remote=True,
    )
    family: str | None = option(
        None,
        "Import a published checkpoint of this family",
        choices=f"{either(FAMILIES)}; or a .toml file that describes it",
        metavar="FAMILY",
        flag="--from",
    )
    download: bool = option(
        False, "Download the checkpoint first", more="If it is published under a licence that allows it"
    )
    format: Literal["onnx", "litert", "tflite", "saved_model"] = option(
        "onnx",
        "Format: onnx, litert (or tflite) or saved_model",
        more="onnx for predict, litert (formerly tflite) for phones, saved_model for TensorFlow Serving",
    )
    output: Path | None = option(
        None, "Output file or folder [default: next to the snapshot]", more="A folder for saved_model", remote=True
    )
    compact: bool = option(
        False,
        "Store the weights of an ONNX file as float16",
        more="Half the size; scores differ by up to 0.005",
    )
    model: str | None = option(None, ARCHITECTURE, panel=Panel.MODEL, metavar="NAME")
    image_size: int | None = option(None, ITS_SIZE, panel=Panel.MODEL, metavar="PIXELS", ge=32, le=2048)
    runs_dir: Path = option(RUNS, "Folder of the runs", panel=Panel.MODEL, remote=True)
