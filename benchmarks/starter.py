"""How the detector in the package does on lists of split or make-csv that it has not seen. README.md here says how."""

import argparse
from pathlib import Path

import cv2
import numpy as np
from common import machine, print_columns

from deepfake_cli import Detector, manifest, metrics
from deepfake_cli.video import read_image

BATCH = 32
FIGURES = ("auc", "eer", "balanced_accuracy")


def main() -> None:
    """Score every list's crops, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lists", type=Path, nargs="+", help="manifest.csv of split, or a list of make-csv")
    parser.add_argument("--detector", type=Path, help="an exported one [default: the one in the package]")
    parser.add_argument("--runtime", default="onnx", help="as of deepfake predict [%(default)s]")
    options = parser.parse_args()
    detector = Detector.load(options.detector, runtime=options.runtime)
    print(machine("onnxruntime"), f"\n{detector.network.runs_on}, threshold {detector.threshold:.3f}\n")
    rows = [("list", "level", "reals", "fakes", *FIGURES)]
    for each in options.lists:
        table = manifest.read(each)
        found = metrics.assess(table.assign(score=scores(detector, table["path"].tolist())), detector.threshold)
        for level in ("frame", "video"):
            part = found[level]
            counts = (str(part["real"]), str(part["fake"]))
            rows.append((each.parent.name, level, *counts, *(cell(part[name]) for name in FIGURES)))
    print_columns(rows)


def scores(detector: Detector, paths: list[str]) -> np.ndarray:
    """Probability of fake of crops in files, float64 (files,)."""
    size = (detector.traits.image_size,) * 2
    parts = []
    for start in range(0, len(paths), BATCH):
        images = [read_image(Path(path)) for path in paths[start : start + BATCH]]
        crops = [cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), size) for image in images if image is not None]
        parts.append(detector.scores(np.stack(crops)))
    return np.concatenate(parts)


def cell(figure: dict[str, float]) -> str:
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


if __name__ == "__main__":
    main()
