"""Time to the first step and steps per second with half precision and XLA. See README.md."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from common import face_crops, machine, print_columns

FIRST_STEP = 25  # seconds from the start of the process
KINDS = [("float32", "off"), ("mixed_bfloat16", "off"), ("mixed_float16", "off"), ("float32", "on")]
TIMED = """
import sys, time
from pathlib import Path
from deepfake_cli.config import Train
from deepfake_cli.commands.train import train

ends = []
train(Train.model_validate_json(sys.argv[1]), lambda event: ends.append((type(event).__name__, time.time())))
steps = [end for name, end in ends if name == "Stepped"]
print(steps[0], (len(steps) - 2) / (steps[-1] - steps[1]))
"""


def main() -> None:
    """Measure each kind in a process of its own, print a table."""
    options = arguments()
    print(machine("tensorflow", "keras"), "\n", sep="")
    with tempfile.TemporaryDirectory(prefix="deepfake-precision-") as name:
        face_crops(options.viddir, Path(name))
        found = {kind: measured(Path(name), *kind, options) for kind in KINDS}
    plain = found[KINDS[0]][1]
    rows = [("precision", "XLA", "first step, s after the start", "steps/s", "of float32 without XLA")]
    rows += [(*kind, f"{first:.1f}", f"{rate:.2f}", f"{rate / plain:.2f}") for kind, (first, rate) in found.items()]
    print_columns(rows)
    sys.exit(found[KINDS[0]][0] > FIRST_STEP)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viddir", type=Path, help="videos in UADFV's layout [default: the shipped clips]")
    parser.add_argument("--model", default="efficientnet_lite0", help="architecture [%(default)s]")
    parser.add_argument("--batch-size", type=int, default=16, help="images a step [%(default)s]")
    parser.add_argument("--steps", type=int, default=12, help="steps of a run [%(default)s]")
    parser.add_argument("--forgery", help="as of deepfake train")
    parser.add_argument("--gpu", help="as of deepfake train: cpu for none")
    return parser.parse_args()


def measured(folder: Path, precision: str, xla: str, options: argparse.Namespace) -> tuple[float, float]:
    """Seconds from the start of a process to its first step, and steps a second after the second."""
    from deepfake_cli.config import Train

    settings = Train(
        train_csv=[folder / "img" / "manifest.csv"],
        model=options.model,
        imagenet_weights=False,
        batch_size=options.batch_size,
        steps=options.steps,
        epochs=1,
        evaluation=False,
        snapshots=False,
        snapshot_path=folder / f"{precision}-{xla}",
        precision=precision,
        xla=xla,
        forgery=options.forgery,
        gpu=options.gpu,
    )
    started = time.time()
    command = [sys.executable, "-c", TIMED, settings.model_dump_json(exclude_unset=True)]
    first, rate = map(float, subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split())
    return first - started, rate


if __name__ == "__main__":
    main()
