"""The fitting itself, with TensorFlow loaded: `train` has checked the lists before."""

import math
import os
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from deepfake_cli import checks, devices, metrics, pipeline, recipe
from deepfake_cli.config import Train
from deepfake_cli.errors import ModelError
from deepfake_cli.models import architecture, build_model, load_weights
from deepfake_cli.models.files import read_model
from deepfake_cli.steps.score import image_size, scores, unreadable
from deepfake_cli.steps.train import (
    BEST,
    CLIP_NORM,
    Begun,
    Ended,
    Report,
    Run,
    Stepped,
    TrainResult,
    counted,
    learning_rate,
    stop_if_not_a_number,
)


def fit(settings: Train, table: pd.DataFrame, validation: pd.DataFrame | None, report: Report) -> TrainResult:
    """Train on `table`; see `deepfake_cli.steps.train.train`."""
    visible = devices.visible_gpus()
    plan = devices.choose(settings.gpu, settings.multi_gpu, settings.multi_gpu_force, visible, os.cpu_count() or 1)
    strategy = devices.open_strategy(plan)
    keras.utils.set_random_seed(settings.seed)
    with strategy.scope():
        model, first_epoch, notes = _model(settings)
    name = recipe.read(settings.snapshot).get("model", settings.model) if settings.snapshot else settings.model
    run = Run(settings, name, first_epoch)
    steps = settings.steps or math.ceil(len(table) / settings.batch_size)
    batches = pipeline.training_batches(
        table,
        image_size=image_size(model),
        batch_size=settings.batch_size,
        steps=steps,
        first_epoch=first_epoch,
        balance=settings.balance,
        random_transform=settings.random_transform,
        seed=settings.seed,
        workers=settings.workers,
    )
    described = counted(validation) if validation is not None else {}
    parameters, size = model.count_params(), image_size(model)
    run.recipe |= {"image_size": size, "plan": plan.reason, "train": counted(table), "validation": described}
    run.recipe["groups"] = {
        name: checks.groups(rows) for name, rows in (("train", table), ("validation", validation)) if rows is not None
    }
    report(
        Begun(
            name, parameters, size, plan.reason, steps, settings.epochs, first_epoch, counted(table), described, notes
        )
    )
    keeper = Keeper(run, validation, report)
    try:
        model.fit(
            batches,
            steps_per_epoch=steps,
            initial_epoch=first_epoch,
            epochs=settings.epochs,
            callbacks=[keeper],
            shuffle=False,
            verbose=0,
        )
    except tf.errors.OpError as error:
        raise unreadable(table, error) from None
    finally:
        keeper.close()
    return TrainResult(run.folder / BEST, run.folder / recipe.NAME, run.history)


def _model(settings: Train) -> tuple[keras.Model, int, tuple[str, ...]]:
    """Build the model, or take up a snapshot: the model, the epochs it has, and what the user should know."""
    if settings.snapshot:
        model = read_model(settings.snapshot, compile=True)
        known = recipe.epoch_of(settings.snapshot)
        done = settings.initial_epoch if known is None else known
        if model.optimizer is None:
            return _compiled(model, settings), done, ("The snapshot has no optimizer: a new one starts.",)
        if done >= settings.epochs:
            raise ModelError(f"{settings.snapshot} has {done} epochs already; ask for more with --epochs.")
        return model, done, (f"Resuming {settings.snapshot} after epoch {done}.",)
    chosen = architecture(settings.model)
    pretrained = settings.imagenet_weights and not settings.weights
    model = build_model(
        settings.model,
        image_size=settings.image_size,
        weights="imagenet" if pretrained else None,
        freeze_backbone=settings.freeze_backbone,
    )
    if settings.weights:
        load_weights(model, settings.weights)
    notes = (
        (f"{settings.model} has no ImageNet weights: it starts from scratch.",)
        if pretrained and not chosen.pretrained
        else ()
    )
    return _compiled(model, settings), settings.initial_epoch, notes


def _compiled(model: keras.Model, settings: Train) -> keras.Model:
    optimizer = keras.optimizers.Adam(settings.lr, global_clipnorm=CLIP_NORM)
    model.compile(optimizer, loss="binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    return model


def reseed(model: keras.Model, seed: int, epoch: int) -> None:
    """Make the random layers' state depend on seed and epoch alone: Keras doesn't save it, so a resumed run would differ."""
    random = np.random.default_rng([seed, epoch])
    for variable in model.variables:
        if variable.path.endswith("seed_generator_state"):
            variable.assign(random.integers(2**31, size=2))


class Keeper(keras.callbacks.Callback):
    """After every step checks the loss; after every epoch validates, keeps a snapshot, sets the rate, and reports."""

    def __init__(self, run: Run, validation: pd.DataFrame | None, report: Report):
        super().__init__()
        self.run, self.validation, self.report = run, validation, report
        logs = run.settings.tensorboard_dir
        self.events = tf.summary.create_file_writer(str(logs / run.recipe["log_dir"])) if logs else None
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Set the rate that the losses so far call for, and the seeds of the epoch."""
        self.epoch = epoch + 1
        settings = self.run.settings
        reseed(self.model, settings.seed, self.epoch)
        self.model.optimizer.learning_rate = learning_rate(
            self.run.losses(), settings.lr, patience=settings.reduce_lr_patience, factor=settings.reduce_lr_factor
        )

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Stop at a loss that is no number."""
        loss = float((logs or {})["loss"])
        stop_if_not_a_number(loss, self.run.folder)
        self.report(Stepped(self.epoch, batch + 1, loss))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Validate, keep, report."""
        logs = logs or {}
        row: dict[str, Any] = {"epoch": self.epoch, "loss": float(logs["loss"]), "accuracy": float(logs["accuracy"])}
        row |= self._validate() | {"lr": float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))}
        path, best = self.run.keep(self.model.save, row)
        self._write_events(row)
        self.report(Ended(row, best, path))

    def _validate(self) -> dict[str, float]:
        if self.validation is None:
            return {}
        settings = self.run.settings
        found = scores(self.model, self.validation, batch_size=settings.batch_size, workers=settings.workers)
        labels = self.validation["label"].to_numpy()
        threshold = metrics.best_threshold(labels, found)
        videos = metrics.video_scores(self.validation.assign(score=found))
        return {
            "val_loss": float(keras.losses.BinaryCrossentropy()(labels[:, None].astype("float32"), found[:, None])),
            "val_accuracy": float(((found >= 0.5) == labels).mean()),
            "val_auc": metrics.figures(labels, found, threshold)["auc"],
            "val_video_auc": metrics.figures(videos["label"], videos["score"], threshold)["auc"],
            "threshold": threshold,
        }

    def _write_events(self, row: dict[str, Any]) -> None:
        if self.events:
            with self.events.as_default(step=row["epoch"]):
                for name, value in row.items():
                    if name != "epoch":
                        tf.summary.scalar(name, value)
            self.events.flush()

    def close(self) -> None:
        """Close the event file."""
        if self.events:
            self.events.close()
