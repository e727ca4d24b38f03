"""Which video goes into which list: by ratio, in folds, or as the data set's authors published it."""

from pathlib import Path
from typing import TYPE_CHECKING

from deepfake_cli.config import MakeCsv
from deepfake_cli.data import manifest
from deepfake_cli.data.groups import divide, links, name_groups
from deepfake_cli.datasets import find_adapter
from deepfake_cli.errors import ConfigError, DatasetError, ManifestError

if TYPE_CHECKING:
    import pandas as pd

Lists = dict[str, list[str]]  # "train", or "fold1/train": the videos in it


def regroup(videos: "pd.DataFrame", by: str | None, adapter: str, imgdir: Path) -> "pd.Series[str]":
    """The group of each video: as `split` or the adapter formed it, or over what ``--by`` says.

    Args:
        videos: one row a video, its name the index: label, group, people, sources, official.
        by: ``"person"``, ``"pair"`` or ``"video"``; None: as formed.
        adapter: the data set.
        imgdir: the folder of its frames, for messages.

    Raises:
        ConfigError: the data set doesn't tell that.
        ManifestError: the manifest is from before sources were recorded.
    """
    import pandas as pd

    if by is None:
        return videos["group"]
    if not videos["sources"].all():
        raise ManifestError(
            f"{imgdir}/manifest.csv doesn't say what each video was made from. Run deepfake split again; what is "
            "finished is not cut anew."
        )
    if by not in find_adapter(adapter).by or (by != "video" and not videos["people"].any()):
        raise ConfigError(f"--by {by}: {adapter} doesn't name its people. It can be divided by video.")
    tied = [
        links(manifest.names(people), manifest.names(sources), by)
        for people, sources in zip(videos["people"], videos["sources"], strict=True)
    ]
    return pd.Series(name_groups(tied), index=videos.index, dtype=str)


def lists_of(videos: "pd.DataFrame", settings: MakeCsv) -> Lists:
    """Divide the videos, whole groups at a time but where the published split does otherwise.

    Args:
        videos: as `regroup` takes them, with their groups.
        settings: see `deepfake_cli.config.MakeCsv`.

    Raises:
        DatasetError: too few groups for both classes in each part, or no published split.
    """
    if settings.protocol == "official":
        return _official(videos, settings)
    if settings.folds:
        return _folds(videos, settings.folds, settings)
    shares = {"train": settings.ratio, "val": 1 - settings.ratio - settings.test_ratio, "test": settings.test_ratio}
    return _by_group(videos, shares, settings.seed, settings.by)


def _by_group(videos: "pd.DataFrame", shares: dict[str, float], seed: int, by: str | None) -> Lists:
    shares = {part: share for part, share in shares.items() if share > 0}
    classes = {str(group): frozenset(labels) for group, labels in videos.groupby("group")["label"]}
    try:
        parts = videos["group"].map(divide(classes, shares, seed=seed))
    except DatasetError as error:
        coarse = by != "video" and videos["people"].any()
        hint = " Or allow two parts to show one person: --by video." if coarse else ""
        raise DatasetError(f"{error}{hint}") from None
    return {part: videos.index[parts == part].tolist() for part in shares}


def _folds(videos: "pd.DataFrame", folds: int, settings: MakeCsv) -> Lists:
    """Each fold validates on groups of its own and trains on the others; what tests is in none."""
    lists: Lists = {}
    if settings.test_ratio:
        lists = _by_group(
            videos, {"rest": 1 - settings.test_ratio, "test": settings.test_ratio}, settings.seed, settings.by
        )
        videos = videos.loc[lists.pop("rest")]
    parts = _by_group(
        videos, {f"fold{number}": 1 / folds for number in range(1, folds + 1)}, settings.seed, settings.by
    )
    for fold, held_out in parts.items():
        lists[f"{fold}/train"] = videos.index[~videos.index.isin(held_out)].tolist()
        lists[f"{fold}/val"] = held_out
    return lists


def _official(videos: "pd.DataFrame", settings: MakeCsv) -> Lists:
    """The published parts; where none validates, groups of its training part do."""
    published = find_adapter(str(settings.adapter)).official
    if not published and not videos["official"].any():
        raise DatasetError(f"{settings.adapter} has no published split. Leave out --protocol official.")
    lists = {part: videos.index[videos["official"] == part].tolist() for part in ("train", "val", "test")}
    if not lists["train"] or not lists["test"]:
        raise DatasetError(
            f"{settings.imgdir}: its videos are not marked with the published split of {settings.adapter}: {published}. "
            "Put that beside the videos and run deepfake split again; what is finished is not cut anew."
        )
    if not lists["val"]:
        shares = {"train": settings.ratio, "val": 1 - settings.ratio}
        lists |= _by_group(videos.loc[lists["train"]], shares, settings.seed, settings.by)
    return lists
