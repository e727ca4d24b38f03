"""Shared parts of the scripts that train a model on one device from memory."""

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

from deepfake_cli.config import Train
from deepfake_cli.distributed import devices
from deepfake_cli.models import build_model
from deepfake_cli.runs.resume import Start
from deepfake_cli.training import checkpoint, precision
from deepfake_cli.training.augmentation import Augmentation, augment_each_step
from deepfake_cli.training.memory import noise
from deepfake_cli.training.optimizer import compiled
from deepfake_cli.training.scoring import image_size
from deepfake_cli.training.xla import compiles

DEFAULT_BATCH = Train.model_fields["batch_size"].default


class Device:
    """The device that `deepfake train` would use, with its precision and XLA."""

    def __init__(self, precision_: str = "auto", xla: str = "auto"):
        self.visible = devices.visible_gpus()
        self.plan = devices.choose(None, 0, False, self.visible, os.cpu_count() or 1)
        self.strategy = devices.open_strategy(self.plan)
        self.how, self.xla = precision.choose(precision_, self.plan, precision.capability()), xla

    def __str__(self) -> str:
        return f"{self.plan.reason}; {self.how.reason}"

    @property
    def name(self) -> str:
        """As TensorFlow calls it."""
        return "/gpu:0" if self.plan.gpus else "/cpu:0"

    def model(self, name: str, size: int | None, settings: Train | None = None) -> keras.Model:
        """A model with random weights, as `deepfake train` compiles and augments it."""
        settings = settings or Train(model=name)
        keras.config.set_dtype_policy(self.how.policy)
        with self.strategy.scope():
            model = compiled(build_model(name, image_size=size, weights=None), settings)
        keras.config.set_dtype_policy("float32")
        model.jit_compile = compiles(settings.model_copy(update={"xla": self.xla}), self.plan, model)
        augment_each_step(checkpoint.built(model, Start()), Augmentation.from_settings(settings))
        return model


def from_memory(model: keras.Model, batch: int) -> tf.data.Dataset:
    """The same batch of noise again and again."""
    return tf.data.Dataset.from_tensors(noise(batch, image_size(model))).repeat().prefetch(tf.data.AUTOTUNE)


def images_per_second(model: keras.Model, batches: tf.data.Dataset, batch: int, steps: int) -> float:
    """Images a second in training, after as many steps that are not timed."""
    for _ in range(2):
        started = time.perf_counter()
        model.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)
    return steps * batch / (time.perf_counter() - started)


def peak(device: Device) -> float | None:
    """The most memory that TensorFlow held on the GPU so far, in GB; None on a CPU."""
    return tf.config.experimental.get_memory_info("GPU:0")["peak"] / 1e9 if device.plan.gpus else None
