"""Time and peak memory of make-csv and its check on millions of rows, against limits.

The manifest is synthetic: many videos of 100 frames, twenty videos a person. The images are there as names (hard links to
one small file), so that the check for missing images does its work; none is read.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FRAMES, VIDEOS_OF_ONE = 100, 20
MOST_LINKS = 60_000  # of one file, that any file system takes
READ = "import sys; from pathlib import Path; from deepfake_cli.data import manifest; manifest.read(Path(sys.argv[1]))"


def main() -> None:
    """Time each command once and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--seconds", type=float, default=60, help="limit for each command")
    parser.add_argument("--gigabytes", type=float, default=4, help="limit for each command's peak memory")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before, {arguments.rows:,} rows\n")
    print("| what | seconds | limit | peak memory, GB | limit | |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        synthesize(Path("img"), arguments.rows)
        deepfake = [sys.executable, "-m", "deepfake_cli"]
        for what, command in (
            ("nothing: importing pandas and pyarrow", [sys.executable, "-c", "import pandas, pyarrow.csv"]),
            ("make-csv --test-ratio 0.1 --ratio 0.8", [*deepfake, "make-csv", "folder", "--test-ratio", "0.1"]),
            ("make-csv --check --check-frames 0", [*deepfake, "make-csv", "--check", "--check-frames", "0"]),
            ("make-csv --folds 5", [*deepfake, "make-csv", "folder", "--folds", "5"]),
            ("make-csv --check, of the folds", [*deepfake, "make-csv", "--check", "--check-frames", "0"]),
            ("reading the manifest as a list to train on", [sys.executable, "-c", READ, "img/manifest.csv"]),
        ):
            seconds, gigabytes = measure(command)
            met = seconds <= arguments.seconds and gigabytes <= arguments.gigabytes
            limits = f"{arguments.seconds:.0f} | {gigabytes:.2f} | {arguments.gigabytes:.0f}"
            print(f"| {what} | {seconds:.1f} | {limits} | {'met' if met else 'missed'} |", flush=True)


def measure(command: list[str]) -> tuple[float, float]:
    """Seconds and peak memory in GB of a command that must succeed."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command} failed")
    return time.perf_counter() - started, usage.ru_maxrss / 1024**2


def synthesize(imgdir: Path, rows: int) -> None:
    """Write a manifest of that many rows, and a name for each image."""
    from deepfake_cli.data import manifest

    imgdir.mkdir()
    manifest.write(imgdir / "manifest.csv", manifest.MANIFEST_COLUMNS, frames(imgdir, rows))


def frames(imgdir: Path, rows: int) -> Iterator[dict[str, Any]]:
    """The rows of the manifest, whose images are made as they are drawn."""
    links = 0
    for number in range(rows // FRAMES):
        label = ("real", "fake")[number % 2]
        video, person = f"{label}/clip_{number // 2:06d}", f"person_{number // VIDEOS_OF_ONE:05d}"
        (imgdir / video).mkdir(parents=True)
        facts = {"label": label, "dataset": "folder", "video": video, "group": person, "people": person}
        facts |= {"sources": f"clip_{number // 2:06d}", "box": "100.1 50.2 220.3 210.4", "score": "0.9991"}
        for frame in range(FRAMES):
            if links % MOST_LINKS == 0:
                image = imgdir / f"image{links // MOST_LINKS}"
                image.write_bytes(b"jpeg")
            links += 1
            name = f"{video}/{frame:05d}.jpg"
            os.link(image, imgdir / name)
            yield facts | {"path": name, "frame": frame}


if __name__ == "__main__":
    main()
