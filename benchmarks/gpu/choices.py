"""Images a second from memory under each choice of how the training step runs: which should be the default? See README.md.

python benchmarks/gpu/choices.py --model resnet50 --batch-size 64
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import keras
import tensorflow as tf
from common import machine, print_columns
from gpu_model import Device, from_memory, images_per_second

from deepfake_cli.config import Train

PER_EXECUTION = 8  # steps that one call of Keras runs, where it runs several


def main() -> None:
    """Measure, print a table."""
    options = arguments()
    device = Device()
    print(f"{machine('tensorflow', 'keras')}\nDevice: {device}\n")
    forged = Train(model=options.model, forgery="self_blend")
    choices = {
        "the defaults": {},
        "float32": {"precision": "float32"},
        "XLA": {"xla": "on"},
        f"{PER_EXECUTION} steps an execution": {"per_execution": PER_EXECUTION},
        "batches copied to the device ahead": {"ahead": True},
        "self_blend": {"settings": forged},
        "self_blend, XLA": {"settings": forged, "xla": "on"},
    }
    rates = {what: rate(options, **choice) for what, choice in choices.items() if what not in (options.without or ())}
    base = rates["the defaults"]
    rows = [(what, f"{each:,.0f}", f"{each / base:.2f}") for what, each in rates.items()]
    print_columns([(f"{options.model}, batch {options.batch_size}", "images/s", "of the defaults"), *rows])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="resnet50", help="architecture [%(default)s]")
    parser.add_argument(
        "--image-size", type=int, help="side of the input, in pixels [default: that of the architecture]"
    )
    parser.add_argument("--batch-size", type=int, default=64, help="images a step [%(default)s]")
    parser.add_argument("--steps", type=int, default=40, help="steps that are timed, a multiple of 8 [%(default)s]")
    parser.add_argument("--without", nargs="+", help="rows of the table to leave out")
    return parser.parse_args()


def rate(
    options: argparse.Namespace,
    *,
    precision: str = "auto",
    xla: str = "auto",
    per_execution: int = 1,
    ahead: bool = False,
    settings: Train | None = None,
) -> float:
    keras.backend.clear_session()
    device = Device(precision, xla)
    model = device.model(options.model, options.image_size, settings or Train(model=options.model))
    model.steps_per_execution = per_execution
    batches = from_memory(model, options.batch_size)
    if ahead:
        batches = batches.apply(tf.data.experimental.prefetch_to_device("/gpu:0" if device.plan.gpus else "/cpu:0"))
    return images_per_second(model, batches, options.batch_size, options.steps)


if __name__ == "__main__":
    main()
