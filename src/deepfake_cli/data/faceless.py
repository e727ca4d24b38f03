"""List videos without a face in the part of their group, so that evaluation counts them."""

from pathlib import Path
from typing import TYPE_CHECKING

from deepfake_cli.data import manifest
from deepfake_cli.data.division import Lists
from deepfake_cli.storage.downloads import is_there

if TYPE_CHECKING:
    import pandas as pd


def faceless(imgdir: Path, datasets: "pd.Series[str]") -> "pd.DataFrame":
    """Videos of these data sets without an image, as rows without a path; empty if there is no manifest."""
    import pandas as pd

    listed = imgdir / "manifest.csv"
    if not is_there(listed):
        return pd.DataFrame(columns=[*manifest.LIST_COLUMNS, "reason"])
    videos, _ = manifest.read_missing([listed])
    return videos[videos["dataset"].isin(datasets.unique())].assign(path="", frame=-1, crop="")


def of_part(videos: "pd.DataFrame", part: str, lists: Lists, formed: "pd.Series[str]") -> "pd.DataFrame":
    """Select the videos whose group is in this part only; groups in two parts are ambiguous.

    Args:
        videos: from `faceless`.
        part: ``"train"``, or ``"fold1/train"``.
        lists: the videos of each part.
        formed: the recorded group of each video.
    """
    division = part.rpartition("/")[0]
    others = [name for name in lists if name != part and name.rpartition("/")[0] == division]
    elsewhere = {group for name in others for group in formed[lists[name]]}
    return videos[videos["group"].isin(set(formed[lists[part]]) - elsewhere)]
