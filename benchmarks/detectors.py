"""Detectors beside each other on real deepfakes: AUC of each set, error rates, size, time and memory. See README.md."""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from common import machine, print_columns
from real import RESAMPLES, File, Rows, auc, called, cell, files, progress, undecided

from deepfake_cli import Detector
from deepfake_cli.media.memory import MemorySource
from deepfake_cli.media.video import FrameSampler, FrameSource

CROPS, ROUNDS = 4, 8  # images of a batch, as predict scores them; batches that are timed


def main() -> None:
    """Judge every file with each detector, and print the table."""
    options = arguments()
    if options.speed:
        print(json.dumps(speed(options.detectors[0])))
        return
    print(machine("onnxruntime", "av"), "\n")
    speeds = {name: measured(options, name) for name in options.detectors}
    detectors = {name: Detector.load(name) for name in options.detectors}
    found: dict[str, Rows] = {name: [] for name in detectors}
    for each in progress(list(files(options.folder))):
        for name, row in judged(detectors, options.max_frames, *each):
            found[name].append(row)
    sets = list(dict.fromkeys(row.set for row in found[options.detectors[0]]))
    header = ("detector", "MB", "CPU ms per crop", "peak MB", "AUC of all", *(f"AUC of {name}" for name in sets))
    rows = table(found, speeds, sets)
    print_columns([(*header, "reals called fake", "fakes called real", "undecided"), *rows])
    print(f"\nIntervals: 95 %, {RESAMPLES:,} resamples of groups, the same for each detector; none below ten groups.")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="holds SET/{real,fake}/GROUP__NAME.ext, as for real.py")
    parser.add_argument("detectors", nargs="+", help="exported ones; starter for the one in the package")
    parser.add_argument("--max-frames", type=int, default=32, help="of a video [default: 32]")
    parser.add_argument("--speed", action="store_true", help="print time and memory of the first as JSON")
    return parser.parse_args()


def measured(options: argparse.Namespace, name: str) -> dict[str, float]:
    """Time and memory, in a process of its own."""
    words = [sys.executable, __file__, str(options.folder), name, "--speed"]
    return json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)


def speed(name: str) -> dict[str, float]:
    """Processor time of a crop in one thread, the most memory that the process held, and the file's size."""
    detector = Detector.load(name, threads=1)
    size = detector.traits.image_size
    crops = np.random.default_rng(0).integers(0, 256, (CROPS, size, size, 3), np.uint8)
    times = []
    for _ in range(ROUNDS + 1):
        start = time.process_time()
        detector.network.scores(crops)
        times.append((time.process_time() - start) / CROPS)
    bytes_ = Path(name).stat().st_size if Path(name).is_file() else 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"ms": 1000 * float(np.median(times[1:])), "peak": peak, "size": bytes_ / 1e6}


class Once(MemorySource):
    """The selected frames of a file, decoded once for all detectors, with their own indices."""

    def __init__(self, path: Path, most: int):
        source = FrameSource(path)
        self.kept = list(source.frames(FrameSampler(most=most, total=source.count())))
        super().__init__([image for _, image in self.kept], str(path), is_image=source.is_image)

    def frames(self, *_: Any) -> Iterator[Any]:
        """The frames that were kept, again for each detector."""
        return iter(self.kept)


def judged(detectors: dict[str, Detector], most: int, path: Path, label: str, kind: str) -> Iterator[tuple[str, File]]:
    source = Once(path, most)
    group, _, name = path.stem.partition("__")
    for each, detector in detectors.items():
        verdict = detector.judge(path, frames=source, max_frames=most)
        score = float("nan") if verdict.score is None else float(verdict.score)
        yield each, File(path.parts[-3], kind, group, name, label == "fake", verdict.label, score, np.nan, np.nan)


def table(found: dict[str, Rows], speeds: dict[str, dict[str, float]], sets: list[str]) -> Iterator[tuple[str, ...]]:
    for name, rows in found.items():
        size, ms, peak = (speeds[name][key] for key in ("size", "ms", "peak"))
        aucs = (cell(auc, [row for row in rows if part in ("", row.set)]) for part in ("", *sets))
        rates = (cell(figure, rows) for figure in (called(False, "fake"), called(True, "real"), undecided))
        yield (Path(name).stem, f"{size:.2g}" if size else "", f"{ms:.3g}", f"{peak:.0f}", *aucs, *rates)


if __name__ == "__main__":
    main()
