"""Train the detector that the package ships, ``samples/starter.onnx``, on real faces alone; docs/starter.md is its card.

    python scripts/train_starter.py MEDIA starter.onnx --work work

MEDIA holds videos and photographs of real faces in a folder ``real``; nothing there is forged. First some people are held
out, to choose the threshold on forged copies of them; then all are trained on, as long.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

FRAMES = 16  # of each video: photographs show one person each, and would be drowned
RECIPE = (
    "--real-only --forgery cross_blend --degradation jpeg,blur,rescale --model efficientnet_lite0 --lr 3e-4 "
    "--schedule cosine --warmup 0.3 --cache --no-snapshots --seed 0"
)


def main() -> None:
    """Split, list, train twice, export."""
    options = arguments()
    frames, lists = options.work / "img", options.work / "csv"
    deepfake("split", "folder", "--viddir", options.media, "--imgdir", frames, "--faces", "all", "--max-frames", FRAMES)
    deepfake("make-csv", "folder", "--imgdir", frames, "--csvdir", lists, "--ratio", 0.8, "--seed", 1)
    val = ["--val-annotations", lists / "val" / "validation.csv"]
    chosen = train("held-out", [lists / "train" / "train.csv", *val, "--epochs", 4, "--steps", 50], options)
    final = train("all", [frames / "manifest.csv", "--no-evaluation", "--epochs", 4, "--steps", 60], options)
    known = json.loads((chosen / "recipe.json").read_text())["history"][-1]  # of the epoch that the other ends with
    print(f"Held-out people: frame AUC {known['val_auc']:.3f}, threshold {known['threshold']:.3f}")
    write(final / "best.keras", options.output, known["threshold"])
    print(f"Wrote {options.output}, {options.output.stat().st_size / 1e6:.1f} MB")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("media", type=Path, help="a folder whose sub-folder real holds videos and photographs")
    parser.add_argument("output", type=Path, help="the detector, .onnx")
    parser.add_argument("--work", type=Path, default=Path("work"), help="where frames, lists and runs go [%(default)s]")
    return parser.parse_args()


def train(name: str, words: list[object], options: argparse.Namespace) -> Path:
    """Train a run, unless it is there already."""
    run = options.work / "runs" / name
    if not (run / "best.keras").is_file():
        deepfake("train", *words, "--snapshot-path", run, *RECIPE.split())
    return run


def write(snapshot: Path, output: Path, threshold: float) -> None:
    """Export with this threshold, weights as float16."""
    from deepfake_cli.models import load_model
    from deepfake_cli.models.export_onnx import export_onnx
    from deepfake_cli.steps.export import traits_of

    model = load_model(snapshot)
    traits = replace(traits_of(model, snapshot), threshold=threshold)
    known = {name: traits.recipe[name] for name in ("seed", "versions") if name in traits.recipe}
    export_onnx(model, output, replace(traits, recipe=known | {"made": "scripts/train_starter.py"}), compact=True)


def deepfake(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "deepfake_cli", *map(str, words)], check=True)


if __name__ == "__main__":
    main()
