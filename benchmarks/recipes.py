"""AUC on another data set of each choice in the training recipe. See README.md."""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from common import machine, print_columns

FORGED = "--forgery cross_blend,self_blend,face_warp"
DEGRADED = "--degradation jpeg,blur,rescale"
RECIPES = {  # what differs from the first
    "the defaults": "",
    "degradations": DEGRADED,
    "forgeries beside the fakes": FORGED,
    "both": f"{FORGED} {DEGRADED}",
    "reals only, cross-blended, degraded": f"--forgery cross_blend --real-only {DEGRADED}",
    "EMA 0.98": "--ema 0.98",
    "cosine, warm-up of half an epoch": "--schedule cosine --warmup 0.5",
    "AdamW, decay 0.01": "--weight-decay 0.01",
    "label smoothing 0.1": "--label-smoothing 0.1",
    "no balance": "--no-balance",
    "no random transform": "--no-random-transform",
    "no clipping": "--clip-norm 0",
    "the head only": "--tune head",
    "norms and head only": "--tune norm",
    "the head for an epoch, then all": "--tune head --unfreeze-epoch 1",
}
SETS = {"timit": "uadfv", "uadfv": "timit"}  # trained on, measured on


def main() -> None:
    """Train every recipe with every seed in both directions, print a table after each."""
    options = arguments()
    print(machine("tensorflow", "keras"), "\n", sep="")
    chosen = {name: words for name, words in RECIPES.items() if not options.only or name in options.only}
    found: dict[str, dict[str, list[float]]] = {}
    for name, words in chosen.items():
        found[name] = {source: list(aucs(name, words, source, options)) for source in SETS}
        print(f"{name}: {found[name]}", file=sys.stderr, flush=True)
    header = ("recipe", *(f"{source} to {target}" for source, target in SETS.items()), "mean of both")
    print_columns([header, *((name, *cells(each)) for name, each in found.items())])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folder", type=Path, help="where timit/ and uadfv/ are, as split and make-csv wrote them, and the runs go"
    )
    parser.add_argument("--only", action="append", help="measure this recipe; again for others [default: all]")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0 to N - 1 [%(default)s]")
    parser.add_argument("--lists", nargs="*", default=[], help="more lists to train on, beside either set's")
    parser.add_argument("--train", default="--model efficientnet_lite0 --epochs 6", help="what all share [%(default)s]")
    return parser.parse_args()


def aucs(name: str, words: str, source: str, options: argparse.Namespace) -> Iterator[float]:
    """Frame AUC on the other set, a seed at a time; a run that is there already is not trained again."""
    lists = options.folder / source / "csv"
    given = [lists / "train" / "train.csv", *options.lists, "--val-annotations", lists / "val" / "validation.csv"]
    for seed in range(options.seeds):
        run = options.folder / "runs" / f"{source}-{name.replace(' ', '-').replace(',', '')}-{seed}"
        if not (run / "best.keras").is_file():
            shared = ["--snapshot-path", run, "--seed", seed, "--no-snapshots", *options.train.split(), *words.split()]
            deepfake("train", *given, *shared)
        figures = run / "evaluation" / "metrics.json"
        if not figures.is_file():
            test = options.folder / SETS[source] / "manifest.csv"
            deepfake("evaluate", test, run / "best.keras", "--output", figures.parent, "--resamples", 0)
        yield json.loads(figures.read_text())["frame"]["auc"]["value"]


def deepfake(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "deepfake_cli", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def cells(found: dict[str, list[float]]) -> Iterator[str]:
    """Mean, and lowest to highest, of the seeds; of both directions last."""
    means = [statistics.mean(each) for each in found.values()]
    for mean, each in zip(means, found.values(), strict=True):
        yield f"{mean:.3f} ({min(each):.3f} to {max(each):.3f}), median {statistics.median(each):.3f}"
    yield f"{statistics.mean(means):.3f}"


if __name__ == "__main__":
    main()
