"""Speed of `deepfake split` against bare loops on the same cores. See README.md."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from common import Row, machine, print_table, row

from deepfake_cli.assets import CLIPS, FACE_DETECTOR, FOLDER
from deepfake_cli.commands.split import split
from deepfake_cli.config import Split
from deepfake_cli.datasets import find_clips
from deepfake_cli.faces.box import Box
from deepfake_cli.faces.crop import crop

WORKERS = 2
FEW = 4  # videos are enough for a rate that is for information
EVERY = Split.model_fields["detect_every"].default
REPEATS = 5  # of a clip in a video, which makes it about as long as one of UADFV
SIDES = (512, 384)  # pixels of the frames that faces are found in
JPEG = [cv2.IMWRITE_JPEG_QUALITY, 95]
LEAST_RATIO, LEAST_FACES, LEAST_TWICE = 0.85, 0.9, 1.9


class Span(NamedTuple):
    """Frames, and when the first was asked for and the last one written, in seconds of a clock that processes share."""

    frames: int
    started: float
    ended: float

    @property
    def rate(self) -> float:
        """Frames a second."""
        return self.frames / (self.ended - self.started)


def main() -> None:
    """Measure, print a table."""
    options = arguments()
    print(machine("opencv-python-headless", "onnxruntime", "numpy") + "\n")
    with tempfile.TemporaryDirectory(prefix="deepfake-split-") as name:
        folder = Path(name)
        rows = []
        if options.videos:
            rows += whole_frames(options.viddir or joined(folder / "whole", options.videos), folder, options.pairs)
        if options.face_videos:
            rows += faces(options.viddir or scaled(folder / "scaled", options.face_videos), folder, options.pairs)
    print_table(rows, "frames/s")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viddir", type=Path, help="videos in UADFV's layout [default: the shipped clips, repeated]")
    parser.add_argument(
        "--videos",
        type=int,
        default=36,
        help="videos made of the shipped clips for --crop none; 0: leave it out [%(default)s]",
    )
    parser.add_argument("--face-videos", type=int, default=24, help="the same for --crop face [%(default)s]")
    parser.add_argument(
        "--pairs", type=int, default=3, help="times that each limit and ours are measured [%(default)s]"
    )
    return parser.parse_args()


def places(root: Path, videos: int) -> Iterator[tuple[Path, Path]]:
    """A shipped clip and the path of the video to make of it, in UADFV's layout."""
    for number in range(videos):
        kind, suffix = ("fake", "_fake") if number % 2 else ("real", "")
        (root / kind).mkdir(parents=True, exist_ok=True)
        yield FOLDER / CLIPS[number // 2 % len(CLIPS)][0], root / kind / f"{number // 2:04d}{suffix}.mp4"


def joined(root: Path, videos: int) -> Path:
    """Videos that repeat a clip's own H.264 packets: nothing is encoded anew."""
    for clip, path in places(root, videos):
        writer = writer_like(cv2.VideoCapture(str(clip)), path, "avc1", [cv2.VIDEOWRITER_PROP_RAW_VIDEO, 1])
        for _ in range(REPEATS):
            packets = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
            for packet in images(packets):
                writer.set(cv2.VIDEOWRITER_PROP_KEY_FLAG, packets.get(cv2.CAP_PROP_LRF_HAS_KEY_FRAME))
                writer.write(packet)
        writer.release()
    return root


def scaled(root: Path, videos: int) -> Path:
    """Videos that repeat a clip, cut to 4:3, scaled and encoded as MPEG-4, which every OpenCV can write."""
    for clip, path in places(root, videos):
        writer = writer_like(cv2.VideoCapture(str(clip)), path, "mp4v", [], SIDES)
        pictures = [cv2.resize(four_by_three(image), SIDES) for image in images(cv2.VideoCapture(str(clip)))]
        for image in pictures * REPEATS:
            writer.write(image)
        writer.release()
    return root


def writer_like(source: Any, path: Path, code: str, parameters: list[int], sides: tuple[int, int] | None = None) -> Any:
    own = int(source.get(cv2.CAP_PROP_FRAME_WIDTH)), int(source.get(cv2.CAP_PROP_FRAME_HEIGHT))
    fourcc, rate = cv2.VideoWriter.fourcc(*code), source.get(cv2.CAP_PROP_FPS)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, rate, sides or own, parameters)
    if not writer.isOpened():
        sys.exit(f"OpenCV {cv2.__version__} cannot write {path} as {code}; give videos of your own with --viddir.")
    return writer


