"""How near scoring JPEG files comes to scoring images in memory: README.md here says how it is measured."""

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd

from deepfake_cli import devices, manifest, pipeline
from deepfake_cli.config import Split
from deepfake_cli.models import build_model
from deepfake_cli.samples import CLIPS, FOLDER
from deepfake_cli.steps.score import image_size, scores
from deepfake_cli.steps.split import split

LEAST_RATIO = 0.9
MOST_FRAMES = 16  # of each of a user's videos


def main() -> None:
    """Measure, print a table."""
    options = arguments()
    print(machine())
    plan = devices.choose(options.gpu, 0, False, devices.visible_gpus(), os.cpu_count() or 1)
    print(f"Device: {plan.reason}\n")
    with tempfile.TemporaryDirectory(prefix="deepfake-evaluate-") as name, devices.open_strategy(plan).scope():
        cut = frames(options.viddir, Path(name))
        table = cut.iloc[np.arange(options.images) % len(cut)].reset_index(drop=True)
        model = build_model(options.model, image_size=options.image_size, weights=None)
        limits, rates = measure(model, table, options)
    what = f"scoring by {options.model}, {len(table):,} images"
    print_table([row(what, "model.predict on an array of them", limits, rates, LEAST_RATIO)])


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


def measure(model: keras.Model, table: pd.DataFrame, options: argparse.Namespace) -> tuple[list[float], list[float]]:
    """Images a second from memory and from files."""
    given = {"batch_size": options.batch_size, "workers": options.workers}
    batches = pipeline.scoring_batches(table, image_size=image_size(model), **given)
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


def row(what: str, limit: str, limits: list[float], rates: list[float], least: float | None = None) -> tuple[str, ...]:
    """A line of the table: the medians, and of the ratios, pair by pair, the median, the lowest and the highest."""
    ratios = [mine / most for mine, most in zip(rates, limits, strict=True)]
    ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    met = "met" if least is not None and statistics.median(ratios) >= least else "missed"
    target = "" if least is None else f">= {least}: {met}"
    return what, limit, f"{statistics.median(limits):.1f}", f"{statistics.median(rates):.1f}", ratio, target


def print_table(rows: list[tuple[str, ...]]) -> None:
    """As Markdown, so that it can be pasted into README.md."""
    rows = [("what", "limit", "limit, images/s", "ours, images/s", "ratio", "target"), *rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    for cells in rows:
        print("|", " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)), "|")


if __name__ == "__main__":
    main()
