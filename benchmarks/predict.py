"""Time of `deepfake predict`, and its speed on a long video against its parts alone. See README.md."""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
from common import machine, print_columns, print_table, row, verdict

from deepfake_cli import Detector
from deepfake_cli.assets import CLIPS, FACE_DETECTOR, FOLDER, STARTER
from deepfake_cli.faces import find_face_detector
from deepfake_cli.faces.crop import crop
from deepfake_cli.media.video import frames

WIDTH, HEIGHT, FPS = 512, 384, 25
LIMIT = 1.5  # seconds from the start of the process to the verdict
LEAST_RATIO = 0.85
BATCH = 16
BARE = Path(__file__).with_name("bare_predict.py")


def main() -> None:
    """Measure both, print two tables."""
    options = arguments()
    print(machine("onnxruntime", "av", "numpy"), "\n", sep="")
    with tempfile.TemporaryDirectory(prefix="deepfake-predict-") as folder:
        short, long = (clip(Path(folder) / f"{count}.mp4", count) for count in (100, options.frames))
        command = [sys.executable, "-m", "deepfake_cli", "predict", str(short)]
        bare = [sys.executable, *map(str, (BARE, short, STARTER, FACE_DETECTOR))]
        rows = [("from the start of the process to the verdict", "median, s", "best, s", "limit, s")]
        times = in_turn(command, bare, options.runs)
        for what, found, limit in (
            (f"deepfake predict, 100 frames of {WIDTH}x{HEIGHT}", times[0], True),
            (f"{BARE.name}: one after the other, no command line, no checks", times[1], False),
        ):
            median = statistics.median(found)
            target = f"{LIMIT}: {verdict(-median, -LIMIT)}" if limit else ""
            rows.append((what, f"{median:.2f}", f"{min(found):.2f}", target))
        print_columns(rows)
        print()
        print_table([steady(name, long, options) for name in options.runtime], "frames/s")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="processes that are started [%(default)s]")
    parser.add_argument("--frames", type=int, default=1000, help="of the long video [%(default)s]")
    parser.add_argument("--pairs", type=int, default=3, help="times that the limit and ours are measured [%(default)s]")
    parser.add_argument("--runtime", nargs="+", default=["onnx"], help="as of deepfake predict [onnx]")
    return parser.parse_args()


def clip(path: Path, count: int) -> Path:
    """A shipped clip there and back again, as H.264 of `count` frames."""
    images = [cv2.resize(image, (WIDTH, HEIGHT)) for _, image in frames(FOLDER / CLIPS[0][0]) if image is not None]
    images += images[-2:0:-1]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(count):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(images[number % len(images)], "bgr24")))
        container.mux(stream.encode(None))
    return path


def in_turn(one: list[str], other: list[str], runs: int) -> list[list[float]]:
    """How long each of some runs of two commands takes, turn about, after one of each that warms up the file cache."""
    found: list[list[float]] = [[], []]
    for _ in range(runs + 1):
        for times, command in zip(found, (one, other), strict=True):
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times.append(time.perf_counter() - started)
    return [times[1:] for times in found]


def steady(runtime: str, path: Path, options: argparse.Namespace) -> tuple[str, ...]:
    """Frames a second of the whole, against decoding, finding faces and scoring crops, each alone and one after the other."""
    detector = Detector.load(runtime=runtime)
    limits, rates = [], []
    for _ in range(options.pairs):
        limits.append(options.frames / sum(bare(path, detector)))
        rates.append(options.frames / timed(lambda: detector.predict(path)))
    parts = "decode, detect on every second frame, score, one after the other"
    what = f"predict, {detector.network.runs_on}, {options.frames:,} frames of {WIDTH}x{HEIGHT}"
    return row(what, parts, limits, rates, LEAST_RATIO, digits=1)


def bare(path: Path, detector: Detector) -> tuple[float, float, float]:
    """Seconds of the three parts, with nothing round them."""
    images: list[np.ndarray] = []

    def decode() -> None:
        with av.open(str(path)) as container:
            images.extend(frame.to_ndarray(format="bgr24") for frame in container.decode(video=0))

    decoding, find = timed(decode), find_face_detector("rfb320")(0.7)
    detecting = timed(lambda: [find(image) for image in images[::2]])
    (box, *_), traits = find(images[0]), detector.traits
    crops = np.stack([crop(image, box, margin=traits.margin, size=traits.image_size)[..., ::-1] for image in images])
    scoring = timed(lambda: [detector.scores(crops[at : at + BATCH]) for at in range(0, len(crops), BATCH)])
    return decoding, detecting, scoring


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
