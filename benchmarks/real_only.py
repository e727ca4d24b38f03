"""AUC on unseen fakes after training on reals and pseudo-fakes. See README.md."""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from common import machine, print_columns, verdict

LEAST = 0.92  # median frame AUC on each set
RECIPE = (
    "--model efficientnet_lite0 --epochs 3 --steps 50 --lr 3e-4 --schedule cosine --warmup 0.3 --cache "
    "--forgery cross_blend --degradation jpeg,blur,rescale"
)


def main() -> None:
    """Train on all reals, and on those of the other sets, with every seed; print a table."""
    options = arguments()
    print(machine("tensorflow", "keras"), "\n", sep="")
    rows = [("reals of", "measured on", "frame AUC, by seed", "median", "target")]
    for name, lists, tests in plans(options):
        found = [
            dict(measured(f"{name}-{seed}".replace(" ", "-"), lists, tests, seed, options))
            for seed in range(options.seeds)
        ]
        for test in tests:
            aucs = [each[test] for each in found]
            middle = statistics.median(aucs)
            target = f">= {LEAST}: {verdict(middle, LEAST)}"
            rows.append((name, test.name, ", ".join(f"{auc:.3f}" for auc in aucs), f"{middle:.3f}", target))
        print(rows[-len(tests) :], file=sys.stderr, flush=True)
    print_columns(rows)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "sets", type=Path, nargs="+", help="folders of split, with reals and fakes: measured on, and trained on"
    )
    parser.add_argument(
        "--more", type=Path, nargs="*", default=[], help="folders of split whose reals are trained on too"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where the runs go [%(default)s]")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0 to N - 1 [%(default)s]")
    parser.add_argument("--apart", action="store_true", help="measure each set also without its own reals in training")
    parser.add_argument("--recipe", default=RECIPE, help="of deepfake train [%(default)s]")
    return parser.parse_args()


def plans(options: argparse.Namespace) -> Iterator[tuple[str, list[Path], list[Path]]]:
    """What is trained on which sets' reals, and measured on which sets."""
    yield "all sets", [*options.sets, *options.more], options.sets
    for each in options.sets if options.apart else []:
        yield f"all but {each.name}", [other for other in (*options.sets, *options.more) if other != each], [each]


def measured(
    name: str, lists: list[Path], tests: list[Path], seed: int, options: argparse.Namespace
) -> Iterator[tuple[Path, float]]:
    """Frame AUC of the last epoch on each set; a run that is there already is not trained again."""
    run = options.runs / name
    if not (run / "best.keras").is_file():
        given = ["--real-only", "--no-evaluation", "--no-snapshots", "--snapshot-path", run, "--seed", seed]
        deepfake("train", *(each / "manifest.csv" for each in lists), *given, *options.recipe.split())
    for test in tests:
        output = run / test.name
        deepfake("evaluate", test / "manifest.csv", run / "best.keras", "--output", output, "--resamples", 0)
        yield test, json.loads((output / "metrics.json").read_text())["frame"]["auc"]["value"]


def deepfake(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "deepfake_cli", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
