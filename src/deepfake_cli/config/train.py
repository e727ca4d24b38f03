"""Options of train."""

from pathlib import Path
from typing import Literal

from pydantic import model_validator

from deepfake_cli.config.base import CLUSTER, RUNS, Device, argument, option
from deepfake_cli.config.choices import DEGRADATIONS, FORGERIES, MODELS, either


class Train(Device):
    """Train a detector."""

    train_csv: list[Path] = argument([Path("csv/train/train.csv")], "Lists to train on", remote=True)
    val_annotations: Path = option(Path("csv/val/validation.csv"), "List to validate on", remote=True)
    model: str = option("resnet50", f"Architecture: {either(MODELS)}; or your own as module:function")
    resume: str | None = option(
        None,
        "Resume this run with its own settings: its name, its folder, or last for the newest",
    )
    resume_if_there: bool = option(
        False,
        "Resume the run named by --run if it exists, else start it; for job launchers that retry",
    )
    snapshot: Path | None = option(
        None,
        "Start a run from this snapshot, at its next epoch, with its model, image size, frozen layers and optimizer",
        remote=True,
    )
    imagenet_weights: bool = option(
        True, "Start from ImageNet weights; --no-weights: from random weights", flag="--imagenet-weights/--no-weights"
    )
    weights: Path | None = option(None, "Start from the weights in this file", remote=True)
    tune: Literal["all", "head", "norm"] | None = option(
        None,
        "Train all layers, only the head (the last layer), or only the normalization layers and the head "
        "(norm) [default: all; head with --freeze-backbone]",
    )
    freeze_backbone: bool = option(False, "Train only the head; same as --tune head")
    unfreeze_epoch: int = option(0, "With --tune head or norm, train all layers after this many epochs; 0: never", ge=0)
    image_size: int | None = option(
        None, "Side of the model's input, in pixels [default: that of the architecture]", ge=32, le=2048
    )
    batch_size: int = option(16, "Batch size over all replicas", ge=1)
    epochs: int = option(25, "Number of epochs", ge=1)
    steps: int | None = option(None, "Steps per epoch [default: one pass over the list]", ge=1)
    initial_epoch: int = option(0, "Number of epochs already trained; read from the snapshot if possible", ge=0)
    lr: float = option(1e-4, "Learning rate of Adam", gt=0, flag="--lr,--learning-rate")
    schedule: Literal["plateau", "cosine"] = option(
        "plateau", "Lower the learning rate when the validation loss stops falling (plateau), or along a cosine to 0"
    )
    warmup: float = option(0, "Epochs of linear warm-up of the learning rate, such as 0.5; 0: none", ge=0)
    reduce_lr_patience: int = option(
        2, "Epochs without a lower validation loss before plateau lowers the learning rate; 0: never", ge=0
    )
    reduce_lr_factor: float = option(0.1, "Factor by which plateau lowers the learning rate", gt=0, lt=1)
    forgery: str | None = option(
        None,
        f"Turn some reals of each batch into pseudo-fakes, by these methods, comma-separated: {', '.join(FORGERIES)}; "
        "or your own as module:function",
    )
    real_only: bool = option(False, "Ignore the fakes in the lists; train and validate on reals and pseudo-fakes")
    forgery_share: float | None = option(
        None, "Fraction of the reals to turn into pseudo-fakes [default: a third; a half with --real-only]", gt=0, le=1
    )
    forgery_strength: float = option(1.0, "Strength of the pseudo-fakes; at 2 they are obvious", gt=0, le=4)
    margin: float = option(1.3, "Margin that split cut the crops with; it says where the face is", ge=1, le=4)
    weight_decay: float = option(0, "Weight decay of AdamW, per step, times the learning rate; 0: use Adam", ge=0, lt=1)
    clip_norm: float = option(1.0, "Clip the norm of the gradient to this; 0: never", ge=0)
    label_smoothing: float = option(0, "Label smoothing", ge=0, lt=1)
    ema: float = option(
        0,
        "EMA decay of the weights, such as 0.99; the averaged weights are validated and saved; 0: no averaging",
        ge=0,
        lt=1,
    )
    early_stopping: int = option(0, "Stop after this many epochs without a higher validation AUC; 0: never", ge=0)
    random_transform: bool = option(True, "Flip images and vary brightness and contrast, at random")
    degradation: str | None = option(
        None,
        f"Degrade images of both classes, comma-separated: {', '.join(DEGRADATIONS)}; or your own as module:function",
    )
    degradation_strength: float = option(
        1.0, "Strength of the degradations, brightness and contrast included", gt=0, le=4
    )
    balance: bool = option(True, "Draw reals and fakes equally often")
    seed: int = option(0, "Random seed of weights, data order and augmentation", ge=0)
    workers: int | None = option(None, "Number of threads that read images [default: chosen by TensorFlow]", ge=1)
    cache: bool = option(False, "Keep all images in memory")
    precision: Literal["auto", "float32", "mixed_float16", "mixed_bfloat16"] = option(
        "auto", "Numeric precision; auto: chosen by device"
    )
    xla: Literal["auto", "on", "off"] = option("auto", "Compile the training step with XLA; auto: chosen by device")
    cluster: str | None = option(None, CLUSTER)
    workers_per_run: int = option(
        1,
        "With --cluster, number of workers that train the model together, each on one GPU or CPU core",
        ge=1,
    )
    run: str | None = option(None, "Name of the run [default: model and time]")
    runs_dir: Path = option(RUNS, "Folder of the runs; each has a folder of its own in it", remote=True)
    save_every: float = option(
        10, "Save the training state every N minutes, also within an epoch; 0: only after epochs", ge=0
    )
    save_steps: int | None = option(None, "Save the training state every N steps, too", ge=1)
    snapshot_path: Path | None = option(None, "Folder of the run [default: RUNS_DIR/RUN]", remote=True)
    snapshots: bool = option(True, "Keep a snapshot of every epoch; --no-snapshots: only the best and the last")
    onnx: bool = option(True, "Export best.onnx at the end, to predict and evaluate without TensorFlow")
    tensorboard_dir: Path | None = option(
        None,
        "Folder for TensorBoard events, with a sub-folder per run [default: events, in the run's folder]",
        writes="folder",
    )
    evaluation: bool = option(True, "Validate after every epoch; --no-evaluation: the last epoch becomes best.keras")
    allow_leakage: bool = option(False, "Train even if training and validation share groups")

    @model_validator(mode="after")
    def _one_folder(self) -> "Train":
        if self.run and (self.run.startswith(".") or Path(self.run).name != self.run):
            raise ValueError(f"run {self.run} must be a plain name; set the folder with --runs-dir or --snapshot-path")
        if self.run and self.snapshot_path:
            raise ValueError("run and snapshot_path cannot be combined: both set the folder of the run")
        if self.resume_if_there and not (self.run or self.snapshot_path or self.resume):
            raise ValueError("resume_if_there needs the name of the run: --run NAME")
        return self

    @model_validator(mode="after")
    def _validates(self) -> "Train":
        if self.early_stopping and not self.evaluation:
            raise ValueError("early_stopping needs validation: remove --no-evaluation")
        return self

    @property
    def trained(self) -> str:
        """The layers trained at first: "all", "head" or "norm"."""
        return self.tune or ("head" if self.freeze_backbone else "all")

    @model_validator(mode="after")
    def _one_tuning(self) -> "Train":
        if self.freeze_backbone and self.trained != "head":
            raise ValueError(f"freeze_backbone and tune {self.tune} cannot be combined: remove one of them")
        if self.unfreeze_epoch and self.trained == "all":
            raise ValueError("unfreeze_epoch has nothing to unfreeze: add --tune head or --tune norm")
        if self.snapshot and (self.tune or self.freeze_backbone):
            raise ValueError(
                "snapshot and tune cannot be combined: a snapshot keeps its own trainable layers; to use only its weights, "
                "give it as --weights, with --model and --image-size"
            )
        return self

    @model_validator(mode="after")
    def _has_fakes(self) -> "Train":
        if self.real_only and not self.forgery:
            raise ValueError("real_only needs pseudo-fakes: add --forgery cross_blend")
        return self

    @model_validator(mode="after")
    def _one_start(self) -> "Train":
        if self.snapshot and self.weights:
            raise ValueError("snapshot and weights cannot be combined: both set the starting weights")
        return self
