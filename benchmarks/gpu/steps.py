"""Images a second in training on one GPU, from memory and from files, against PyTorch in the same run. See README.md.

python benchmarks/gpu/steps.py --model resnet50 --batch-size 64 256 --peer eager compile
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from common import Row, face_crops, machine, print_columns, verdict
from workers import Worker, ours, peer

LEAST = {"eager": 1.2, "compile": 0.9, "files": 0.95, "forged files": 0.85}
SOURCES = ("memory", "files")


def main() -> None:
    """Measure, print a table."""
    options = arguments()
    print(machine("tensorflow", "keras"), flush=True)
    with tempfile.TemporaryDirectory(prefix="deepfake-steps-") as name:
        face_crops(options.viddir, Path(name))
        listed = Path(name) / "img" / "manifest.csv"
        workers = {
            (model, batch, "ours"): ours(listed, model, batch, *own(options))
            for model, batch in configurations(options)
        }
        sizes = {model: workers[model, options.batch_size[0], "ours"].wait()["size"] for model in options.model}
        for model, batch in configurations(options):
            for mode in options.peer:
                made = peer(options.peer_python, listed, model, batch, mode, sizes[model])
                workers[model, batch, mode] = made
        try:
            report(options, workers)
        finally:
            for worker in workers.values():
                worker.close()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viddir", type=Path, help="videos in UADFV's layout [default: the shipped clips]")
    parser.add_argument("--model", nargs="+", default=["resnet50"], help="architectures [%(default)s]")
    parser.add_argument("--batch-size", nargs="+", type=int, default=[64], help="images a step [%(default)s]")
    parser.add_argument("--steps", type=int, default=60, help="steps that are timed [%(default)s]")
    parser.add_argument("--pairs", type=int, default=3, help="times that each is measured [%(default)s]")
    parser.add_argument("--precision", default="auto", help="as of deepfake train")
    parser.add_argument("--xla", default="auto", help="as of deepfake train")
    parser.add_argument("--forgery", help="as of deepfake train")
    parser.add_argument(
        "--peer", nargs="+", default=[], choices=("eager", "compile"), help="PyTorch, in an environment that has it"
    )
    parser.add_argument("--peer-python", default=sys.executable, help="its interpreter [this one]")
    return parser.parse_args()


def configurations(options: argparse.Namespace) -> list[tuple[str, int]]:
    """Every model with every batch."""
    return [(model, batch) for model in options.model for batch in options.batch_size]


def own(options: argparse.Namespace) -> list[str]:
    """The options that our processes share."""
    forgery = ["--forgery", options.forgery] if options.forgery else []
    return ["--precision", options.precision, "--xla", options.xla, *forgery]


def report(options: argparse.Namespace, workers: dict[tuple[str, int, str], Worker]) -> None:
    """Time the workers in turn, and print what they are and the table."""
    facts = {key: worker.wait() for key, worker in workers.items()}
    print(f"Device: {next(iter(facts.values()))['device']}")
    for versions in {each["versions"] for each in facts.values() if "versions" in each}:
        print(versions)
    rates: dict[tuple[str, int, str, str], list[float]] = {}
    for _ in range(options.pairs):
        for source in SOURCES:
            for key, worker in workers.items():
                rates.setdefault((*key, source), []).append(worker.rate(source, options.steps))
    header = ("what", "against", "ours, images/s", "theirs, images/s", "ratio", "target")
    print()
    print_columns([header, *rows(options, rates)])
    print()
    print_columns([("process", "first step, s", "peak memory, GB"), *prepared(facts)])


def rows(options: argparse.Namespace, rates: dict[tuple[str, int, str, str], list[float]]) -> list[Row]:
    """Ours against the peers, and from files against from memory: medians, and the ratio of the medians."""
    forged = f", {options.forgery}" if options.forgery else ""
    of_files = "forged files" if options.forgery else "files"
    lines = []
    for model, batch in configurations(options):
        mine = {source: rates[model, batch, "ours", source] for source in SOURCES}
        what = f"{model}{forged}, batch {batch}"
        lines.append(
            compared(f"{what}, from files", "ours from memory", mine["files"], mine["memory"], LEAST[of_files])
        )
        for source in SOURCES:
            for mode in options.peer:
                theirs = rates[model, batch, mode, source]
                lines.append(compared(f"{what}, from {source}", f"PyTorch {mode}", mine[source], theirs, LEAST[mode]))
    return lines


def compared(what: str, against: str, ours: list[float], theirs: list[float], least: float) -> Row:
    mine, other = statistics.median(ours), statistics.median(theirs)
    target = f">= {least}: {verdict(mine / other, least)}"
    return what, against, f"{mine:,.0f}", f"{other:,.0f}", f"{mine / other:.2f}", target


def prepared(facts: dict[tuple[str, int, str], dict]) -> list[Row]:
    """How long the first step of each process took, while all prepared theirs, and the memory of the GPU that it took."""
    return [
        (
            f"{model}, batch {batch}, {mode}",
            f"{each['first step']:.1f}",
            "" if each["peak"] is None else f"{each['peak']:.1f}",
        )
        for (model, batch, mode), each in facts.items()
    ]


if __name__ == "__main__":
    main()
