"""The frames of a face with the highest scores as one image, and below each its heat map."""

from collections.abc import Sequence
from pathlib import Path

from deepfake_cli.explain.top_frames import TopFrame
from deepfake_cli.reporting.heat_map import overlay
from deepfake_cli.reporting.image_grid import Row, Tile, image_grid, save

SIDE = 224  # pixels of a face


def sheet(path: Path, frames: Sequence[TopFrame]) -> None:
    """Write the sheet as a PNG, whole or not at all.

    Args:
        path: of the PNG.
        frames: one or more frames of a face.
    """
    rows = [Row([Tile(frame.face[..., ::-1]) for frame in frames], "crop")]
    if any(frame.heat is not None for frame in frames):
        maps = [None if frame.heat is None else overlay(frame.face, frame.heat)[..., ::-1] for frame in frames]
        rows.append(Row([*map(Tile, maps)], "heat map"))
    headings = [f"frame {frame.moment.frame}: {frame.moment.score:.3f}" for frame in frames]
    save(path, image_grid(rows, SIDE, headings=headings))
