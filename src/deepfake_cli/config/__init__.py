"""Every option is stated here, once: type, default, bounds and help, in the model of its step.

The command line, the keys of ``--config FILE``, the JSON schema and the option table of the docs derive from these models.
Precedence: flag, then config file, then default.
"""

import configparser
import json
import tomllib
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo

from deepfake_cli.errors import ConfigError
from deepfake_cli.storage.remote import is_remote, url

IMAGES, LISTS = Path("img"), Path("csv")  # what split writes, make-csv reads
RUNS = Path("runs")  # what train writes, evaluate and runs read
EVALUATION = Path("evaluation")  # what evaluate writes, report reads
CLUSTER = "Run on the Ray cluster at this HOST:PORT or ray://HOST:PORT, or on the one of this machine: auto."
BY = ("person", "pair", "video")  # what groups are formed over, the strictest first


def option(default: Any, help: str, *, flag: str | None = None, remote: bool = False, **bounds: Any) -> Any:
    """A pydantic field that is an option; `flag` replaces ``--the-name``; `remote`: it may be ``s3://…``."""
    extra: dict[str, Any] = {name: value for name, value in (("flag", flag), ("remote", remote)) if value}
    return Field(default, description=help, json_schema_extra=extra or None, **bounds)


def argument(default: Any, help: str, *, remote: bool = False) -> Any:
    """A pydantic field that is a positional argument on the command line, and a key like any other in a config file."""
    return Field(default, description=help, json_schema_extra={"positional": True, "remote": remote})


def _may_be_remote(field: FieldInfo) -> bool:
    return isinstance(field.json_schema_extra, dict) and bool(field.json_schema_extra.get("remote"))


