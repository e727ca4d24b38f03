"""Two replicas on two logical halves of one device against one replica: the same loss? See README.md.

python benchmarks/gpu/replicas.py --model resnet50
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1]))

import keras
import tensorflow as tf
from common import machine, print_columns, verdict

from deepfake_cli.config import Train
from deepfake_cli.models import build_model
from deepfake_cli.models.keras_private import flatten_layers
from deepfake_cli.runs.resume import Start
from deepfake_cli.training import checkpoint
from deepfake_cli.training.augmentation import Augmentation, augment_each_step
from deepfake_cli.training.global_batch import synchronize
from deepfake_cli.training.memory import noise
from deepfake_cli.training.optimizer import compiled
from deepfake_cli.training.scoring import image_size

APART = 1e-3  # of the losses


def main() -> None:
    """Train, print a table."""
    options = arguments()
    kind = halves(options.memory)
    print(f"{machine('tensorflow', 'keras')}\nDevice: one {kind}, divided into two\n")
    one, two = (losses(options, [f"/{kind}:{index}" for index in range(count)]) for count in (1, 2))
    apart = max(abs(a - b) for a, b in zip(one, two, strict=True))
    print_columns(
        [
            ("what", "one replica", "two replicas", "difference", "target"),
            (
                f"loss of {options.model} after {options.steps} steps, float32",
                f"{one[-1]:.5f}",
                f"{two[-1]:.5f}",
                f"{apart:.2g}",
                f"<= {APART:g}: {verdict(-apart, -APART)}",
            ),
        ]
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="resnet50", help="architecture [%(default)s]")
    parser.add_argument(
        "--image-size", type=int, help="side of the input, in pixels [default: that of the architecture]"
    )
    parser.add_argument("--batch-size", type=int, default=16, help="images a step, of both replicas [%(default)s]")
    parser.add_argument("--steps", type=int, default=5, help="steps [%(default)s]")
    parser.add_argument("--memory", type=int, default=20_000, help="of each half of a GPU, MiB [%(default)s]")
    return parser.parse_args()


def halves(memory: int) -> str:
    """Divide the first GPU into two logical ones; the CPU where there is none."""
    kind = "gpu" if tf.config.list_physical_devices("GPU") else "cpu"
    half = tf.config.LogicalDeviceConfiguration(memory_limit=memory if kind == "gpu" else None)
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices(kind.upper())[0], [half, half])
    return kind


def losses(options: argparse.Namespace, names: list[str]) -> list[float]:
    """The loss of each step, from the same weights on the same images, without what each replica draws at random."""
    keras.utils.set_random_seed(0)
    settings, losses = Train(model=options.model, random_transform=False), []
    with tf.distribute.MirroredStrategy(names).scope():
        model = compiled(build_model(options.model, image_size=options.image_size, weights=None), settings)
    for layer in flatten_layers(model):
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    augment_each_step(checkpoint.built(model, Start()), Augmentation.from_settings(settings))
    if len(names) > 1:
        synchronize(model)
    batches = tf.data.Dataset.from_tensors(noise(options.batch_size, image_size(model))).repeat()
    for _ in range(options.steps):
        history = model.fit(batches, steps_per_epoch=1, shuffle=False, verbose=0)
        losses.append(history.history["loss"][0])
    return losses


if __name__ == "__main__":
    main()
