"""Shortcuts in pseudo-fakes: AUC of a classifier on pixels outside of the mask. See README.md."""

import argparse
from pathlib import Path

import cv2
import numpy as np
from common import machine, print_columns
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from deepfake_cli.pseudo_fakes import SIZES

OUTSIDE, REACH = 0.004, 5  # masks below this, so many cells of 8 pixels away from what is forged
RESAMPLES = 1000
LIMIT = 0.55


def main() -> None:
    """Look at the border, then at everything; print a table."""
    options = arguments()
    images, masks, groups, methods = pairs(options.folder, options.pairs)
    print(machine("scikit-learn", "numpy"), f"\n{len(images):,} pairs of {len(set(groups)):,} portraits\n", sep="")
    rows = [("what is seen", "pairs", "AUC (95 %, over portraits)", "limit")]
    outside = [far(mask) for mask in masks]
    for what, seen in (
        ("the border, outside of the mask", outside),
        ("all of the crop", [np.ones((SIZES.kept, SIZES.kept), bool)] * len(images)),
    ):
        table = np.array(
            [[statistics(image, there) for image in pair] for pair, there in zip(images, seen, strict=True)]
        )
        auc, low, high = told_apart(table, groups)
        rows.append(
            (what, str(len(images)), f"{auc:.3f} ({low:.3f}–{high:.3f})", f"<= {LIMIT}" if "border" in what else "")
        )
    print_columns(rows)
    equal = np.mean([(pair[0][there] == pair[1][there]).mean() for pair, there in zip(images, outside, strict=True)])
    print(f"\nOf the border's pixel values {equal:.1%} are equal in both; {', '.join(sorted(set(methods)))}.")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the shards that scripts/train_starter.py keeps in WORK/pairs")
    parser.add_argument("--pairs", type=int, default=2000, help="how many to look at [%(default)s]")
    return parser.parse_args()


def pairs(folder: Path, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images (pairs, 2, side, side, 3), masks, and the portrait and the method of each."""
    found: list[list[np.ndarray]] = [[], [], [], []]
    for path in sorted(folder.glob("*.npy")):
        known = np.load(path.with_suffix(".npz"))
        for kept, values in zip(
            found, (np.load(path, mmap_mode="r"), known["masks"], known["portraits"], known["methods"]), strict=True
        ):
            kept.append(values[: most - sum(map(len, kept))])
        if sum(map(len, found[0])) >= most:
            break
    images, masks, portraits, methods = (np.concatenate(each) for each in found)
    return images, masks, portraits, methods


def far(mask: np.ndarray) -> np.ndarray:
    """Where nothing was forged, nor near enough for a codec's blocks to carry it there: bool (side, side)."""
    near = cv2.dilate((mask > OUTSIDE * 255).astype(np.uint8), np.ones((2 * REACH // 2 + 1,) * 2, np.uint8))
    return cv2.resize(near, (SIZES.kept, SIZES.kept), interpolation=cv2.INTER_NEAREST) == 0


def statistics(image: np.ndarray, there: np.ndarray) -> list[float]:
    """Colour, noise, sharpness and blocks of what is seen of an image."""
    if there.sum() < 200:
        return [float("nan")] * 20
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    fine = cv2.Laplacian(grey, cv2.CV_32F)[there]
    coarse = (grey - cv2.GaussianBlur(grey, (0, 0), 2))[there]
    across, down = (np.abs(np.diff(grey, axis=axis, append=0))[there] for axis in (1, 0))
    pixels = image[there].astype(np.float32)
    spread = np.percentile(np.abs(fine), (50, 90, 99))
    return [
        *pixels.mean(axis=0), *pixels.std(axis=0), *np.percentile(grey[there], (5, 50, 95)), fine.std(), *spread, coarse.std(),
        across.mean(), across.std(), down.mean(), down.std(), (fine == 0).mean(), (across == 0).mean(),
    ]  # fmt: skip


def told_apart(table: np.ndarray, groups: np.ndarray) -> tuple[float, float, float]:
    """The AUC of boosted trees on portraits that they have not seen, and its interval."""
    count = len(table)
    rows, labels = table.reshape(2 * count, -1), np.tile([0, 1], count)
    units = np.repeat(groups, 2)
    scores = np.zeros(2 * count)
    for train, test in GroupKFold(5).split(rows, labels, units):
        model = HistGradientBoostingClassifier(max_iter=80, random_state=0).fit(rows[train], labels[train])
        scores[test] = model.predict_proba(rows[test])[:, 1]
    random, names = np.random.default_rng(0), np.unique(units)
    places = {name: np.flatnonzero(units == name) for name in names}
    drawn = []
    for _ in range(RESAMPLES):
        chosen = np.concatenate([places[name] for name in random.choice(names, len(names))])
        drawn.append(roc_auc_score(labels[chosen], scores[chosen]))
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(roc_auc_score(labels, scores)), float(low), float(high)


if __name__ == "__main__":
    main()
