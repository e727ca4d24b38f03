"""Overlap of boxes with `--detect-every N` and with detection on every frame. See README.md."""

import argparse
import statistics
import sys
from pathlib import Path

from common import Row, print_columns

from deepfake_cli.assets import CLIPS, FOLDER
from deepfake_cli.config import Split
from deepfake_cli.faces import rfb320
from deepfake_cli.faces.box import Box
from deepfake_cli.faces.tracking import ranked, track_faces
from deepfake_cli.media.video import VIDEO_SUFFIXES, frames

LEAST = 0.9  # intersection over union, on every frame


def main() -> None:
    """Compare, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", nargs="*", type=Path, help="videos, or folders of them [default: the shipped clips]")
    every = Split.model_fields["detect_every"].default
    parser.add_argument("--detect-every", type=int, default=every, help="as of deepfake split [%(default)s]")
    options = parser.parse_args()
    paths = [each for path in options.videos for each in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    paths = [path for path in paths if path.suffix.lower() in VIDEO_SUFFIXES] or [FOLDER / name for name, _ in CLIPS]
    rows = [compared(path, options.detect_every) for path in paths]
    print_columns([("video", "frames", "with the face", "in one only", "mean IoU", "least IoU", f">= {LEAST}"), *rows])
    sys.exit(any(cells[-1] == "missed" for cells in rows))


def compared(path: Path, every: int) -> Row:
    """The boxes of the largest track, smoothed and bridged as `deepfake split` does, both ways."""
    some, each = main_track(path, every), main_track(path, 1)
    overlaps = [box.overlap(each[index]) for index, box in some.items() if index in each]
    counts = str(sum(1 for _ in frames(path))), str(len(some)), str(len(some.keys() ^ each.keys()))
    if not overlaps:
        return path.name, *counts, "", "", "no face"
    figures = f"{statistics.mean(overlaps):.3f}", f"{min(overlaps):.3f}"
    return path.name, *counts, *figures, "met" if min(overlaps) >= LEAST else "missed"


def main_track(path: Path, every: int) -> dict[int, Box]:
    max_gap = Split.model_fields["max_gap"].default
    found = {index: boxes for index, _, boxes in track_faces(frames(path), rfb320(), every=every, max_gap=max_gap)}
    tracks = ranked(found.values())
    return {index: boxes[tracks[0]] for index, boxes in found.items() if tracks and tracks[0] in boxes}


if __name__ == "__main__":
    main()
