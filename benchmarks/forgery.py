"""Images per second of forgeries and degradations on one core. See README.md."""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import numpy as np
import tensorflow as tf
from common import Row, machine, print_columns, verdict

from deepfake_cli.forgery import DEGRADATIONS, FORGERIES

LEAST = {"self_blend": 400, "face_warp": 600}  # images a second
SEEDS = 1000  # the seed of each round differs, as in training


def main() -> None:
    """Measure, print a table."""
    options = arguments()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    print(machine("tensorflow", "keras", "numpy"), "\n", sep="")
    shape = (options.batch_size, options.image_size, options.image_size, 3)
    images = tf.constant(np.random.default_rng(0).uniform(0, 255, shape).astype("float32"))
    bare = statistics.median(rates(lambda batch, seed: tf.reduce_sum(batch), images, options.rounds, jit=False))
    rows = [measured(name, images, bare, options) for name in FORGERIES | DEGRADATIONS]
    print_columns([("layer", "images/s", "lowest to highest", "of reading the batch once", "target"), *rows])
    sys.exit(any(cells[-1].endswith("missed") for cells in rows))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch-size", type=int, default=32, help="images a batch [%(default)s]")
    parser.add_argument("--image-size", type=int, default=224, help="their side, in pixels [%(default)s]")
    parser.add_argument("--rounds", type=int, default=15, help="times that a batch is timed [%(default)s]")
    parser.add_argument("--jit", action="store_true", help="compile with XLA")
    return parser.parse_args()


def measured(name: str, images: tf.Tensor, bare: float, options: argparse.Namespace) -> Row:
    layer = (FORGERIES | DEGRADATIONS)[name]()
    run = layer.forge if name in FORGERIES else lambda batch, seed: layer(batch, seed=seed, training=True)
    found = rates(run, images, options.rounds, jit=options.jit)
    middle = statistics.median(found)
    target = f">= {LEAST[name]}: {verdict(middle, LEAST[name])}" if name in LEAST else ""
    return name, f"{middle:,.0f}", f"{min(found):,.0f} to {max(found):,.0f}", f"1/{bare / middle:,.0f}", target


def rates(run: Callable, images: tf.Tensor, rounds: int, *, jit: bool) -> list[float]:
    """Images a second of this process's CPU time, so that other processes count for less."""
    graph = tf.function(run, jit_compile=jit, autograph=False)
    graph(images, tf.constant([0, SEEDS]))
    found = []
    for number in range(rounds):
        seed = tf.constant([0, number])
        started = time.process_time()
        graph(images, seed)
        found.append(len(images) / (time.process_time() - started))
    return found


if __name__ == "__main__":
    main()
