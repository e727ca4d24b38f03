"""The same training on the CPU in float32 and on a GPU in its fastest precision: do their AUCs agree? See README.md.

python benchmarks/gpu/agree.py TRAIN.csv VALIDATION.csv
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from common import machine, print_columns, verdict

AUC_APART, SCORE_APART = 0.01, 1e-3


def main() -> None:
    """Train, evaluate, print a table."""
    options = arguments()
    print(machine("tensorflow", "keras") + "\n")
    with tempfile.TemporaryDirectory(prefix="deepfake-agree-") as name:
        runs, lists = Path(name), [options.train.resolve(), "--val-annotations", options.validation.resolve()]
        common = ["--model", options.model, "--epochs", options.epochs, "--seed", 0, "--no-onnx"]
        for run, device in {"cpu": ["--gpu", "cpu", "--precision", "float32"], "gpu": ["--gpu", "0"]}.items():
            deepfake(runs, "train", *lists, *common, "--run", run, *device)
        found = {
            (run, device): evaluated(runs, options.validation.resolve(), run, device)
            for run in ("cpu", "gpu")
            for device in ("cpu", "0")
        }
        more = ["--epochs", options.epochs + 1, "--gpu", "cpu"]
        resumed = deepfake(runs, "train", "--resume", "gpu", *more)
    auc = abs(found["cpu", "cpu"][0] - found["gpu", "0"][0])
    scores = max(abs(a - b) for a, b in zip(found["gpu", "cpu"][1], found["gpu", "0"][1], strict=True))
    print_columns(
        [
            ("what", "difference", "target"),
            ("frame AUC, trained on the CPU and on the GPU", f"{auc:.4f}", within(auc, AUC_APART)),
            ("scores of the GPU's snapshot, on the CPU and on the GPU", f"{scores:.2g}", within(scores, SCORE_APART)),
            ("the GPU's run, resumed on the CPU", "", "met" if "Best:" in resumed else "missed"),
        ]
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path, help="training list")
    parser.add_argument("validation", type=Path, help="validation list")
    parser.add_argument("--model", default="efficientnet_lite0", help="architecture [%(default)s]")
    parser.add_argument("--epochs", type=int, default=4, help="epochs of each training [%(default)s]")
    return parser.parse_args()


def deepfake(folder: Path, *words: Any) -> str:
    command = [sys.executable, "-m", "deepfake_cli", *map(str, words)]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


def evaluated(folder: Path, listed: Path, run: str, device: str) -> tuple[float, list[float]]:
    """The frame AUC and the scores of a run's best snapshot on a device."""
    import pandas as pd

    out = folder / f"{run}-on-{device}"
    snapshot = folder / "runs" / run / "best.keras"
    deepfake(folder, "evaluate", listed, snapshot, "--gpu", device, "--output", out, "--no-report")
    auc = json.loads((out / "metrics.json").read_text())["frame"]["auc"]["value"]
    return auc, pd.read_csv(out / "predictions.csv")["score"].tolist()


def within(value: float, most: float) -> str:
    return f"<= {most:g}: {verdict(-value, -most)}"


if __name__ == "__main__":
    main()
