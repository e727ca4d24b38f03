"""Options of evaluate, report, compare, calibrate, matrix and export."""

from pathlib import Path
from typing import Literal

from pydantic import model_validator

from deepfake_cli.config.base import CLUSTER, EVALUATION, FIGURES, RUNS, Device, Step, argument, option
from deepfake_cli.config.choices import CHANGES, FAMILIES, RUNTIMES, either


class Evaluate(Device):
    """Evaluate a detector on test lists."""

    inputs: list[Path] = argument(
        [],
        "Lists, and a snapshot: .keras, .h5, or .onnx, which needs no TensorFlow [default: "
        "csv/val/validation.csv, and best.keras of the newest run]",
        remote=True,
    )
    runtime: str = option("onnx", f"Runtime of an .onnx file: {either(RUNTIMES)}; or your own as module:function")
    model: str | None = option(None, "Architecture, if the .h5 file holds only weights")
    image_size: int | None = option(None, "Input size of that architecture, in pixels", ge=32, le=2048)
    batch_size: int = option(16, "Batch size", ge=1)
    workers: int | None = option(None, "Number of threads that read images [default: chosen by TensorFlow]", ge=1)
    cluster: str | None = option(None, f"{CLUSTER}; --robustness runs here")
    threshold: float | None = option(
        None, "Scores at or above this are fake [default: from the recipe, chosen on validation]", ge=0, le=1
    )
    predictions: Path | None = option(None, "Evaluate the scores in this CSV; no model is loaded", remote=True)
    columns: str | None = option(None, "Column names in the CSV, if they differ: score=prob,label=target,video=clip")
    pool: Literal["auto", "mean", "median", "top", "confident"] = option(
        "auto", "How frame scores become a video score; auto: as in the recipe, else mean"
    )
    missing: Literal["fail", "half", "skip"] = option(
        "skip",
        "Videos without a usable face: count as errors, as score 0.5, or skip; they are listed in any case",
    )
    resamples: int = option(1000, "Bootstrap resamples for the 95 % intervals", ge=0, le=100_000)
    interval: Literal["percentile", "bca"] = option(
        "percentile", "Bootstrap intervals: plain percentiles, or bias-corrected and accelerated (bca)"
    )
    seed: int = option(0, "Random seed of the bootstrap", ge=0)
    calibration: bool = option(True, "Apply the calibration in the recipe, if there is one")
    robustness: bool = option(
        False,
        f"Also evaluate under corruptions such as JPEG, H.264, blur and noise, at five strengths each: {5 * len(CHANGES) + 1} "
        "times the work",
    )
    robustness_changes: str | None = option(
        None,
        f"Only these corruptions, comma-separated: {', '.join(CHANGES)}; implies --robustness [default: all]",
    )
    robustness_frames: int = option(8, "Consecutive frames to corrupt, from the middle of each video; 0: all", ge=0)
    conditions: bool = option(
        False,
        "Judge whole files as predict does, as they are and encoded anew, and measure error rates by face size, sharpness, "
        "light, bits per pixel and codec; give folders with real/ and fake/, or CSVs of files (path, label, group)",
    )
    conditions_frames: int = option(16, "Number of frames to judge of each file", ge=1)
    runs_dir: Path = option(RUNS, "Folder of the runs", remote=True)
    output: Path = option(
        EVALUATION, "Output folder for predictions.csv and metrics.json", remote=True, writes="folder"
    )
    report: bool = option(True, "Also write report.html, with heat maps of the worst errors")
    figures: str | None = option(None, FIGURES)

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

    evaluation: Path = argument(EVALUATION, "Folder written by evaluate", remote=True)
    output: Path | None = option(
        None, "Output HTML file [default: report.html in that folder]", remote=True, writes="file"
    )
    audit: Path | None = option(
        None,
        "An audit.json to include [default: one of the same lists, in that folder or in the folder audit next to it]",
        remote=True,
    )
    faces: int = option(16, "Number of worst errors to show; 0: none", ge=0, le=64)


class Compare(Step):
    """Compare two detectors on the same frames."""

    a: Path = argument(..., "The predictions.csv of the first detector, or any CSV of labels and scores", remote=True)
    b: Path = argument(..., "The same for the second detector", remote=True)
    columns: str | None = option(None, "Column names in the CSVs, if they differ: score=prob,label=target,video=clip")
    columns_b: str | None = option(None, "Column names in the second CSV, if they differ from the first")
    threshold: float = option(0.5, "Scores at or above this are fake", ge=0, le=1)
    threshold_b: float | None = option(None, "Threshold of the second detector [default: as --threshold]", ge=0, le=1)
    pool: Literal["mean", "median", "top", "confident"] = option("mean", "How frame scores become a video score")
    resamples: int = option(1000, "Bootstrap resamples for the 95 % intervals", ge=0, le=100_000)
    interval: Literal["percentile", "bca"] = option(
        "percentile", "Bootstrap intervals: plain percentiles, or bias-corrected and accelerated (bca)"
    )
    seed: int = option(0, "Random seed of the bootstrap", ge=0)
    worst: int = option(10, "Number of videos to list on which the detectors differ most", ge=0, le=1000)
    output: Path | None = option(
        None, "Output folder for compare.json and compare.html [default: none]", remote=True, writes="folder"
    )
    figures: str | None = option(None, FIGURES)

    @model_validator(mode="after")
    def _figures_need_a_folder(self) -> "Compare":
        if self.figures and self.output is None:
            raise ValueError("figures needs --output FOLDER, where they are written")
        return self


