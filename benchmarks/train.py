"""How near training from JPEG files comes to training from memory: README.md here says how it is measured."""

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pandas as pd
import tensorflow as tf

from deepfake_cli import devices, manifest, pipeline
from deepfake_cli.config import Split, Train
from deepfake_cli.models import build_model
from deepfake_cli.samples import CLIPS, FOLDER
from deepfake_cli.steps.fit import _compiled
from deepfake_cli.steps.score import image_size
from deepfake_cli.steps.split import split

LEAST_RATIO = 0.95
SETTLING = 5  # steps at the start of each run that are not timed: the pipeline fills
MOST_FRAMES = 16  # of each of a user's videos


class Clock(keras.callbacks.Callback):
    """Times the steps after the first few; waits for each step's loss, as training does to check it."""

    def __init__(self) -> None:
        super().__init__()
        self.started = self.ended = 0.0

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Note when the step ended."""
        float((logs or {})["loss"])
        self.ended = time.perf_counter()
        if batch == SETTLING - 1:
            self.started = self.ended


def main() -> None:
    """Measure, print a table."""
    options = arguments()
    print(machine())
    plan = devices.choose(options.gpu, 0, False, devices.visible_gpus(), os.cpu_count() or 1)
    print(f"Device: {plan.reason}\n")
    settings = Train(model=options.model, batch_size=options.batch_size, image_size=options.image_size)
    with tempfile.TemporaryDirectory(prefix="deepfake-train-") as name, devices.open_strategy(plan).scope():
        table = frames(options.viddir, Path(name))
        model = _compiled(build_model(settings.model, image_size=settings.image_size, weights=None), settings)
        limits, rates, alone = measure(model, table, options)
    print_table(
        [
            row(
                f"training {options.model}, {len(table):,} files",
                "the same model fed from memory",
                limits,
                rates,
                LEAST_RATIO,
            ),
            row("reading alone, without the model", "the same", limits, alone),
        ]
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viddir", type=Path, help="videos in UADFV's layout [default: the shipped clips]")
    parser.add_argument("--model", default="efficientnet_lite0", help="architecture [%(default)s]")
    parser.add_argument("--image-size", type=int, help="side of its input, in pixels [default: the architecture's own]")
    parser.add_argument("--batch-size", type=int, default=16, help="images a step [%(default)s]")
    parser.add_argument("--steps", type=int, default=40, help="steps that are timed in a run [%(default)s]")
    parser.add_argument("--workers", type=int, help="threads that read images [default: as TensorFlow sees fit]")
    parser.add_argument("--gpu", help="as of deepfake train: cpu for none")
    parser.add_argument("--pairs", type=int, default=3, help="times that the limit and ours are measured [%(default)s]")
    return parser.parse_args()


def machine() -> str:
    """The machine and the versions, on lines of their own."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load {os.getloadavg()[0]:.1f} before" if hasattr(os, "getloadavg") else ""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").is_file() else ""
    name = next((line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")), "")
    versions = ", ".join(
        f"{package} {metadata.version(package)}" for package in ("tensorflow", "keras", "deepfake-cli")
    )
    where = f"{cores} cores, {name or platform.processor() or platform.machine()}{load}"
    return f"{where}\nPython {platform.python_version()}, {versions}"


def frames(viddir: Path | None, folder: Path) -> pd.DataFrame:
    """Face crops, as files, and their list."""
    most = MOST_FRAMES if viddir else None
    viddir, most = viddir or samples(folder / "raw"), MOST_FRAMES if viddir else None
    result = split(Split(adapter="uadfv", viddir=viddir, imgdir=folder / "img", max_frames=most, workers=1))
    if result.failed:
        sys.exit(f"{result.failed[0].video}: {result.failed[0].error}")
    return manifest.read(result.manifest)


def samples(root: Path) -> Path:
    """The shipped clips in UADFV's layout, each as a real and as a fake: the speed doesn't know the difference."""
    for number, (name, _) in enumerate(CLIPS):
        for path in (root / "real" / f"{number:04d}.mp4", root / "fake" / f"{number:04d}_fake.mp4"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes((FOLDER / name).read_bytes())
    return root


def measure(model: keras.Model, table: pd.DataFrame, options: argparse.Namespace) -> tuple[list[float], ...]:
    """Steps a second from memory, from files, and of reading alone."""
    files = pipeline.training_batches(
        table,
        image_size=image_size(model),
        batch_size=options.batch_size,
        steps=options.steps,
        workers=options.workers,
    )
    memory = tf.data.Dataset.from_tensors(next(iter(files))).repeat().prefetch(tf.data.AUTOTUNE)
    assert memory.element_spec == files.element_spec
    for batches in (memory, files):
        timed(model, batches, 1)
    limits, rates, alone = [], [], []
    for _ in range(options.pairs):
        limits.append(timed(model, memory, options.steps))
        rates.append(timed(model, files, options.steps))
        alone.append(read(files, options.steps))
    return limits, rates, alone


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


def row(what: str, limit: str, limits: list[float], rates: list[float], least: float | None = None) -> tuple[str, ...]:
    """A line of the table: the medians, and of the ratios, pair by pair, the median, the lowest and the highest."""
    ratios = [mine / most for mine, most in zip(rates, limits, strict=True)]
    ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    met = "met" if least is not None and statistics.median(ratios) >= least else "missed"
    target = "" if least is None else f">= {least}: {met}"
    return what, limit, f"{statistics.median(limits):.2f}", f"{statistics.median(rates):.2f}", ratio, target


def print_table(rows: list[tuple[str, ...]]) -> None:
    """As Markdown, so that it can be pasted into README.md."""
    rows = [("what", "limit", "limit, steps/s", "ours, steps/s", "ratio", "target"), *rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    for cells in rows:
        print("|", " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)), "|")


if __name__ == "__main__":
    main()