class Step(BaseModel):
    """Settings of one step: frozen, and no key that is not stated."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=(), defer_build=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _from_text(cls, value: Any, info: Any) -> Any:
        """An ini file knows only text: nothing is None, and a list has one item a line."""
        field = cls.model_fields[info.field_name]
        if isinstance(value, bool) and bool not in (field.annotation, *get_args(field.annotation)):
            raise ValueError("allowed is no true or false")
        if value == "" and type(None) in get_args(field.annotation):
            return None
        if isinstance(value, str) and str(field.annotation).startswith("list"):
            return [line.strip() for line in value.splitlines() if line.strip()]
        return value

    @model_validator(mode="after")
    def _on_a_disk(self) -> "Step":
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            for path in value if isinstance(value, list) else [value]:
                if isinstance(path, Path) and is_remote(path) and not _may_be_remote(field):
                    raise ValueError(f"{name} {url(path)} has to be on a disk of this machine, or one that it shares")
        return self


class Device(Step):
    """Where a model runs."""

    gpu: str | None = option(
        None, "GPUs to use, by index: 0 or 0,1; 'cpu' for none. [default: the first, if there is one]"
    )
    multi_gpu: int = option(0, "Use this many GPUs at once; 0 leaves the choice to --gpu.", ge=0)
    multi_gpu_force: bool = option(
        False, "With fewer GPUs than --multi-gpu asks for, run that many replicas on the CPU."
    )


class Split(Step):
    """Cut videos into frames or face crops."""

    adapter: str = argument(..., "The data set's layout, see deepfake datasets; or your own as module:function.")
    viddir: Path = option(..., "The data set's folder, as downloaded.", remote=True)
    imgdir: Path = option(IMAGES, "Where the frames and manifest.csv go.", remote=True)
    realdir: Path | None = option(
        None, "Folder of the real videos where they come apart from the fakes (timit: VidTIMIT).", remote=True
    )
    crop: Literal["face", "none"] = option("face", "Cut out the tracked face, or keep whole frames.")
    faces: Literal["largest", "all"] = option(
        "largest", "Of several people keep the largest track, or all, each in a folder of its own."
    )
    boxes: bool = option(True, "With --crop none, find the face all the same and list its box; or look for none.")
    margin: float = option(1.3, "Side of the square crop, in sides of the face box.", ge=1, le=4)
    size: int = option(256, "Side of the face crop, in pixels.", ge=16, le=4096)
    align: bool = option(False, "Turn each crop until the eyes are level; needs a detector that finds eyes.")
    detector: str = option("rfb320", "Face detector, or your own as module:function.")
    min_score: float = option(0.7, "Least detector score that counts as a face.", gt=0, lt=1)
    detect_every: int = option(
        2,
        "Detect faces on every N-th frame of the video; boxes between are interpolated where a face barely moves.",
        ge=1,
        le=25,
    )
    max_gap: int = option(
        12, "Bridge gaps of up to this many source frames in which a face is lost; 0: none.", ge=0, le=50
    )
    every: int = option(1, "Keep every N-th frame.", ge=1)
    max_frames: int | None = option(None, "Keep at most this many frames a video, evenly spaced.", ge=1)
    reencode: int | None = option(
        None,
        "Pass every video through H.264 at this CRF first, so that reals and fakes of different codecs leak less; "
        "as ffmpeg's libx264: 0 near lossless, 23 usual, 40 strong.",
        ge=0,
        le=51,
    )
    format: Literal["jpg", "png"] = option("jpg", "Format of the written frames.")
    quality: int = option(95, "JPEG quality.", ge=1, le=100)
    pack: bool | None = option(
        None,
        "Put the images of each video into one tar, or into a folder. [default: into a folder, but where --imgdir is an object "
        "store, which is slow at many small files]",
        flag="--pack/--no-pack",
    )
    workers: int | None = option(None, "Processes that read videos. [default: the cores]", ge=1, le=256)
    cluster: str | None = option(None, CLUSTER)
    overwrite: bool = option(False, "Redo videos that are finished.")
    strict: bool = option(False, "Exit 1 if any video could not be read.")

    @model_validator(mode="after")
    def _cuts_what_it_finds(self) -> "Split":
        if self.crop == "face" and not self.boxes:
            raise ValueError("crop face cuts along boxes: leave --no-boxes out, or give --crop none")
        if self.crop == "none" and (self.faces == "all" or self.align):
            raise ValueError(
                f"{'align' if self.align else 'faces all'} is for face crops: crop none keeps whole frames"
            )
        return self

    @model_validator(mode="after")
    def _packs_what_is_far(self) -> "Split":
        if self.pack is False and is_remote(self.imgdir):
            raise ValueError(f"{url(self.imgdir)} takes tars only: leave --no-pack out")
        return self

    @property
    def packs(self) -> bool:
        """Whether each video's images go into one tar."""
        return is_remote(self.imgdir) if self.pack is None else self.pack


class MakeCsv(Step):
    """Write training, validation and test lists that share no person and no source video; or check them."""

    adapter: str | None = argument(
        None, "The data set's layout, see deepfake datasets; or your own as module:function."
    )
    imgdir: Path = option(
        IMAGES, "Folder of frames: with a manifest.csv from split, or a tree that another tool made.", remote=True
    )
    csvdir: Path = option(
        LISTS, "Where train/train.csv, val/validation.csv, test/test.csv and protocol.json go.", remote=True
    )
    protocol: Literal["ratio", "official"] = option(
        "ratio", "Divide by the ratios, or as the data set's published split does, where it has one."
    )
    by: Literal["person", "pair", "video"] | None = option(
        None,
        "What two parts may not share: a person, a pair of target and donor, a source video. [default: the strictest]",
    )
    ratio: float = option(0.8, "Share of the groups to train on.", gt=0, lt=1)
    test_ratio: float = option(0.0, "Share of the groups to test on; the rest validates.", ge=0, lt=1)
    folds: int | None = option(
        None,
        "Instead of one division by --ratio, this many: fold1/ to foldK/, each validated on other groups.",
        ge=2,
        le=1000,
    )
    seed: int = option(0, "Seed of the draw: the same seed gives the same lists.", ge=0)
    check: bool = option(
        False, "Write nothing; check the lists in --csvdir against their protocol.json and against each other."
    )
    check_frames: int = option(
        8, "Frames of each video that --check compares with other parts by their look; 0: no image is read.", ge=0
    )

    @model_validator(mode="after")
    def _fits_together(self) -> "MakeCsv":
        if self.ratio + self.test_ratio >= 1 and not self.folds:
            raise ValueError(f"ratio {self.ratio} and test_ratio {self.test_ratio} leave nothing to validate on")
        if self.folds and self.protocol == "official":
            raise ValueError("folds and protocol official exclude each other")
        return self


