"""Read face boxes and source videos of listed images from the manifest of `split`."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from deepfake_cli.data.manifest import SOURCE_COLUMNS
from deepfake_cli.storage import tar_shards
from deepfake_cli.storage.csv_cells import unquoted_table
from deepfake_cli.storage.downloads import is_there, local_path
from deepfake_cli.storage.urls import is_remote

if TYPE_CHECKING:
    import pandas as pd

NAMES = {"width": "source_width", "height": "source_height"}  # an image has its own width
NUMBERS = ("fps", "source_width", "source_height")


def join(table: "pd.DataFrame") -> "pd.DataFrame":
    """Add columns from the manifests above the folders of listed images.

    Args:
        table: with a column path.

    Returns:
        `table` with ``codec`` (text), ``fps``, ``source_width``, ``source_height`` (pixels), ``face_size`` (pixels of the
        source: square root of the area of the box) and ``face_share`` (of the height of the source); NaN if unknown.
    """
    parts = table["path"].str.rpartition("/")
    places = {folder: _place(folder) for folder in parts[0].unique()}
    keys = parts[0].map({folder: place.as_posix() for folder, place in places.items()}) + "/" + parts[2]
    known = _read(_manifests(places.values()), set(keys)).reindex(keys)
    return table.assign(**{str(name): known[name].to_numpy() for name in known})


def _place(folder: str) -> Path:
    return Path(folder) if is_remote(folder) else Path(folder or ".").resolve()


def _manifests(folders: Iterable[Path]) -> set[Path]:
    """The nearest ``manifest.csv`` above each folder; each folder is checked once."""
    asked: dict[Path, Path | None] = {}

    def nearest(folder: Path) -> Path | None:
        if folder not in asked:
            path, above = folder / "manifest.csv", folder.parent
            there = not tar_shards.is_tar(folder) and is_there(path)
            top = above == folder or is_remote(above) != is_remote(folder)
            asked[folder] = path if there else None if top else nearest(above)
        return asked[folder]

    return {path for path in map(nearest, folders) if path}


def _read(manifests: Iterable[Path], keys: set[str]) -> "pd.DataFrame":
    """The rows of `keys` in the manifests, indexed by the image's absolute path."""
    import pandas as pd

    columns = ["path", "box", *SOURCE_COLUMNS]
    found = [pd.DataFrame(columns=columns, dtype=str)]
    for path in sorted(manifests):
        rows = unquoted_table(
            pd.read_csv(local_path(path), usecols=lambda name: name in columns, dtype=str, encoding="utf-8-sig")
        )
        if "path" in rows:  # else the file is not one of ours
            rows["path"] = path.parent.as_posix() + "/" + rows["path"]
            found.append(rows[rows["path"].isin(keys)])
    table = pd.concat(found).drop_duplicates("path").set_index("path").rename(columns=NAMES)
    for name in NUMBERS:
        number = pd.to_numeric(table[name], errors="coerce")
        table[name] = number.where(number > 0)
    sides = table.pop("box").str.split(expand=True).reindex(columns=range(4)).apply(pd.to_numeric, errors="coerce")
    table["face_size"] = ((sides[2] - sides[0]) * (sides[3] - sides[1])) ** 0.5
    table["face_share"] = table["face_size"] / table["source_height"]
    return table
