"""Options of evaluate, calibrate and report."""

from pathlib import Path
from typing import Literal

from pydantic import model_validator

from deepfake_cli.config.base import RUNS, Device, Step, argument, option
from deepfake_cli.config.choices import CHANGES, OWN, RUNTIMES, either
from deepfake_cli.config.panels import Panel
from deepfake_cli.config.texts import (
    ARCHITECTURE,
    BCA,
    CLUSTER,
    COLUMNS,
    FIGURES,
    INTERVAL,
    ITS_SIZE,
    ON_THIS_MACHINE,
    RESAMPLES,
    SEVERAL,
    THREADS,
)

NEWEST = "[default: validation.csv and best.keras of the newest run]"


class Evaluate(Device):
    """Evaluate a detector on test lists."""

    inputs: list[Path] = argument(
        [],
        f"Lists, and a snapshot {NEWEST}",
        more="The list is csv/val/validation.csv. A snapshot is a .keras, .h5 or .onnx file, a run, or starter; .onnx needs no "
        "TensorFlow",
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
        more="Judges files as predict does, as they are and encoded anew: by face size, sharpness, light, turn of the "
        "head, bits per pixel and codec. Give folders with real/ and fake/, or CSVs of files (path, label, group)",
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