class Train(Device):
    """Train a detector."""

    train_csv: list[Path] = argument([Path("csv/train/train.csv")], "Lists to train on.", remote=True)
    val_annotations: Path = option(Path("csv/val/validation.csv"), "List to validate on.", remote=True)
    model: str = option("resnet50", "Architecture; your own as module:function.")
    resume: str | None = option(
        None,
        "Go on with this run, with its own settings, from where it stopped: its name, its folder, or last for the newest.",
    )
    resume_if_there: bool = option(
        False,
        "Go on with the run that --run names if it has begun, begin it otherwise: for launchers that repeat a command.",
    )
    snapshot: Path | None = option(
        None,
        "Start a run from this snapshot, at its next epoch, with its model, image size, frozen layers and optimizer.",
        remote=True,
    )
    imagenet_weights: bool = option(
        True, "Start from ImageNet weights, or from scratch.", flag="--imagenet-weights/--no-weights"
    )
    weights: Path | None = option(None, "Start from the weights in this file.", remote=True)
    tune: Literal["all", "head", "norm"] | None = option(
        None,
        "Train all of the model; its head, the last layer; or its normalisation layers and head. [default: all; head with "
        "--freeze-backbone]",
    )
    freeze_backbone: bool = option(False, "Train the head only: short for --tune head.")
    unfreeze_epoch: int = option(
        0, "Train all of the model after so many epochs of --tune head or norm; 0: never.", ge=0
    )
    image_size: int | None = option(
        None, "Side of the model's input, in pixels. [default: the architecture's own]", ge=32, le=2048
    )
    batch_size: int = option(16, "Images a step, over all replicas.", ge=1)
    epochs: int = option(25, "Epochs to train.", ge=1)
    steps: int | None = option(None, "Steps an epoch. [default: once through the list]", ge=1)
    initial_epoch: int = option(0, "Count epochs from here; a snapshot whose epoch is known sets it itself.", ge=0)
    lr: float = option(1e-4, "Learning rate of Adam.", gt=0, flag="--lr,--learning-rate")
    schedule: Literal["plateau", "cosine"] = option(
        "plateau", "Lower the learning rate where the validation loss no longer falls, or along a cosine to 0."
    )
    warmup: float = option(0, "Epochs over which the learning rate rises from 0, also in part.", ge=0)
    reduce_lr_patience: int = option(
        2, "Epochs without a lower validation loss before the learning rate falls; 0: never.", ge=0
    )
    reduce_lr_factor: float = option(0.1, "Factor by which it falls.", gt=0, lt=1)
    forgery: str | None = option(
        None,
        "Forge some reals of each batch, which makes them fakes: face_warp, self_blend, cross_blend, with commas; your own as "
        "module:function.",
    )
    real_only: bool = option(False, "Leave the lists' fakes out: all fakes, to validate on too, are forged ones.")
    forgery_share: float | None = option(
        None, "Share of the reals that is forged. [default: a third; with --real-only, a half]", gt=0, le=1
    )
    forgery_strength: float = option(1.0, "Strength of the forgeries; 2 is plain to any eye.", gt=0, le=4)
    margin: float = option(1.3, "Margin that split cut the crops with: says where in them the face is.", ge=1, le=4)
    weight_decay: float = option(0, "Weight decay, times the learning rate, a step: AdamW; 0: Adam.", ge=0, lt=1)
    clip_norm: float = option(1.0, "Scale a step's gradient down to this norm; 0: never.", ge=0)
    label_smoothing: float = option(0, "Train towards this much less than certainty.", ge=0, lt=1)
    ema: float = option(
        0,
        "Validate and keep a moving average of the weights that forgets this slowly, such as 0.99; 0: the last.",
        ge=0,
        lt=1,
    )
    early_stopping: int = option(0, "Stop after this many epochs without a higher validation AUC; 0: never.", ge=0)
    random_transform: bool = option(True, "Flip, and vary brightness and contrast, at random.")
    degradation: str | None = option(
        None,
        "More that is done to both classes, after the forgery: jpeg, blur, noise, rescale, colour, occlude, with commas; your "
        "own as module:function.",
    )
    degradation_strength: float = option(1.0, "Strength of all that is done to both classes.", gt=0, le=4)
    balance: bool = option(True, "Draw reals and fakes equally often.")
    seed: int = option(0, "Seed of weights, order and transforms.", ge=0)
    workers: int | None = option(None, "Threads that read images. [default: as TensorFlow sees fit]", ge=1)
    cache: bool = option(False, "Read and scale every image once, into memory.")
    precision: Literal["auto", "float32", "mixed_float16", "mixed_bfloat16"] = option(
        "auto", "Numbers to compute with; auto decides by the device and says why."
    )
    xla: Literal["auto", "on", "off"] = option("auto", "Compile the step with XLA; auto decides by the device.")
    cluster: str | None = option(None, CLUSTER)
    workers_per_run: int = option(
        1,
        "Workers of the cluster that train the one model in step, each with a GPU, or a core where there is none.",
        ge=1,
    )
    run: str | None = option(None, "Name of the run. [default: the model and the time]")
    runs_dir: Path = option(
        RUNS, "Where each run has its folder: recipe, log, snapshots, best.keras, events.", remote=True
    )
    save_every: float = option(
        10, "Save the whole state every so many minutes, in the middle of an epoch; 0: after epochs only.", ge=0
    )
    save_steps: int | None = option(None, "Save it every so many steps.", ge=1)
    snapshot_path: Path | None = option(None, "The run's folder. [default: RUNS_DIR/RUN]", remote=True)
    snapshots: bool = option(True, "Keep a snapshot of every epoch, or best.keras and the last one only.")
    onnx: bool = option(
        True, "Write best.onnx too, once the run has ended: predict and evaluate run it without TensorFlow."
    )
    tensorboard_dir: Path | None = option(
        None, "Where TensorBoard's events go, each run's in a folder. [default: events, in the run's folder]"
    )
    evaluation: bool = option(True, "Validate after every epoch. Without, the last epoch becomes best.keras.")
    allow_leakage: bool = option(False, "Train even though training and validation share groups.")

    @model_validator(mode="after")
    def _one_folder(self) -> "Train":
        if self.run and (self.run.startswith(".") or Path(self.run).name != self.run):
            raise ValueError(f"run {self.run} is no plain name: folders are for --runs-dir and --snapshot-path")
        if self.run and self.snapshot_path:
            raise ValueError("run and snapshot_path exclude each other: both say where the run goes")
        if self.resume_if_there and not (self.run or self.snapshot_path or self.resume):
            raise ValueError("resume_if_there needs a name for the run: --run NAME")
        return self

    @model_validator(mode="after")
    def _validates(self) -> "Train":
        if self.early_stopping and not self.evaluation:
            raise ValueError("early_stopping needs a validation list: leave --no-evaluation out")
        return self

    @property
    def trained(self) -> str:
        """What of the model is trained, at first: "all", "head" or "norm"."""
        return self.tune or ("head" if self.freeze_backbone else "all")

    @model_validator(mode="after")
    def _one_tuning(self) -> "Train":
        if self.freeze_backbone and self.trained != "head":
            raise ValueError(f"freeze_backbone and tune {self.tune} exclude each other: leave one of them out")
        if self.unfreeze_epoch and self.trained == "all":
            raise ValueError(
                "unfreeze_epoch has nothing to unfreeze: say what is trained before with --tune head or norm"
            )
        if self.snapshot and (self.tune or self.freeze_backbone):
            raise ValueError(
                "snapshot and tune exclude each other: a snapshot trains on with the layers it trained; to start from its "
                "weights alone give it as --weights, with its --model and --image-size"
            )
        return self

    @model_validator(mode="after")
    def _has_fakes(self) -> "Train":
        if self.real_only and not self.forgery:
            raise ValueError("real_only leaves no fakes: name what makes them with --forgery cross_blend")
        return self

    @model_validator(mode="after")
    def _one_start(self) -> "Train":
        if self.snapshot and self.weights:
            raise ValueError(
                "snapshot and weights exclude each other: resume a run, or start one from a file of weights"
            )
        return self


