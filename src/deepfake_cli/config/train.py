"""Options of train."""

from pathlib import Path
from typing import Any, Literal

from pydantic import PositiveInt, field_validator, model_validator

from deepfake_cli.config.base import RUNS, Device, argument, option
from deepfake_cli.config.choices import DEGRADATIONS, FORGERIES, MODELS, OWN, either
from deepfake_cli.config.panels import Panel
from deepfake_cli.config.texts import CLUSTER, ON_THIS_MACHINE


class Train(Device):
    """Train a detector."""

    train_csv: list[Path] = argument([Path("csv/train/train.csv")], "Lists to train on", remote=True)
    val_annotations: Path = option(Path("csv/val/validation.csv"), "List to validate on", remote=True)
    model: str = option(
        "efficientnet_lite0",
        "Architecture",
        choices=f"{either(MODELS)}; {OWN}",
        more="The ImageNet weights of the default are installed with this package; those of others are downloaded once",
    )
    epochs: int = option(25, "Number of epochs", ge=1)
    batch_size: PositiveInt | Literal["auto"] = option(
        16,
        "Batch size over all replicas: a number, or auto",
        more="auto: the largest power of two that fits, up to 256 on each GPU, and up to 16 on a CPU. "
        "A run keeps the number found",
    )
    lr: float = option(1e-4, "Learning rate of Adam", gt=0, flag="--lr,--learning-rate")
    image_size: int | None = option(
        None,
        "Side of the model's input, in pixels [default: that of the architecture]",
        metavar="PIXELS",
        ge=32,
        le=2048,
    )
    forgery: str | None = option(
        None,
        "Turn some reals of each batch into pseudo-fakes, by these methods",
        choices=f"{', '.join(FORGERIES)}, comma-separated; {OWN}",
        metavar="METHODS",
    )
    run: str | None = option(None, "Name of the run [default: model and time]", metavar="NAME")
    resume: str | None = option(
        None,
        "Resume this run: its name, its folder, or last for the newest",
        more="It keeps the settings that it began with",
        metavar="RUN",
    )

    resume_if_there: bool = option(
        False, "Resume the run named by --run if it exists; for launchers that retry", panel=Panel.START
    )
    snapshot: Path | None = option(
        None,
        "Start a run from this snapshot, at its next epoch",
        more="The run has its model, image size, frozen layers and optimizer",
        panel=Panel.START,
        metavar="FILE",
        remote=True,
    )
    initial_epoch: int = option(
        0,
        "Number of epochs already trained",
        more="Read from the snapshot if possible",
        panel=Panel.START,
        ge=0,
    )
    save_every: float = option(
        10,
        "Save the training state every N minutes; 0: only after epochs",
        more="Also within an epoch",
        panel=Panel.START,
        ge=0,
    )
    save_steps: int | None = option(
        None, "Save the training state every N steps, too", panel=Panel.START, metavar="N", ge=1
    )

    imagenet_weights: bool = option(
        True,
        "Start from ImageNet weights, or from random ones",
        panel=Panel.MODEL,
        flag="--imagenet-weights/--no-weights",
    )
    weights: Path | None = option(
        None, "Start from the weights in this file", panel=Panel.MODEL, metavar="FILE", remote=True
    )
    tune: Literal["all", "head", "norm"] | None = option(
        None,
        "Layers to train [default: all]",
        more="head: only the last layer; norm: only the normalization layers and the head. The default with "
        "--freeze-backbone is head",
        panel=Panel.MODEL,
    )
    freeze_backbone: bool = option(False, "Train only the head; same as --tune head", panel=Panel.MODEL)
    unfreeze_epoch: int = option(
        0,
        "Train all layers after this many epochs; 0: never",
        more="With --tune head or norm",
        panel=Panel.MODEL,
        ge=0,
    )

    steps: int | None = option(
        None, "Steps per epoch [default: one pass over the list]", panel=Panel.LEARNING, metavar="N", ge=1
    )
    schedule: Literal["plateau", "cosine"] = option(
        "plateau",
        "Schedule of the learning rate: plateau or cosine",
        more="plateau: lower it when the validation loss stops falling; cosine: along a cosine to 0",
        panel=Panel.LEARNING,
    )
    warmup: float = option(0, "Epochs of linear warm-up of the learning rate, such as 0.5", panel=Panel.LEARNING, ge=0)
    reduce_lr_patience: int = option(
        2,
        "Epochs without a lower loss before plateau acts; 0: never",
        more="It lowers the learning rate; the loss is that of the validation",
        panel=Panel.LEARNING,
        ge=0,
    )
    reduce_lr_factor: float = option(
        0.1, "Factor by which plateau lowers the learning rate", panel=Panel.LEARNING, gt=0, lt=1
    )
    early_stopping: int = option(
        0, "Stop after N epochs without a higher validation AUC; 0: never", panel=Panel.LEARNING, ge=0
    )
    weight_decay: float = option(
        0,
        "Weight decay of AdamW; 0: use Adam",
        more="Per step, times the learning rate",
        panel=Panel.LEARNING,
        ge=0,
        lt=1,
    )
    clip_norm: float = option(1.0, "Clip the norm of the gradient to this; 0: never", panel=Panel.LEARNING, ge=0)
    label_smoothing: float = option(0, "Label smoothing", panel=Panel.LEARNING, ge=0, lt=1)
    ema: float = option(
        0,
        "EMA decay of the weights, such as 0.99; 0: no averaging",
        more="The averaged weights are validated and saved",
        panel=Panel.LEARNING,
        ge=0,
        lt=1,
    )
    seed: int = option(0, "Random seed of weights, data order and augmentation", panel=Panel.LEARNING, ge=0)
    evaluation: bool = option(
        True,
        "Validate after every epoch",
        more="With --no-evaluation the last epoch becomes best.keras",
        panel=Panel.LEARNING,
    )

    real_only: bool = option(
        False,
        "Ignore the fakes in the lists",
        more="Train and validate on reals and pseudo-fakes",
        panel=Panel.AUGMENTATION,
    )
    forgery_share: float | None = option(
        None,
        "Share of the reals to forge [default: 1/3; 1/2 with --real-only]",
        panel=Panel.AUGMENTATION,
        metavar="SHARE",
        gt=0,
        le=1,
    )
    forgery_strength: float = option(
        1.0, "Strength of the pseudo-fakes; at 2 they are obvious", panel=Panel.AUGMENTATION, gt=0, le=4
    )
    margin: float | None = option(
        None,
        "Margin of the crops [default: what the lists say, else 1.3]",
        more="It says where the face is; the detector's crops get it",
        panel=Panel.AUGMENTATION,
        metavar="MARGIN",
        ge=1,
        le=4,
    )
    random_transform: bool = option(
        True, "Flip images and vary brightness and contrast", more="At random", panel=Panel.AUGMENTATION
    )
    degradation: str | None = option(
        None,
        "Degrade images of both classes",
        choices=f"{', '.join(DEGRADATIONS)}, comma-separated; {OWN}",
        panel=Panel.AUGMENTATION,
        metavar="NAMES",
    )
    degradation_strength: float = option(
        1.0,
        "Strength of degradations, brightness and contrast",
        panel=Panel.AUGMENTATION,
        gt=0,
        le=4,
    )
    balance: bool = option(True, "Draw reals and fakes equally often", panel=Panel.AUGMENTATION)
    allow_leakage: bool = option(False, "Train even if training and validation share groups", panel=Panel.AUGMENTATION)

    runs_dir: Path = option(
        RUNS, "Folder of the runs", more="Each has a folder of its own in it", panel=Panel.OUTPUT, remote=True
    )
    snapshot_path: Path | None = option(
        None, "Folder of the run [default: RUNS_DIR/NAME]", panel=Panel.OUTPUT, metavar="FOLDER", remote=True
    )
    snapshots: bool = option(
        True,
        "Keep a snapshot of every epoch",
        more="With --no-snapshots only the best and the last",
        panel=Panel.OUTPUT,
    )
    onnx: bool = option(
        True,
        "Export best.onnx at the end",
        more="It predicts and evaluates without TensorFlow",
        panel=Panel.OUTPUT,
    )
    tensorboard_dir: Path | None = option(
        None,
        "Folder for TensorBoard events [default: events in the run]",
        more="With a sub-folder per run",
        panel=Panel.OUTPUT,
        metavar="FOLDER",
        writes="folder",
    )

    workers: int | None = option(
        None,
        "Number of threads that read images [default: chosen by TensorFlow]",
        panel=Panel.SPEED,
        metavar="N",
        ge=1,
    )
    cache: bool = option(False, "Keep all images in memory", panel=Panel.SPEED)
    precision: Literal["auto", "float32", "mixed_float16", "mixed_bfloat16"] = option(
        "auto",
        "Precision: auto, float32, mixed_float16 or mixed_bfloat16",
        more="auto: chosen by device",
        panel=Panel.SPEED,
    )
    xla: Literal["auto", "on", "off"] = option(
        "auto",
        "Compile the training step with XLA: auto, on or off",
        more="auto: on one GPU, for models without depthwise convolutions",
        panel=Panel.SPEED,
    )
    cluster: str | None = option(None, CLUSTER, more=ON_THIS_MACHINE, panel=Panel.SPEED, metavar="ADDRESS")
    workers_per_run: int = option(
        1,
        "With --cluster, number of workers that train the model together",
        more="Each on one GPU or CPU core",
        panel=Panel.SPEED,
        ge=1,
    )

    @field_validator("batch_size", mode="before")
    @classmethod
    def _number_or_auto(cls, value: Any) -> Any:
        if str(value) == "auto" or (str(value).strip().isdecimal() and int(value) > 0):
            return value if value == "auto" else int(value)
        raise ValueError("expected a number of images, 1 or more, or auto")

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
    def batch(self) -> int:
        """The batch size as a number: what ``auto`` stands for is known once training has begun."""
        assert not isinstance(self.batch_size, str), "chosen by training.fit"
        return self.batch_size

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