def four_by_three(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    left = (width - height * 4 // 3) // 2
    return image[:, left : width - left]


def images(capture: Any) -> Iterator[np.ndarray]:
    while True:
        read, image = capture.read()
        if not read:
            return
        yield image


def open_video(path: Path) -> Any:
    """Open for one decoding thread."""
    return cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])


# What is measured. Each gets the videos' folder, or their paths, and an empty folder to write in.


def bare_whole(paths: list[Path], out: Path) -> Span:
    """Decode and write; nothing else."""
    frames, started = 0, time.perf_counter()
    for number, path in enumerate(paths):
        (out / str(number)).mkdir(parents=True)
        for index, image in enumerate(images(open_video(path))):
            cv2.imwrite(f"{out}/{number}/{index:05d}.jpg", image, JPEG)
            frames += 1
    return Span(frames, started, time.perf_counter())


def bare_faces(paths: list[Path], out: Path, every: int) -> Span:
    """Decode, find the best face on every N-th frame, cut it out, write it; no tracks, no list."""
    import onnxruntime  # here, or every worker of ours would load it as it begins

    frames, started = 0, time.perf_counter()
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(FACE_DETECTOR), settings, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    scaled = ((np.arange(256) - 127) / 128).astype(np.float32)
    for number, path in enumerate(paths):
        (out / str(number)).mkdir(parents=True)
        for index, image in enumerate(images(open_video(path))):
            if index % every == 0:
                small = cv2.cvtColor(cv2.resize(image, (320, 240)), cv2.COLOR_BGR2RGB)
                found = session.run(None, {name: cv2.LUT(small, scaled)[None]})[0][0]
                best = found[found[:, 1].argmax()]
                height, width = image.shape[:2]
                box = Box(*(best[2:] * (width, height, width, height)).tolist())
            frames += 1
            if best[1] >= 0.7:
                cv2.imwrite(f"{out}/{number}/{index:05d}.jpg", crop(image, box, margin=1.3, size=256), JPEG)
    return Span(frames, started, time.perf_counter())


def ours(viddir: Path, out: Path, crop: str, workers: int, every: int = EVERY) -> Span:
    """The package's function, as the command calls it."""
    started = time.perf_counter()
    given = {"crop": crop, "boxes": crop == "face", "workers": workers, "detect_every": every}
    result = split(Split.model_validate({"adapter": "uadfv", "viddir": viddir, "imgdir": out} | given))
    ended = time.perf_counter()
    if result.failed:
        sys.exit(f"{result.failed[0].video}: {result.failed[0].error}")
    return Span(sum(len(video.rows) for video in result.videos), started, ended)


def command(viddir: Path, out: Path, crop: str, workers: int) -> float:
    """The command: seconds from the start of the process to its end."""
    words = ["split", "uadfv", "--viddir", viddir, "--imgdir", out, "--crop", crop, "--workers", workers]
    words += ["--no-boxes"] if crop == "none" else []
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "deepfake_cli", *map(str, words)], check=True, capture_output=True)
    return time.perf_counter() - started


def side_by_side(work: Callable[..., Span], paths: list[Path], out: Path, *given: Any) -> Span:
    """As many bare loops at once as there are workers: what this machine's cores give when all are busy."""
    with ProcessPoolExecutor(WORKERS, get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        shares = [pool.submit(work, paths[number::WORKERS], out / str(number), *given) for number in range(WORKERS)]
        spans = [share.result() for share in shares]
    started, ended = min(span.started for span in spans), max(span.ended for span in spans)
    return Span(sum(span.frames for span in spans), started, ended)


def on_one_core(work: Callable[..., Span], *given: Any) -> Span:
    """Run `work` in a fresh process that has one core, where the system can bind it, and one thread of OpenCV's."""
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=bind) as pool:
        return pool.submit(work, *given).result()