class Evaluate(Device):
    """Measure a detector on a list that it has not seen."""

    inputs: list[Path] = argument(
        [],
        "Lists, and the snapshot (.keras, .h5; or .onnx, which needs no TensorFlow). [default: csv/val/validation.csv, and the "
        "newest run's best.keras]",
        remote=True,
    )
    runtime: str = option("onnx", "What runs an .onnx file: onnx or openvino; your own as module:function.")
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
        False, "Measure anew after JPEG, H.264, blur, noise and the like, each at five strengths: 46 times the work."
    )
    robustness_changes: str | None = option(
        None,
        "Of these only, with commas: jpeg, h264, blur, noise, scale, brightness, contrast, saturation, occlusion; includes "
        "--robustness. [default: all]",
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


class Judging(Step):
    """What judges files, and how."""

    detector: Path | None = option(None, "An exported detector, .onnx. [default: the one in this package]", remote=True)
    runtime: str = option("onnx", "What runs it: onnx or openvino; your own as module:function.")
    threads: int | None = option(None, "Threads to compute with. [default: one a core]", ge=1)
    cluster: str | None = option(None, CLUSTER)
    threshold: float | None = option(
        None, "Call scores from here on fake and all below real. [default: the detector's own]", ge=0, le=1
    )
    every: int = option(1, "Judge every N-th frame of a video.", ge=1)
    max_frames: int | None = option(None, "Judge at most so many frames of a video, spread evenly.", ge=1)
    faces: Literal["largest", "all"] = option(
        "largest", "Judge the largest face of each frame, or all: then the verdict is of the most suspicious one."
    )
    crops: bool = option(False, "The images are face crops already: take each as it is, without looking for a face.")

    @property
    def per_file(self) -> dict[str, Any]:
        """What `deepfake_cli.Detector.predict` is told about each file."""
        return {name: getattr(self, name) for name in ("every", "max_frames", "faces", "crops")}


class Predict(Judging):
    """Judge videos and images: fake, real, or undecided with the reason."""

    paths: list[Path] = argument([], "Videos, images, folders of them, or patterns such as 'clips/*.mp4'.", remote=True)
    report: Path | None = option(
        None, "Write a page here: timelines, the most suspicious faces, what speaks for fake.", remote=True
    )
    explain: Path | None = option(
        None,
        "Write each file's most suspicious faces as PNG to this folder, and videos as MP4 with boxes, scores and heat maps.",
    )
    csv: Path | None = option(None, "Write a row for each file here.", remote=True)
    frames_csv: Path | None = option(None, "Write a row for each face of each frame here.", remote=True)
    fail_on: Literal["fake", "undecided", "any"] | None = option(
        None,
        "Exit with status 3 if a file is fake, undecided, or either: for scripts. [default: 0 whatever the verdicts]",
    )


class App(Judging):
    """Judge what is dropped on a web page of this machine."""

    host: str = option("127.0.0.1", "Address to answer at; 0.0.0.0 lets anyone on the network use the page.")
    port: int = option(8765, "Port to answer at; 0: any that is free.", ge=0, le=65535)
    open: bool = option(True, "Show the page in the browser.")
    max_mb: float = option(200, "Largest file that is taken, in megabytes.", gt=0)
    max_minutes: float = option(10, "Longest that one file may be judged, in minutes.", gt=0)
    workers: int = option(2, "Files that are judged at once, so that a photo need not wait for a film.", ge=1, le=64)
    queue: int = option(20, "Files of all visitors that may be under way at once; more are sent away.", ge=1)
    keep: float = option(30, "Minutes after which a result is forgotten.", gt=0)


class Audit(Step):
    """Look for what tells reals from fakes without a look at the face."""

    csv: list[Path] = argument(
        [Path("csv/train/train.csv"), Path("csv/val/validation.csv")],
        "Lists of make-csv, or the manifest.csv of split.",
        remote=True,
    )
    sample: int = option(2000, "Measure this many images, drawn evenly over videos and classes.", ge=2)
    seed: int = option(0, "Seed of the sample, the folds and the resamples.", ge=0)
    workers: int | None = option(None, "Threads that read images. [default: the cores]", ge=1, le=256)
    cluster: str | None = option(None, CLUSTER)
    output: Path = option(Path("audit"), "Where audit.json, audit.png and faces.png go.", remote=True)


class Forge(Step):
    """Show what forgeries and degradations make of faces."""

    paths: list[Path] = argument(..., "Images, videos, or folders of them.")
    forgery: str = option(
        "face_warp,self_blend,cross_blend", "What makes the fakes, in turn, with commas; your own as module:function."
    )
    degradation: str | None = option(
        None, "What is done to them afterwards, one after the other, with commas; your own as module:function."
    )
    strength: float = option(1.0, "Strength of each.", gt=0, le=4)
    seed: int = option(0, "Seed of their parameters.", ge=0)
    count: int = option(6, "Rows of the sheet.", ge=1, le=100)
    crop: bool = option(True, "Find the largest face and cut it out, as split does; or take whole images as crops.")
    margin: float = option(1.3, "Side of the square crop, in sides of the face box.", ge=1, le=4)
    size: int = option(224, "Side of the crop, in pixels.", ge=32, le=2048)
    detector: str = option("rfb320", "Face detector, or your own as module:function.")
    min_score: float = option(0.7, "Least detector score that counts as a face.", gt=0, lt=1)
    output: Path = option(Path("forge.png"), "Where the sheet goes, a PNG.")

    @model_validator(mode="after")
    def _draws_a_png(self) -> "Forge":
        if self.output.suffix.lower() != ".png":
            raise ValueError(f"output is a PNG; found {str(self.output)!r}, allowed is a name that ends in .png")
        return self


STEPS: dict[str, type[Step]] = {
    "split": Split,
    "make_csv": MakeCsv,
    "audit": Audit,
    "forge": Forge,
    "train": Train,
    "evaluate": Evaluate,
    "calibrate": Calibrate,
    "matrix": Matrix,
    "compare": Compare,
    "report": Report,
    "export": Export,
    "predict": Predict,
    "app": App,
}

S = TypeVar("S", bound=Step)


def resolve(
    step: type[S], flags: dict[str, Any], file: Path | None = None, *, assume: dict[str, Any] | None = None
) -> tuple[S, dict[str, str]]:
    """Settle a step's settings: flag, then config file, then default.

    Args:
        step: the step's model.
        flags: what the command line gave; None means not given.
        file: a ``.toml`` or ``.ini`` file with a section named as in `STEPS`.
        assume: values for required settings that neither gives.

    Returns:
        The settings, and for each field its origin: ``"flag"``, the file's name or ``"default"``.

    Raises:
        ConfigError: a line for each unknown key, wrong type or value out of range.
    """
    section = next(name for name, model in STEPS.items() if model is step)
    given = {name: value for name, value in flags.items() if value is not None}
    filed = read(file).get(section, {}) if file else {}
    origins = {name: str(file) for name in filed} | dict.fromkeys(given, "flag")
    try:
        settings = step.model_validate((assume or {}) | filed | given)
    except ValidationError as error:
        raise ConfigError("\n".join(_line(step, section, fault, origins) for fault in error.errors())) from None
    return settings, {name: origins.get(name, "default") for name in step.model_fields}


def read(file: Path) -> dict[str, dict[str, Any]]:
    """Read the sections of a ``.toml`` or ``.ini`` file; values are not checked yet.

    Raises:
        ConfigError: the file is missing, malformed, of another kind, or has an unknown section.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        sections: dict[str, Any] = tomllib.loads(text) if file.suffix == ".toml" else _read_ini(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, configparser.Error) as error:
        raise ConfigError(f"{file}: cannot be read as {file.suffix or 'ini'}: {error}".replace("\n", " ")) from None
    for name, section in sections.items():
        if name not in STEPS:
            raise ConfigError(f"{file}: {name}: no such section; allowed: {', '.join(STEPS)}.")
        if not isinstance(section, dict):
            raise ConfigError(f"{file}: {name}: found {section!r}, expected a section [{name}].")
    return sections


def _read_ini(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=("#",), default_section="")
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}


def _line(step: type[Step], section: str, fault: Any, origins: dict[str, str]) -> str:
    """One line for one fault: file, section.key, what was found, what is allowed."""
    key = str(fault["loc"][0]) if fault["loc"] else ""
    origin = origins.get(key, "")
    where = (
        f"{origin}: {section}.{key}" if origin not in ("", "flag") else f"--{key.replace('_', '-')}" if key else section
    )
    if fault["type"] == "missing":
        positional = (step.model_fields[key].json_schema_extra or {}).get("positional")  # type: ignore[union-attr]
        name = key.upper() if positional else f"--{key.replace('_', '-')}"
        return f"{name} is missing; give it on the command line, or as {section}.{key} in a --config file."
    if fault["type"] == "extra_forbidden":
        return f"{where}: no such key; allowed: {', '.join(step.model_fields)}."
    message = fault["msg"].removeprefix("Value error, ").replace("Input should be", "allowed is")
    if not key:  # two settings that don't go together
        files = sorted(set(origins.values()) - {"flag"})
        return ": ".join([*files, section, f"{message}."])
    return f"{where}: found {fault['input']!r}; {message}."


def schema() -> dict[str, Any]:
    """The JSON schema of a config file, all sections together."""
    sections = {name: step.model_json_schema() for name, step in STEPS.items()}
    for section in sections.values():
        section.pop("required", None)  # what a file leaves out, a flag may give
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "deepfake --config FILE",
        "type": "object",
        "additionalProperties": False,
        "properties": sections,
    }


def template() -> str:
    """A commented ``.toml`` with every key of every section at its default."""
    blocks = []
    for section, step in STEPS.items():
        lines = [f"# {step.__doc__}", f"[{section}]"]
        for name, field in step.model_fields.items():
            lines += [f"# {field.description}", f"# {name} = {_toml(None if field.is_required() else field.default)}"]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def options_table() -> str:
    """A Markdown table of every option of every step, for the docs."""
    lines = []
    for section, step in STEPS.items():
        lines += [f"| `deepfake {section.replace('_', '-')}` | default | |", "|---|---|---|"]
        for name, field in step.model_fields.items():
            extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
            flag = name.upper() if extra.get("positional") else extra.get("flag") or f"--{name.replace('_', '-')}"
            default = (
                "required" if field.is_required() else "" if field.default is None else f"`{_toml(field.default)}`"
            )
            text = str(field.description).replace("|", "\\|")
            lines.append(f"| `{flag}` | {default} | {text} |")
        lines.append("")
    return "\n".join(lines)


def _toml(value: Any) -> str:
    """JSON's notation is TOML's for all that a default may be; a path's backslashes are escaped, nothing is empty text."""
    return json.dumps("" if value is None else value, default=str, ensure_ascii=False)
