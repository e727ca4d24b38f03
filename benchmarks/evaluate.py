"""Speed of scoring JPEG files against scoring images in memory. See README.md."""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd
from common import face_crops, machine, print_table, row

from deepfake_cli.distributed import devices
from deepfake_cli.models import build_model
from deepfake_cli.training import input_pipeline
from deepfake_cli.training.scoring import image_size, scores

LEAST_RATIO = 0.9


def main() -> None:
    """Measure, print a table."""
    options = arguments()
    print(machine("tensorflow", "keras"))
    plan = devices.choose(options.gpu, 0, False, devices.visible_gpus(), os.cpu_count() or 1)
    print(f"Device: {plan.reason}\n")
    with tempfile.TemporaryDirectory(prefix="deepfake-evaluate-") as name, devices.open_strategy(plan).scope():
        cut = face_crops(options.viddir, Path(name))
        table = cut.iloc[np.arange(options.images) % len(cut)].reset_index(drop=True)
        model = build_model(options.model, image_size=options.image_size, weights=None)
        limits, rates = measure(model, table, options)
    what = f"scoring by {options.model}, {len(table):,} images"
    print_table([row(what, "model.predict on an array of them", limits, rates, LEAST_RATIO, digits=1)], "images/s")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viddir", type=Path, help="videos in UADFV's layout [default: the shipped clips]")
    parser.add_argument("--model", default="efficientnet_lite0", help="architecture [%(default)s]")
    parser.add_argument("--image-size", type=int, help="side of its input, in pixels [default: the architecture's own]")
    parser.add_argument("--batch-size", type=int, default=16, help="images a step [%(default)s]")
    parser.add_argument("--images", type=int, default=768, help="images to score in a run [%(default)s]")
    parser.add_argument("--workers", type=int, help="threads that read images [default: as TensorFlow sees fit]")
    parser.add_argument("--gpu", help="as of deepfake evaluate: cpu for none")
    parser.add_argument("--pairs", type=int, default=3, help="times that the limit and ours are measured [%(default)s]")
    return parser.parse_args()


def measure(model: keras.Model, table: pd.DataFrame, options: argparse.Namespace) -> tuple[list[float], list[float]]:
    """Images a second from memory and from files."""
    given = {"batch_size": options.batch_size, "workers": options.workers}
    batches = input_pipeline.scoring_batches(table, image_size=image_size(model), **given)
    images = np.concatenate(list(batches.as_numpy_iterator()))
    limits, rates = [], []
    for number in range(options.pairs + 1):  # the first round traces the model and warms the file cache up
        started = time.perf_counter()
        bare = model.predict(images, batch_size=options.batch_size, verbose=0)
        between = time.perf_counter()
        found = scores(model, table, **given)
        ended = time.perf_counter()
        if not np.allclose(found, bare.reshape(-1), atol=1e-4):
            sys.exit("The scores of both sides differ: they cannot be compared.")
        if number:
            limits.append(len(table) / (between - started))
            rates.append(len(table) / (ended - between))
    return limits, rates


if __name__ == "__main__":
    main()
