"""The contact sheet: random reals and fakes of each group side by side."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deepfake_cli.datasets.clip import LABELS
from deepfake_cli.media.image import read_image
from deepfake_cli.reporting.image_grid import Row, Tile, image_grid, save

if TYPE_CHECKING:
    import pandas as pd

SIDE = 112  # pixels of an image
PER_CLASS = 5  # images of a class in a row
MOST_ROWS = 12


def sheet(path: Path, table: "pd.DataFrame", seed: int) -> dict[str, int]:
    """Draw random images, a row per group: reals on the left, fakes on the right.

    Args:
        path: of the PNG.
        table: listed images with the columns path, label, dataset and group; unreadable ones are left grey.
        seed: of the choice of groups and images.

    Returns:
        ``groups``: number of groups; ``shown``: number of rows drawn.
    """
    rng = np.random.default_rng(seed)
    groups = [rows for _, rows in table.groupby(["dataset", "group"], observed=True, sort=True)]
    chosen = sorted(rng.permutation(len(groups))[:MOST_ROWS].tolist())
    several = table["dataset"].nunique() > 1
    rows = [Row(_tiles(groups[number], rng), _name(groups[number], several)) for number in chosen]
    title = f"{len(chosen)} of {len(groups)} groups, drawn at random" if len(chosen) < len(groups) else ""
    headings = [word for word in LABELS for _ in range(PER_CLASS)]
    save(path, image_grid(rows, SIDE, headings=headings, title=title))
    return {"groups": len(groups), "shown": len(chosen)}


def _name(rows: "pd.DataFrame", several: bool) -> str:
    """The group, with its data set if there are several."""
    dataset, group = rows[["dataset", "group"]].iloc[0]
    return f"{dataset}/{group}" if several else str(group)


def _tiles(rows: "pd.DataFrame", rng: np.random.Generator) -> list[Tile | None]:
    """Random images of each class; None where the group has fewer."""
    tiles: list[Tile | None] = []
    for label in range(len(LABELS)):
        paths = rows.loc[rows["label"] == label, "path"].to_numpy()
        images = [read_image(Path(str(paths[index]))) for index in rng.permutation(len(paths))[:PER_CLASS]]
        tiles += [Tile(None if image is None else image[..., ::-1], label) for image in images]
        tiles += [None] * (PER_CLASS - len(images))
    return tiles
