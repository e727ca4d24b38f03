"""Shared parts of the benchmarks: the description of the machine, tables, and data made of the shipped clips."""

import os
import platform
import statistics
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from deepfake_cli.assets import CLIPS, FOLDER

if TYPE_CHECKING:
    import pandas as pd

MOST_FRAMES = 16  # of each of a user's videos, where models are measured
Row = tuple[str, ...]


def machine(*packages: str) -> str:
    """The machine and the versions, on lines of their own."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load {os.getloadavg()[0]:.1f} before" if hasattr(os, "getloadavg") else ""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").is_file() else ""
    name = next((line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")), "")
    versions = ", ".join(f"{package} {metadata.version(package)}" for package in (*packages, "deepfake-cli"))
    where = f"{cores} cores, {name or platform.processor() or platform.machine()}{load}"
    return f"{where}\nPython {platform.python_version()}, {versions}"


def row(
    what: str, limit: str, limits: list[float], rates: list[float], least: float | None = None, digits: int = 0
) -> Row:
    """A line of the table: the medians, and of the ratios, pair by pair, the median, the lowest and the highest."""
    ratios = [mine / most for mine, most in zip(rates, limits, strict=True)]
    ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    target = "" if least is None else f">= {least}: {verdict(statistics.median(ratios), least)}"
    return what, limit, *(f"{statistics.median(each):,.{digits}f}" for each in (limits, rates)), ratio, target


def verdict(value: float, least: float) -> str:
    return "met" if value >= least else "missed"


def print_table(rows: list[Row], unit: str) -> None:
    """As Markdown, so that it can be pasted into README.md."""
    print_columns([("what", "limit", f"limit, {unit}", f"ours, {unit}", "ratio", "target"), *rows])


def print_columns(rows: list[Row]) -> None:
    """Rows as a Markdown table; the first is its header."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cells in (rows[0], tuple("-" * width for width in widths), *rows[1:]):
        print("|", " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)), "|")


def face_crops(viddir: Path | None, folder: Path) -> "pd.DataFrame":
    """Face crops of the user's videos, or of the shipped clips, as files in `folder`, and their list."""
    from deepfake_cli.commands.split import split
    from deepfake_cli.config import Split
    from deepfake_cli.data import manifest

    most = MOST_FRAMES if viddir else None
    viddir = viddir or samples(folder / "raw")
    result = split(Split(adapter="uadfv", viddir=viddir, imgdir=folder / "img", max_frames=most, workers=1))
    if result.failed:
        sys.exit(f"{result.failed[0].video}: {result.failed[0].error}")
    return manifest.read(result.manifest)


def samples(root: Path) -> Path:
    """The shipped clips in UADFV's layout, each as a real and as a fake: the speed doesn't know the difference."""
    for number, (name, _) in enumerate(CLIPS):
        for path in (root / "real" / f"{number:04d}.mp4", root / "fake" / f"{number:04d}_fake.mp4"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes((FOLDER / name).read_bytes())
    return root
