"""Speed of training from JPEG files against training from memory. See README.md."""

import argparse
import os
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pandas as pd
import tensorflow as tf
from common import face_crops, machine, print_table, row

from deepfake_cli.config import Train
from deepfake_cli.distributed import devices
from deepfake_cli.models import build_model
from deepfake_cli.runs.resume import Start
from deepfake_cli.training import checkpoint, input_pipeline
from deepfake_cli.training.augmentation import Augmentation, augment_each_step
from deepfake_cli.training.optimizer import compiled
from deepfake_cli.training.scoring import image_size

LEAST_RATIO = 0.97
SETTLING = 5  # steps at the start of each run that are not timed: the pipeline fills


class Clock(keras.callbacks.Callback):
    """Times the steps after the first few; reads each loss one step later, as training does to check it."""

    def __init__(self) -> None:
        super().__init__()
        self.started = self.ended = 0.0
        self.unread: Any = 0.0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Wait for the step before; for this one where the clock starts."""
        float(self.unread)
        self.unread = (logs or {})["loss"]
        if batch == SETTLING - 1:
            float(self.unread)
            self.started = time.perf_counter()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Wait for the last step."""
        float(self.unread)
        self.ended = time.perf_counter()


def main() -> None:
    """Measure, print a table."""
    options = arguments()
    print(machine("tensorflow", "keras"))
    plan = devices.choose(options.gpu, 0, False, devices.visible_gpus(), os.cpu_count() or 1)
    print(f"Device: {plan.reason}\n")
    settings = Train(
        model=options.model, batch_size=options.batch_size, image_size=options.image_size, forgery=options.forgery
    )
    with tempfile.TemporaryDirectory(prefix="deepfake-train-") as name, devices.open_strategy(plan).scope():
        table = face_crops(options.viddir, Path(name))
        plain, model = (
            compiled(build_model(settings.model, image_size=settings.image_size, weights=None), settings)
            for _ in range(2)
        )
        checkpoint.built(model, Start())
        for each in (plain, model):
            augment_each_step(each, Augmentation.from_settings(settings))
        limits, rates, alone, unfused = measure(model, plain, table, options)
    print_table(
        [
            row(
                f"training {options.model}{f', {options.forgery}' if options.forgery else ''}, {len(table):,} files",
                "the same model fed from memory",
                limits,
                rates,
                LEAST_RATIO,
                digits=2,
            ),
            row("reading alone, without the model", "the same", limits, alone, digits=2),
            row("the same model fed from memory", "in plain Keras, not fused", unfused, limits, digits=2),
        ],
        "steps/s",
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viddir", type=Path, help="videos in UADFV's layout [default: the shipped clips]")
    parser.add_argument("--model", default="efficientnet_lite0", help="architecture [%(default)s]")
    parser.add_argument("--image-size", type=int, help="side of its input, in pixels [default: the architecture's own]")
    parser.add_argument("--batch-size", type=int, default=16, help="images a step [%(default)s]")
    parser.add_argument("--steps", type=int, default=40, help="steps that are timed in a run [%(default)s]")
    parser.add_argument("--cache", action="store_true", help="as of deepfake train")
    parser.add_argument("--workers", type=int, help="threads that read images [default: as TensorFlow sees fit]")
    parser.add_argument("--forgery", help="as of deepfake train")
    parser.add_argument("--gpu", help="as of deepfake train: cpu for none")
    parser.add_argument("--pairs", type=int, default=3, help="times that the limit and ours are measured [%(default)s]")
    return parser.parse_args()


def measure(
    model: keras.Model, plain: keras.Model, table: pd.DataFrame, options: argparse.Namespace
) -> tuple[list[float], ...]:
    """Steps a second from memory, from files, of reading alone, and of the plain model from memory."""
    files = input_pipeline.training_batches(
        table,
        image_size=image_size(model),
        batch_size=options.batch_size,
        steps=options.steps,
        workers=options.workers,
        images=input_pipeline.in_memory(table, image_size(model)) if options.cache else None,
    )
    memory = tf.data.Dataset.from_tensors(next(iter(files))).repeat().prefetch(tf.data.AUTOTUNE)
    assert memory.element_spec == files.element_spec
    for each, batches in ((model, memory), (model, files), (plain, memory)):
        timed(each, batches, 1)
    limits, rates, alone, unfused = [], [], [], []
    for _ in range(options.pairs):
        limits.append(timed(model, memory, options.steps))
        rates.append(timed(model, files, options.steps))
        alone.append(read(files, options.steps))
        unfused.append(timed(plain, memory, options.steps))
    return limits, rates, alone, unfused


def timed(model: keras.Model, batches: tf.data.Dataset, steps: int) -> float:
    """Steps a second of ``model.fit``."""
    clock = Clock()
    model.fit(batches, steps_per_epoch=SETTLING + steps, callbacks=[clock], shuffle=False, verbose=0)
    return steps / (clock.ended - clock.started)


def read(batches: tf.data.Dataset, steps: int) -> float:
    """Batches a second with nobody to use them."""
    iterator: Any = iter(batches)
    for _ in islice(iterator, SETTLING):
        pass
    started = time.perf_counter()
    for _ in islice(iterator, steps):
        pass
    return steps / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
