"""Frames a second of predict on a long video: ONNX Runtime on the GPU against all cores of the CPU, in turn. See README.md.

python benchmarks/gpu/judge.py --detector best.onnx
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from common import machine, print_columns, verdict
from predict import clip, timed

from deepfake_cli import Detector
from deepfake_cli.assets import STARTER
from deepfake_cli.inference.runtimes.cuda_libraries import CPU
from deepfake_cli.inference.runtimes.onnx import load_on

LEAST, BATCH = 3.0, 64


def main() -> None:
    """Measure, print a table."""
    options = arguments()
    print(machine("av", "numpy") + "\n")
    with tempfile.TemporaryDirectory(prefix="deepfake-predict-") as folder:
        video = clip(Path(folder) / "long.mp4", options.frames)
        on_cpu = Detector(load_on(options.detector or STARTER, None, [CPU]))
        detectors = [on_cpu, Detector.load(options.detector, runtime=options.runtime)]
        size = detectors[0].traits.image_size
        crops = np.zeros((BATCH, size, size, 3), np.uint8)
        whole: list[list[float]] = [[], []]
        alone: list[list[float]] = [[], []]
        for number in range(options.pairs + 1):
            for place, detector in enumerate(detectors):
                whole[place].append(options.frames / timed(lambda used=detector: used.predict(video)))
                alone[place].append(BATCH / timed(lambda used=detector: used.scores(crops)))
            if not number:  # a warm-up
                whole, alone = [[], []], [[], []]
    names = [detector.network.runs_on for detector in detectors]
    rows = [("what", *(f"{name}, a second" for name in names), "ratio", "target")]
    for what, rates in ((f"frames of predict, {options.frames:,} frames", whole), ("crops scored alone", alone)):
        medians = [statistics.median(each) for each in rates]
        ratio = medians[1] / medians[0]
        target = f">= {LEAST:g}: {verdict(ratio, LEAST)}" if rates is whole else ""
        rows.append((what, *(f"{median:,.0f}" for median in medians), f"{ratio:.2f}", target))
    print_columns(rows)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detector", type=Path, help="an .onnx file [default: the starter detector]")
    parser.add_argument("--runtime", default="cuda", help="compared with ONNX Runtime on the CPU [%(default)s]")
    parser.add_argument("--frames", type=int, default=2000, help="of the video [%(default)s]")
    parser.add_argument("--pairs", type=int, default=3, help="times that each is measured [%(default)s]")
    return parser.parse_args()


if __name__ == "__main__":
    main()