class Calibrate(Device):
    """Calibrate scores to probabilities."""

    inputs: list[Path] = argument(
        [],
        "The predictions.csv of an evaluation; or lists and a snapshot, as for evaluate [default: "
        "csv/val/validation.csv, and best.keras of the newest run]",
        remote=True,
    )
    method: Literal["temperature", "isotonic", "lr"] = option(
        "temperature",
        "Divide the logit by a temperature; fit an isotonic step function, which needs about 1,000 frames; or fit likelihood "
        "ratios of videos (lr), for forensic reports",
    )
    lr_model: Literal["logistic", "kde"] = option(
        "logistic", "Model of the likelihood ratios: logistic regression, or kernel densities (kde)"
    )
    folds: int | None = option(
        None, "Folds of the groups to cross-validate the calibration on [default: 5; lr: 10]", ge=2, le=100
    )
    seed: int = option(0, "Random seed of the folds", ge=0)
    model: str | None = option(None, "Architecture, if the .h5 file holds only weights")
    image_size: int | None = option(None, "Input size of that architecture, in pixels", ge=32, le=2048)
    batch_size: int = option(16, "Batch size", ge=1)
    workers: int | None = option(None, "Number of threads that read images [default: chosen by TensorFlow]", ge=1)
    runs_dir: Path = option(RUNS, "Folder of the runs", remote=True)
    output: Path = option(
        Path("calibration"), "Output folder for calibration.json and plots", remote=True, writes="folder"
    )
    figures: str | None = option(None, FIGURES)


class Matrix(Device):
    """Train on each list and test on each other list: a cross-dataset matrix."""

    train: list[str] = option(
        [], "List to train on, repeated for each row; join several with commas; NAME=LIST names it"
    )
    val: list[str] = option(
        [],
        "List to validate on, one per --train, in the same order [default: val/validation.csv next to the train folder]",
    )
    test: list[str] = option([], "List to test on, repeated for each column, written as for --train")
    snapshots: list[str] = option(
        [],
        "Instead of --train: a run, its folder, a snapshot, an .onnx file or starter, repeated for each row; NAME=RUN names it",
    )
    train_config: Path | None = option(
        None, "Config file (.toml or .ini) with a [train] section [default: the defaults of train]"
    )
    seeds: int = option(1, "Trainings per list, with seeds 0, 1, …; mean and standard deviation are reported", ge=1)
    batch_size: int = option(16, "Batch size of the tests", ge=1)
    workers: int | None = option(None, "Number of threads that read images [default: chosen by TensorFlow]", ge=1)
    resamples: int = option(1000, "Bootstrap resamples for the 95 % intervals", ge=0, le=100_000)
    seed: int = option(0, "Random seed of the bootstrap", ge=0)
    runs_dir: Path = option(RUNS, "Folder of the runs; new runs are named matrix-…", remote=True)
    output: Path = option(
        Path("matrix"),
        "Output folder for matrix.json, matrix.csv, matrix.png and the evaluation of each cell",
        remote=True,
        writes="folder",
    )
    figures: str | None = option(None, FIGURES)

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
        "Snapshot to export, .keras or .h5; or a checkpoint for --from [default: best.keras of the newest run]",
        remote=True,
    )
    family: str | None = option(
        None,
        f"Import a published checkpoint: of {either(FAMILIES)}; or as the .toml file given here describes it",
        flag="--from",
    )
    download: bool = option(False, "Download the checkpoint first, if it is published under a licence that allows it")
    format: Literal["onnx", "litert", "saved_model"] = option(
        "onnx", "Format: onnx for predict, litert for phones, saved_model for TensorFlow Serving"
    )
    output: Path | None = option(
        None, "Output file, or folder for saved_model [default: next to the snapshot]", remote=True
    )
    compact: bool = option(
        False, "Store the weights of an ONNX file as float16: half the size, scores differ by up to 0.005"
    )
    model: str | None = option(None, "Architecture, if the .h5 file holds only weights")
    image_size: int | None = option(None, "Input size of that architecture, in pixels", ge=32, le=2048)
    runs_dir: Path = option(RUNS, "Folder of the runs", remote=True)
