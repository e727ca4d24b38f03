"""A process of steps.py and choices.py: training steps of this package on one device, from memory and from files.

python benchmarks/gpu/our_steps.py LIST.csv resnet50 64
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1]))

import keras
import tensorflow as tf
from gpu_model import Device, peak
from workers import serve, steps_per_second

from deepfake_cli.config import Train
from deepfake_cli.data import manifest
from deepfake_cli.training import input_pipeline
from deepfake_cli.training.scoring import image_size

STEPS = 10**6  # of an epoch: more than are timed


def main() -> None:
    """Prepare, then time."""
    options = arguments()
    device = Device(options.precision, options.xla)
    settings = Train(model=options.model, forgery=options.forgery, batch_size=options.batch_size)
    model = device.model(options.model, options.image_size, settings)
    model.steps_per_execution = options.per_execution
    files = input_pipeline.training_batches(
        manifest.read(options.list), image_size=image_size(model), batch_size=options.batch_size, steps=STEPS
    )
    memory = tf.data.Dataset.from_tensors(next(iter(files))).repeat().prefetch(tf.data.AUTOTUNE)
    if options.ahead:
        memory = memory.apply(tf.data.experimental.prefetch_to_device(device.name))
    sources = {"memory": memory, "files": files}
    started = time.perf_counter()
    model.fit(memory, steps_per_epoch=options.per_execution, shuffle=False, verbose=0)
    facts = {
        "device": str(device),
        "first step": time.perf_counter() - started,
        "size": image_size(model),
        "peak": peak(device),
    }
    images = options.batch_size * options.per_execution
    serve(facts, lambda source, seconds: timed(model, sources[source], seconds) * images)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list", type=Path, help="a list of deepfake make-csv or split")
    parser.add_argument("model", help="architecture")
    parser.add_argument("batch_size", type=int)
    parser.add_argument(
        "--image-size", type=int, help="side of the input, in pixels [default: that of the architecture]"
    )
    parser.add_argument("--precision", default="auto", help="as of deepfake train")
    parser.add_argument("--xla", default="auto", help="as of deepfake train")
    parser.add_argument("--forgery", help="as of deepfake train")
    parser.add_argument("--per-execution", type=int, default=1, help="steps that one call of Keras runs [%(default)s]")
    parser.add_argument("--ahead", action="store_true", help="copy batches to the device ahead of their step")
    return parser.parse_args()


def timed(model: keras.Model, batches: tf.data.Dataset, seconds: float) -> float:
    """Calls of Keras' training function a second. A loss is read one step later, as training does to check it."""
    model.make_train_function()
    iterator, losses = iter(batches), [0.0]

    def one() -> None:
        losses.append(model.train_function(iterator)["loss"])
        float(losses.pop(0))

    return steps_per_second(one, lambda: float(losses[-1]), seconds)


if __name__ == "__main__":
    main()
