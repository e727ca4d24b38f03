"""Images a second from memory under each choice of how the training step runs: which should be the default? See README.md.

python benchmarks/gpu/choices.py --model resnet50 --batch-size 64
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from common import face_crops, machine, print_columns
from workers import Worker, ours

DEFAULTS = "the defaults"
CHOICES: dict[str, tuple[tuple[Any, ...], dict[str, str]]] = {  # arguments of our_steps.py, and its environment
    DEFAULTS: ((), {}),
    "float32": (("--precision", "float32"), {}),
    "XLA": (("--xla", "on"), {}),
    "no XLA": (("--xla", "off"), {}),
    "8 steps an execution": (("--per-execution", 8), {}),
    "batches copied to the device ahead": (("--ahead",), {}),
    "cuDNN's choice without a search": ((), {"TF_CUDNN_USE_AUTOTUNE": "0"}),
    "self_blend": (("--forgery", "self_blend"), {}),
    "self_blend, XLA": (("--forgery", "self_blend", "--xla", "on"), {}),
}


def main() -> None:
    """Measure, print a table."""
    options = arguments()
    print(machine("tensorflow", "keras"), flush=True)
    size = ("--image-size", options.image_size) if options.image_size else ()
    with tempfile.TemporaryDirectory(prefix="deepfake-choices-") as name:
        face_crops(None, Path(name))
        listed = Path(name) / "img" / "manifest.csv"
        workers = {
            what: ours(listed, options.model, options.batch_size, *size, *words, environment=environment)
            for what, (words, environment) in CHOICES.items()
            if what == DEFAULTS or what in options.choices
        }
        try:
            report(options, workers)
        finally:
            for worker in workers.values():
                worker.close()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="resnet50", help="architecture [%(default)s]")
    parser.add_argument(
        "--image-size", type=int, help="side of the input, in pixels [default: that of the architecture]"
    )
    parser.add_argument("--batch-size", type=int, default=64, help="images a step [%(default)s]")
    parser.add_argument("--seconds", type=float, default=2.0, help="that each is timed [%(default)s]")
    parser.add_argument("--pairs", type=int, default=3, help="times that each is measured [%(default)s]")
    parser.add_argument(
        "--choices",
        nargs="+",
        default=list(CHOICES),
        choices=CHOICES,
        help="that are measured, beside the defaults [all]",
    )
    return parser.parse_args()


def report(options: argparse.Namespace, workers: dict[str, Worker]) -> None:
    """Time the workers in turn, and print the table."""
    facts = {what: worker.wait() for what, worker in workers.items()}
    print(f"Device: {facts[DEFAULTS]['device']}\n")
    rates: dict[str, list[float]] = {}
    for _ in range(options.pairs):
        for what, worker in workers.items():
            rates.setdefault(what, []).append(worker.rate("memory", options.seconds))
    medians = {what: statistics.median(each) for what, each in rates.items()}
    rows = [
        (
            what,
            f"{median:,.0f}",
            f"{median / medians[DEFAULTS]:.2f}",
            f"{facts[what]['first step']:.1f}",
            "" if facts[what]["peak"] is None else f"{facts[what]['peak']:.1f}",
        )
        for what, median in medians.items()
    ]
    header = (
        f"{options.model}, batch {options.batch_size}",
        "images/s",
        "of the defaults",
        "first step, s",
        "peak, GB",
    )
    print_columns([header, *rows])


if __name__ == "__main__":
    main()
