"""Images a second in training on one GPU, from memory and from files, against PyTorch in the same run. See README.md.

python benchmarks/gpu/steps.py resnet50 resnet50+self_blend efficientnet_b4 vit_clip_l14 --peer eager compile
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from common import Row, face_crops, machine, print_columns, verdict
from workers import Worker, ours, peer

LEAST = {"eager": 1.2, "compile": 0.9, "files": 0.95, "forged files": 0.85}
SOURCES = ("memory", "files")
OURS = "ours"
SIZES = {"resnet50": 224, "efficientnet_b4": 380, "vit_clip_l14": 224}  # of the models of torch_steps.py, as ours


class Training(NamedTuple):
    """What is trained, from ``MODEL[+FORGERY][:BATCH]``."""

    model: str
    forgery: str
    batch: int

    @classmethod
    def parse(cls, text: str) -> "Training":
        """Read it from the command line."""
        name, _, batch = text.partition(":")
        model, _, forgery = name.partition("+")
        return cls(model, forgery, int(batch or 64))

    def __str__(self) -> str:
        return f"{self.model}{f', {self.forgery}' if self.forgery else ''}, batch {self.batch}"


Rates = dict[tuple[Training, str, str], list[float]]  # of a training, ours or a peer's mode, and a source


def main() -> None:
    """Measure, print a table."""
    options = arguments()
    print(machine("tensorflow", "keras"), flush=True)
    with tempfile.TemporaryDirectory(prefix="deepfake-steps-") as name:
        face_crops(options.viddir, Path(name))
        listed = Path(name) / "img" / "manifest.csv"
        workers = {(training, OURS): our_worker(listed, training, options) for training in options.training}
        for training in options.training:
            for mode in modes(training, options):
                size = options.image_size or SIZES[training.model]
                workers[training, mode] = peer(options.peer_python, listed, training.model, training.batch, mode, size)
        try:
            report(options, workers)
        finally:
            for worker in workers.values():
                worker.close()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "training", nargs="+", type=Training.parse, metavar="MODEL[+FORGERY][:BATCH]", help="batch: 64 by default"
    )
    parser.add_argument("--viddir", type=Path, help="videos in UADFV's layout [default: the shipped clips]")
    parser.add_argument("--image-size", type=int, help="side of the input, in pixels [default: that of each model]")
    parser.add_argument("--seconds", type=float, default=2.0, help="that each is timed [%(default)s]")
    parser.add_argument("--pairs", type=int, default=3, help="times that each is measured [%(default)s]")
    parser.add_argument(
        "--patience", type=float, default=600, help="seconds that the processes have to prepare [%(default)s]"
    )
    parser.add_argument("--precision", default="auto", help="as of deepfake train")
    parser.add_argument("--xla", default="auto", help="as of deepfake train")
    parser.add_argument(
        "--peer", nargs="+", default=[], choices=("eager", "compile"), help="PyTorch, in an environment that has it"
    )
    parser.add_argument("--without", nargs="+", default=[], metavar="MODEL:MODE", help="peers to leave out")
    parser.add_argument("--peer-python", default=sys.executable, help="its interpreter [this one]")
    return parser.parse_args()


def our_worker(listed: Path, training: Training, options: argparse.Namespace) -> Worker:
    forgery = ["--forgery", training.forgery] if training.forgery else []
    size = ["--image-size", options.image_size] if options.image_size else []
    words = ["--precision", options.precision, "--xla", options.xla, *forgery, *size]
    return ours(listed, training.model, training.batch, *words)


def modes(training: Training, options: argparse.Namespace) -> list[str]:
    """How PyTorch runs the model; never, if it has no such model, or for a training with forgeries."""
    if training.model not in SIZES or training.forgery:
        return []
    return [mode for mode in options.peer if f"{training.model}:{mode}" not in options.without]


def report(options: argparse.Namespace, workers: dict[tuple[Training, str], Worker]) -> None:
    """Time the workers in turn; print the device, the table, and how they started."""
    facts, until = {}, time.monotonic() + options.patience
    for key, worker in workers.items():
        try:
            facts[key] = worker.wait(until)
            print(f"{key[0]}, {key[1]}: first step after {facts[key]['first step']:.1f} s", file=sys.stderr, flush=True)
        except RuntimeError as error:
            print(error, file=sys.stderr)
    print(f"Device: {next(iter(facts.values()))['device']}")
    for versions in {each["versions"] for each in facts.values() if "versions" in each}:
        print(versions)
    rates: Rates = {}
    for _ in range(options.pairs):
        for key in facts:
            for source in SOURCES:
                rate = workers[key].rate(source, options.seconds)
                rates.setdefault((*key, source), []).append(rate)
                print(f"{key[0]}, {key[1]}, from {source}: {rate:,.0f} images/s", file=sys.stderr, flush=True)
    print()
    header = ("what", "against", "ours, images/s", "theirs, images/s", "ratio", "target")
    print_columns([header, *(line for training in options.training for line in rows(training, options, rates))])
    print()
    print_columns([("process", "first step, s", "peak memory, GB"), *map(started, facts.items())])


def rows(training: Training, options: argparse.Namespace, rates: Rates) -> list[Row]:
    """Ours from files against from memory, and against the peers: medians, and the ratio of the medians."""
    if (training, OURS, SOURCES[0]) not in rates:
        return []
    mine = {source: rates[training, OURS, source] for source in SOURCES}
    least = LEAST["forged files" if training.forgery else "files"]
    lines = [compared(f"{training}, from files", "ours from memory", mine["files"], mine["memory"], least)]
    for source in SOURCES:
        for mode in modes(training, options):
            theirs = rates.get((training, mode, source))
            if not theirs:
                continue
            lines.append(compared(f"{training}, from {source}", f"PyTorch {mode}", mine[source], theirs, LEAST[mode]))
    return lines


def compared(what: str, against: str, ours: list[float], theirs: list[float], least: float) -> Row:
    mine, other = statistics.median(ours), statistics.median(theirs)
    target = f">= {least}: {verdict(mine / other, least)}"
    return what, against, f"{mine:,.0f}", f"{other:,.0f}", f"{mine / other:.2f}", target


def started(item: tuple[tuple[Training, str], dict]) -> Row:
    """How long the first step of a process took, while all of them started, and the memory of the GPU that it took."""
    (training, mode), facts = item
    memory = "" if facts["peak"] is None else f"{facts['peak']:.1f}"
    return f"{training}, {mode}", f"{facts['first step']:.1f}", memory


if __name__ == "__main__":
    main()
