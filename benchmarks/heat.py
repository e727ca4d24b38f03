"""Share of the mass of heat maps inside the mask of a pseudo-fake. See README.md."""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import numpy as np
import pandas as pd
from common import machine, print_columns

from deepfake_cli import Detector
from deepfake_cli.data import manifest
from deepfake_cli.forgery import FORGERIES
from deepfake_cli.media.image import read_image

RESAMPLES = 2000


def main() -> None:
    """Forge reals, take the maps of those that are called fake, print a table."""
    options = arguments()
    detector = Detector.load(options.detector)
    print(machine("onnxruntime"), f"\n{detector.network.runs_on}, threshold {detector.threshold:.3f}\n")
    shares = ("mass in the mask", "in another frame's mask", "mask's share of the crop", "ratio, 95 % over groups")
    rows = [("list", "forgery", "called fake", *shares)]
    for each in options.lists:
        reals = frames(each, options.frames)
        for name in FORGERIES:
            rows.append((each.parent.name, name, *measured(detector, reals, name)))
    print_columns(rows)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lists", type=Path, nargs="+", help="manifest.csv of split, or a list of make-csv, with reals")
    parser.add_argument("--detector", type=Path, help="an exported one [default: the one in the package]")
    parser.add_argument("--frames", type=int, default=12, help="of each real video [%(default)s]")
    return parser.parse_args()


def frames(path: Path, most: int) -> pd.DataFrame:
    """Frames of the real videos, spread evenly, neighbours in the table being of other videos."""
    table = manifest.read(path)
    reals = table[table["label"] == 0].astype({"video": str, "group": str})
    rank = reals.groupby("video").cumcount()
    step = (reals.groupby("video")["path"].transform("size") / most).clip(lower=1)
    chosen = reals[(rank % step) < 1]
    return chosen.assign(rank=rank).sort_values(["rank", "video"], ignore_index=True)


def measured(detector: Detector, reals: pd.DataFrame, name: str) -> tuple[str, ...]:
    """Of all frames: how many forged ones are called fake, and of these the two shares and their ratio."""
    size = detector.traits.image_size
    images = [cv2.resize(read_image(Path(path))[..., ::-1], (size, size)) for path in reals["path"]]
    forged, masks = FORGERIES[name](1.0, margin=detector.traits.margin).forge(np.stack(images).astype(np.float32), 0)
    crops = np.clip(np.rint(np.asarray(forged)), 0, 255).astype(np.uint8)
    called = detector.scores(crops) >= detector.threshold
    if not called.any():
        return f"0 of {len(crops)}", *("–",) * 4
    heat = np.maximum(detector.network.heat(crops[called]), 0)
    sides = heat.shape[2], heat.shape[1]
    inside = np.stack(
        [cv2.resize(mask[..., 0], sides, interpolation=cv2.INTER_AREA) for mask in np.asarray(masks)[called]]
    )
    heat /= np.maximum(heat.sum((1, 2), keepdims=True), 1e-9)
    mass = (heat * inside).sum((1, 2))
    other = (heat * np.roll(inside, len(inside) // 2, axis=0)).sum((1, 2))  # what looking at the middle of a face gives
    chance = inside.mean((1, 2))
    ratio, low, high = interval(mass, chance, reals["group"][called].to_numpy())
    counts = f"{called.sum()} of {len(crops)}"
    return (
        counts,
        f"{mass.mean():.3f}",
        f"{other.mean():.3f}",
        f"{chance.mean():.3f}",
        f"{ratio:.2f} ({low:.2f} to {high:.2f})",
    )


def interval(mass: np.ndarray, chance: np.ndarray, groups: np.ndarray) -> tuple[float, float, float]:
    """The ratio of the means, and what it is when groups are drawn again."""
    names = np.unique(groups)
    sums = np.array([(mass[groups == name].sum(), chance[groups == name].sum()) for name in names])
    drawn = sums[np.random.default_rng(0).integers(len(names), size=(RESAMPLES, len(names)))].sum(1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], (0.025, 0.975))
    return float(mass.mean() / chance.mean()), float(low), float(high)


if __name__ == "__main__":
    main()
