"""Cost of 100,000 videos on 1, 16 and 256 machines, by a simulation validated on two nodes.

docs/scale.md has the last figures and what they assume.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
from cluster import nodes
from common import machine, print_columns
from simulation import Cluster, simulate

from deepfake_cli.assets import CLIPS, FOLDER
from deepfake_cli.config import Split
from deepfake_cli.datasets import find_clips
from deepfake_cli.distributed import each
from deepfake_cli.extraction.extract import Extracted, Job, extract
from deepfake_cli.media.video import frames

VIDEOS, MEAN_BYTES, TRAINED = 100_000, 4.7e6, 120_000  # of DFDC: 470 GB in all; clips that a run trains on
WIDTH, HEIGHT, FPS, SECONDS = 1920, 1080, 30, 10  # of a video of DFDC
EVERY = 10  # frames: 30 of a video
CORES, LINK, STORE = 16, 1.25e9, 12.5e9  # of a machine: its cores, bytes/s; bytes/s of the store. Assumed
GPU_IMAGES = 2500  # images/s that a data-centre GPU trains ResNet50 on at 224 pixels in mixed precision. Assumed
EPOCHS = 10
BATCH, GRADIENT = 256, 102e6  # images a step and GPU; bytes of ResNet50's gradient, which a ring of machines sums
MACHINES = (1, 16, 256)
CORE_HOUR, GPU_HOUR, GB_MONTH, PER_GET, PER_PUT = 0.04, 2.0, 0.023, 0.4e-6, 5e-6  # dollars; list prices. Assumed
REQUESTS = {
    "GET": 3,
    "PUT": 2,
}  # of split for a video, HEAD as dear as GET and LIST as PUT: tests/storage/test_remote.py counts them
NOTHING = 400  # jobs that do nothing, to see what handing them out takes


def main() -> None:
    """Measure, reproduce, extrapolate."""
    options = arguments()
    random.seed(0)
    print(machine("ray", "opencv-python-headless", "av") + "\n")
    with tempfile.TemporaryDirectory(prefix="deepfake-scale-") as name:
        folder = Path(name)
        videos = made(folder / "videos", options.videos)
        start, hand_out = overheads()
        seconds, tar = alone(videos, folder)
        slowdown = reproduced(videos, folder, seconds, start, hand_out)
    rate = trained_on_cpu()
    print(
        f"\na video of {SECONDS} s, {WIDTH}x{HEIGHT}: {statistics.mean(seconds):.2f} s of a core (split --every {EVERY} --pack)"
    )
    print(f"its tar: {tar / 1e6:.2f} MB; a worker's start: {start:.1f} s; handing a job out: {hand_out * 1e3:.1f} ms")
    print(f"a job beside another one on this machine takes {slowdown:.2f} times as long")
    print(f"ResNet50 trains on {rate:.2f} images/s a core\n")
    print_columns(extrapolated(seconds, tar, start, hand_out, rate))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=24, help="made of the shipped clips [%(default)s]")
    return parser.parse_args()


def made(root: Path, count: int) -> Path:
    """Videos as long as 40 to 160 % of DFDC's, as large as they are, in UADFV's layout."""
    encoded: dict[tuple[str, int], Path] = {}
    for number in range(count):
        name, length = CLIPS[number % len(CLIPS)][0], FPS * SECONDS * (40, 80, 100, 120, 160)[number % 5] // 100
        path = root / "real" / f"{number:04d}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        if (name, length) in encoded:
            path.hardlink_to(encoded[name, length])
        else:
            encode(path, name, length)
            encoded[name, length] = path
    return root


def encode(path: Path, name: str, length: int) -> None:
    images = [cv2.resize(image, (WIDTH, HEIGHT)) for _, image in frames(FOLDER / name) if image is not None][:30]
    images += images[-2:0:-1]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(length):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(images[number % len(images)], "bgr24")))
        container.mux(stream.encode(None))


def jobs(videos: Path, out: Path) -> list[Job]:
    settings = Split(adapter="uadfv", viddir=videos, imgdir=out, every=EVERY, pack=True)
    return [Job(clip, settings) for clip in find_clips("uadfv", videos)]


def nothing(number: int) -> int:
    return number


def overheads() -> tuple[float, float]:
    """Seconds until a node's worker has done its first job, and for each of many that do nothing."""
    with nodes(1) as address:
        first = timed(lambda: list(each(nothing, [0], lost=nothing, cluster=address)))
        many = timed(lambda: list(each(nothing, range(NOTHING), lost=nothing, cluster=address)))
        few = timed(lambda: list(each(nothing, [0], lost=nothing, cluster=address)))
    return first, max(0.0, (many - few) / NOTHING)


def alone(videos: Path, folder: Path) -> tuple[list[float], float]:
    """Seconds of one core for each video, and the mean size of a tar in bytes."""
    with empty(folder) as out:
        seconds = [timed(partial(extract, job)) for job in jobs(videos, out)]
        return seconds, statistics.mean(path.stat().st_size for path in out.rglob("*.tar"))


