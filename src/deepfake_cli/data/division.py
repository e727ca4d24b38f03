"""Split videos into lists: by ratio, in folds, or by the published split."""

from pathlib import Path
from typing import TYPE_CHECKING

from deepfake_cli.config import MakeCsv
from deepfake_cli.data import manifest
from deepfake_cli.data.groups import divide, links, name_groups
from deepfake_cli.datasets import find_adapter
from deepfake_cli.errors import ConfigError, DatasetError, ManifestError

if TYPE_CHECKING:
    import pandas as pd

Lists = dict[str, list[str]]  # videos by part: "train", or "fold1/train"


def regroup(videos: "pd.DataFrame", by: str | None, adapter: str, imgdir: Path) -> "pd.Series[str]":
    """The group of each video: as recorded, or formed anew by ``--by``.

    Args:
        videos: a row per video, indexed by name: label, group, people, sources, official.
        by: ``"person"``, ``"pair"`` or ``"video"``; None: as recorded.
        adapter: the data set.
        imgdir: the folder of its frames, for messages.

    Raises:
        ConfigError: the data set has no such information.
        ManifestError: the manifest is too old and has no sources.
    """
    import pandas as pd

    if by is None:
        return videos["group"]
    if not videos["sources"].all():
        raise ManifestError(
            f"{imgdir}/manifest.csv has no source videos. Run deepfake split again; finished videos are skipped."
        )
    if by not in find_adapter(adapter).by or (by != "video" and not videos["people"].any()):
        raise ConfigError(f"--by {by}: {adapter} has no names of people. Use --by video.")
    tied = [
        links(manifest.names(people), manifest.names(sources), by)
        for people, sources in zip(videos["people"], videos["sources"], strict=True)
    ]
    return pd.Series(name_groups(tied), index=videos.index, dtype=str)


def lists_of(videos: "pd.DataFrame", settings: MakeCsv) -> Lists:
    """Split the videos by group, unless the published split splits groups.

    Args:
        videos: as for `regroup`, with their groups.
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
        hint = " Or allow parts to share people: --by video." if coarse else ""
        raise DatasetError(f"{error}{hint}") from None
    return {part: videos.index[parts == part].tolist() for part in shares}


def _folds(videos: "pd.DataFrame", folds: int, settings: MakeCsv) -> Lists:
    """Each fold validates on other groups and trains on the rest; the test list is in no fold."""
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
    """The published split, with or without a test part; if it has no validation part, one is split off its training part."""
    published = find_adapter(str(settings.adapter)).official
    if not published and not videos["official"].any():
        raise DatasetError(f"{settings.adapter} has no published split. Remove --protocol official.")
    lists = {part: videos.index[videos["official"] == part].tolist() for part in ("train", "val", "test")}
    if not lists["train"] or not (lists["val"] or lists["test"]):
        raise DatasetError(
            f"{settings.imgdir}: no published split of {settings.adapter} in the manifest: {published}. "
            "Put it next to the videos and run deepfake split again; finished videos are skipped."
        )
    if not lists["val"]:
        shares = {"train": settings.ratio, "val": 1 - settings.ratio}
        lists |= _by_group(videos.loc[lists["train"]], shares, settings.seed, settings.by)
    return {part: members for part, members in lists.items() if members}