def bind() -> None:
    cv2.setNumThreads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


# The two comparisons.


def whole_frames(viddir: Path, folder: Path, pairs: int) -> list[Row]:
    """Whole frames, by all workers, against the bare loop on one core and on all."""
    paths = videos(viddir)
    limits, both, rates, commands = [], [], [], []
    for number in range(pairs + 1):  # the first round warms the file cache up
        limit = fresh(folder, lambda out: on_one_core(bare_whole, paths, out))
        found = fresh(folder, lambda out: ours(viddir, out, "none", WORKERS))
        if limit.frames != found.frames:
            sys.exit(f"The bare loop read {limit.frames} frames, split {found.frames}: they cannot be compared.")
        beside = fresh(folder, lambda out: side_by_side(bare_whole, paths, out))
        seconds = fresh(folder, lambda out: command(viddir, out, "none", WORKERS))
        if number:
            limits.append(WORKERS * limit.rate)
            both.append(beside.rate)
            rates.append(found.rate)
            commands.append(limit.frames / seconds)
    what, twice = f"--crop none, {WORKERS} workers", f"{WORKERS} x a bare loop on one core"
    return [
        row(f"{what} ({len(paths)} videos, {limit.frames:,} frames)", twice, limits, rates, LEAST_RATIO),
        row("the same", f"{WORKERS} bare loops side by side", both, rates),
        row("the whole command", twice, limits, commands),
    ]


def faces(viddir: Path, folder: Path, pairs: int) -> list[Row]:
    """Face crops: by one worker that has one core, against bare loops on one core; and by two, against one."""
    paths = videos(viddir)
    few = some_of(viddir, folder / "few")
    works: dict[str, Callable[[Path], Span]] = {
        "ours, each": lambda out: on_one_core(ours, few, out, "face", 1, 1),
        "bare, each": lambda out: on_one_core(bare_faces, videos(few), out, 1),
        "ours": lambda out: on_one_core(ours, viddir, out, "face", 1),
        "bare": lambda out: on_one_core(bare_faces, paths, out, EVERY),
        "two": lambda out: ours(viddir, out, "face", WORKERS),
        "two bare": lambda out: side_by_side(bare_faces, paths, out, EVERY),
    }
    rates: dict[str, list[float]] = {name: [] for name in works}
    for number in range(pairs + 1):
        for name, work in works.items():
            span = fresh(folder, work)
            if number:
                rates[name].append(span.rate)
    what = f"--crop face, 1 worker ({len(paths)} videos, {span.frames:,} frames)"
    each = "a bare loop, the detector on each frame"
    return [
        row("--crop face --detect-every 1, 1 worker", each, rates["bare, each"], rates["ours, each"], LEAST_FACES),
        row(what, each, rates["bare, each"], rates["ours"]),
        row("the same", f"a bare loop, the detector on every {EVERY}nd frame", rates["bare"], rates["ours"]),
        row(f"--crop face, {WORKERS} workers", "the 1 worker", rates["ours"], rates["two"], LEAST_TWICE),
        row(f"{WORKERS} bare loops side by side", "1 such loop", rates["bare"], rates["two bare"]),
    ]


def some_of(viddir: Path, few: Path) -> Path:
    """A folder of the same layout with the first videos only."""
    for path in videos(viddir)[:FEW]:
        link = few / path.relative_to(viddir)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path.resolve())
    return few


def videos(viddir: Path) -> list[Path]:
    paths = [clip.path for clip in find_clips("uadfv", viddir)]
    if not all(path.is_file() for path in paths):
        sys.exit(f"{viddir}: holds folders of frames; give video files.")
    return paths


def fresh(folder: Path, work: Callable[[Path], Span]) -> Span:
    """Run `work` with an empty folder, which is gone, and written back to disk, before the next one starts."""
    out = folder / "out"
    out.mkdir()
    try:
        return work(out)
    finally:
        shutil.rmtree(out)
        if hasattr(os, "sync"):
            os.sync()


if __name__ == "__main__":
    main()
