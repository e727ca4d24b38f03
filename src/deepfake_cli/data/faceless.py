"""Videos that `split` found no face in, listed where their group is, so that evaluation counts what a detector cannot judge."""

from pathlib import Path
from typing import TYPE_CHECKING

from deepfake_cli.data import manifest
from deepfake_cli.data.division import Lists
from deepfake_cli.storage.remote import here

if TYPE_CHECKING:
    import pandas as pd


def faceless(imgdir: Path, datasets: "pd.Series[str]") -> "pd.DataFrame":
    """The videos of these data sets without an image, as rows of a list that have no path; none if there is no manifest."""
    import pandas as pd

    listed = imgdir / "manifest.csv"
    if not here(listed).is_file():
        return pd.DataFrame(columns=[*manifest.LIST_COLUMNS, "reason"])
    videos, _ = manifest.read_missing([listed])
    return videos[videos["dataset"].isin(datasets.unique())].assign(path="", frame=-1)


def of_part(videos: "pd.DataFrame", part: str, lists: Lists, formed: "pd.Series[str]") -> "pd.DataFrame":
    """Those whose group is in this part alone of its division; what stands in two parts has no place of its own.

    Args:
        videos: as `faceless` gives them.
        part: ``"train"``, or ``"fold1/train"``.
        lists: the videos of each part.
        formed: the group of each video, as `split` formed it.
    """
    division = part.rpartition("/")[0]
    others = [name for name in lists if name != part and name.rpartition("/")[0] == division]
    elsewhere = {group for name in others for group in formed[lists[name]]}
    return videos[videos["group"].isin(set(formed[lists[part]]) - elsewhere)]