def reproduced(videos: Path, folder: Path, seconds: Sequence[float], start: float, hand_out: float) -> float:
    """Measure one and two nodes, print what the simulation says of them, and return how much two nodes slow each other down."""
    one, two = (cut(videos, folder, workers=count) for count in (1, 2))
    slowdown = max(1.0, 2 * two / one)
    rows: list[tuple[str, ...]] = [("on this machine", "measured, s", "simulated, s", "simulated / measured")]
    for count in (1, 2):
        with nodes(count) as address:
            measured = cut(videos, folder, cluster=address)
        cluster = Cluster(count, 1, start, hand_out, slowdown=slowdown if count > 1 else 1.0)
        simulated = simulate(cluster, seconds, [0.0] * len(seconds)).seconds
        what = f"{count} node{'s' * (count > 1)}, {len(seconds)} videos"
        rows.append((what, f"{measured:.1f}", f"{simulated:.1f}", f"{simulated / measured:.2f}"))
    print_columns(rows)
    return slowdown


def cut(videos: Path, folder: Path, **where: Any) -> float:
    """Seconds that it takes to cut all videos."""
    with empty(folder) as out:
        return timed(lambda: [done.error for done in each(extract, jobs(videos, out), lost=lost, **where)])


def lost(job: Job) -> Extracted:
    raise SystemExit(f"{job.clip.path}: the worker process died")


@contextmanager
def empty(folder: Path) -> Iterator[Path]:
    """A folder to write in, gone at the end."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        yield Path(name)


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def trained_on_cpu(batch: int = 8, steps: int = 6) -> float:
    """Images a second and core that ResNet50 trains on at 224 pixels, the first step left out."""
    import numpy as np

    from deepfake_cli.models import build_model

    model = build_model("resnet50", weights=None)
    model.compile("adam", "binary_crossentropy")
    images, labels = np.zeros((batch, 224, 224, 3), np.float32), np.arange(batch)[:, None] % 2
    model.train_on_batch(images, labels)
    seconds = timed(lambda: [model.train_on_batch(images, labels) for _ in range(steps)])
    return steps * batch / seconds / len(os.sched_getaffinity(0))


def extrapolated(
    seconds: Sequence[float], tar: float, start: float, hand_out: float, rate: float
) -> list[tuple[str, ...]]:
    """The plan: a set of DFDC's size, cut and trained on."""
    work = random.choices(seconds, k=VIDEOS)
    mean = statistics.mean(seconds)
    sizes = [MEAN_BYTES * each / mean + tar for each in work]
    images = TRAINED * FPS * SECONDS // EVERY * EPOCHS
    rows = [("", *(f"{count} machine{'s' * (count > 1)}" for count in MACHINES))]
    outcomes = [simulate(Cluster(count, CORES, start, hand_out, LINK, STORE), work, sizes) for count in MACHINES]
    rows.append(("split: hours", *(f"{each.seconds / 3600:.2f}" for each in outcomes)))
    rows.append(("split: the cores' share of the time", *(f"{each.busy:.0%}" for each in outcomes)))
    rows.append(("split: waits most for", *(each.bottleneck for each in outcomes)))
    core_hours = [count * CORES * each.seconds / 3600 for count, each in zip(MACHINES, outcomes, strict=True)]
    rows.append(("split: core-hours", *(f"{hours:,.0f} (${hours * CORE_HOUR:,.0f})" for hours in core_hours)))
    stored = VIDEOS * tar / 1e9
    rows.append(("tars in the store, GB", *[f"{stored:,.0f} (${stored * GB_MONTH:,.2f} a month)"] * 3))
    asked = VIDEOS * (REQUESTS["GET"] * PER_GET + REQUESTS["PUT"] * PER_PUT)
    rows.append(("split: requests", *[f"{VIDEOS * sum(REQUESTS.values()):,} (${asked:.2f})"] * 3))
    trained = [trained_hours(count, images, TRAINED * tar / 1e9) for count in MACHINES]
    what = f"train: {EPOCHS} epochs of ResNet50, a GPU a machine"
    rows.append((f"{what}: hours", *(f"{sum(hours):.2f}" for hours in trained)))
    names = ("computing", "summing gradients", "copying tars")
    rows += [(f"  of them {name}", *(f"{hours[place]:.2f}" for hours in trained)) for place, name in enumerate(names)]
    gpu_hours = [count * sum(hours) for count, hours in zip(MACHINES, trained, strict=True)]
    rows.append(("train: GPU-hours", *(f"{hours:,.1f} (${hours * GPU_HOUR:,.0f})" for hours in gpu_hours)))
    gets = [count * TRAINED for count in MACHINES]
    rows.append(("train: requests", *(f"{each:,} (${each * PER_GET:,.2f})" for each in gets)))
    hours = images / rate / 3600
    rows.append(("train on CPUs instead: core-hours", *[f"{hours:,.0f} (${hours * CORE_HOUR:,.0f})"] * len(MACHINES)))
    return rows


def trained_hours(count: int, images: int, stored: float) -> tuple[float, float, float]:
    """Hours of computing, of summing gradients over the machines, and of the first pass's copies: each machine needs all tars."""
    steps = images / (count * BATCH)
    summing = 2 * (count - 1) / count * GRADIENT / LINK
    copying = stored * 1e9 / min(LINK, STORE / count)
    return steps * BATCH / GPU_IMAGES / 3600, steps * summing / 3600, copying / 3600


if __name__ == "__main__":
    main()
