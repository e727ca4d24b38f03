"""Options of train."""

from pathlib import Path
from typing import Literal

from pydantic import model_validator

from deepfake_cli.config.base import CLUSTER, RUNS, Device, argument, option
from deepfake_cli.config.choices import DEGRADATIONS, FORGERIES, MODELS, either


class Train(Device):
    """Train a detector."""

    train_csv: list[Path] = argument([Path("csv/train/train.csv")], "Lists to train on.", remote=True)
    val_annotations: Path = option(Path("csv/val/validation.csv"), "List to validate on.", remote=True)
    model: str = option("resnet50", f"Architecture: {either(MODELS)}; your own as module:function.")
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
        f"Forge some reals of each batch, which makes them fakes: {', '.join(FORGERIES)}, with commas; your own as "
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
        f"More that is done to both classes, after the forgery: {', '.join(DEGRADATIONS)}, with commas; your own as "
        "module:function.",
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
