"""Images a second that the input of training delivers, by file format and size, and from memory. See README.md.

python benchmarks/input.py --image-size 224
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import pandas as pd
from common import face_crops, machine, print_columns

from deepfake_cli.training import input_pipeline
from deepfake_cli.training.input_speed import batches_per_second

LARGER = 1.5  # side of the larger files, in sides of the model's input
FORMATS = {
    "JPEG, quality 95": (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 95]),
    "PNG": (".png", []),
    "WebP, lossless": (".webp", [cv2.IMWRITE_WEBP_QUALITY, 101]),
    "WebP, quality 95": (".webp", [cv2.IMWRITE_WEBP_QUALITY, 95]),
}


def main() -> None:
    """Measure, print a table."""
    options = arguments()
    print(machine("tensorflow") + "\n")
    rows = [("files", "side, pixels", "kB an image", "images/s")]
    with tempfile.TemporaryDirectory(prefix="deepfake-input-") as name:
        table = face_crops(options.viddir, Path(name)).iloc[: options.images]
        for number, side in enumerate((options.image_size, int(LARGER * options.image_size))):
            for what, (suffix, settings) in FORMATS.items():
                folder = Path(name) / f"{number}-{what}"
                files = written(table, folder, side, suffix, settings)
                size = sum(Path(path).stat().st_size for path in files["path"]) / len(files) / 1e3
                rows.append((what, str(side), f"{size:.0f}", f"{rate(files, options):,.0f}"))
        cached = input_pipeline.in_memory(table, options.image_size)
        kept = options.image_size**2 * 3 / 1e3
        rate_of = f"{rate(table, options, cached):,.0f}"
        rows.append(("--cache: decoded, in memory", str(options.image_size), f"{kept:.0f}", rate_of))
    print_columns(rows)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viddir", type=Path, help="videos in UADFV's layout [default: the shipped clips]")
    parser.add_argument(
        "--image-size", type=int, default=224, help="side of the model's input, in pixels [%(default)s]"
    )
    parser.add_argument("--images", type=int, default=256, help="files of each format [%(default)s]")
    parser.add_argument("--batch-size", type=int, default=64, help="images a batch [%(default)s]")
    parser.add_argument(
        "--batches", type=int, default=60, help="most batches that are read, in two seconds [%(default)s]"
    )
    parser.add_argument("--repeats", type=int, default=3, help="times that each is measured [%(default)s]")
    return parser.parse_args()


def written(table: pd.DataFrame, folder: Path, side: int, suffix: str, settings: list[int]) -> pd.DataFrame:
    """The images of a list, scaled and in another format, and their list."""
    folder.mkdir()
    paths = []
    for number, path in enumerate(table["path"]):
        paths.append(str(folder / f"{number}{suffix}"))
        cv2.imwrite(paths[-1], cv2.resize(cv2.imread(path), (side, side), interpolation=cv2.INTER_AREA), settings)
    return table.assign(path=paths)


def rate(table: pd.DataFrame, options: argparse.Namespace, images: input_pipeline.ImageAt | None = None) -> float:
    """Images a second, the median."""
    batches = input_pipeline.training_batches(
        table, image_size=options.image_size, batch_size=options.batch_size, steps=options.batches, images=images
    )
    rates = [batches_per_second(batches, options.batches) for _ in range(options.repeats)]
    return statistics.median(rates) * options.batch_size


if __name__ == "__main__":
    main()
