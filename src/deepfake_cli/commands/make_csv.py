"""``deepfake make-csv``: split frames into training, validation and test lists that share no group."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli import __version__
from deepfake_cli.config import MakeCsv
from deepfake_cli.data import manifest, own_lists, protocol
from deepfake_cli.data.clip_columns import describe
from deepfake_cli.data.division import Lists, lists_of, regroup
from deepfake_cli.data.faceless import faceless, of_part
from deepfake_cli.data.leaks import leaks, small
from deepfake_cli.datasets import find_adapter, find_clips, tops
from deepfake_cli.datasets.clip import LABELS, Clip
from deepfake_cli.datasets.unrecognised import unrecognised
from deepfake_cli.errors import ConfigError, DatasetError
from deepfake_cli.media.video import frame_files, is_frame
from deepfake_cli.storage.downloads import is_there
from deepfake_cli.storage.folders import closed
from deepfake_cli.storage.hashes import sha256
from deepfake_cli.storage.urls import is_remote, store, url

if TYPE_CHECKING:
    import pandas as pd

FILES = {"train": "train/train.csv", "val": "val/validation.csv", "test": "test/test.csv"}
LISTS = rf"(fold\d+/)?({'|'.join(map(re.escape, FILES.values()))})"
UNSPLIT = "a video, which deepfake split has to cut into frames first"
RECORDED = {"adapter", "protocol", "ratio", "test_ratio", "folds", "seed"}


@dataclass(repr=False)
class MakeCsvResult:
    """Result of `make_csv`.

    Attributes:
        paths: the lists, by part: ``"train"``, or ``"fold1/train"``.
        counts: frames, videos and groups per part and class.
        unlisted: videos without a usable frame.
        left_out: videos that are not in the published split.
        shared: groups that the published split has in two parts, by the parts: ``"train, test"``.
        protocol: path of ``protocol.json``.
        warnings: where the lists may share people all the same, or are small.
        unread: files of a folder without a manifest that are not read, with the reason.
        closed: its folders that cannot be listed, with the reason.
    """

    paths: dict[str, Path]
    counts: list[dict[str, Any]]
    unlisted: list[str]
    left_out: list[str]
    shared: dict[str, list[str]]
    protocol: Path
    warnings: list[str] = field(default_factory=list)
    unread: dict[Path, str] = field(default_factory=dict)
    closed: dict[Path, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<MakeCsvResult {', '.join(map(str, self.paths.values()))}>"


def make_csv(settings: MakeCsv) -> MakeCsvResult:
    """Split the frames by group; write a list per part, and protocol.json.

    Args:
        settings: see `deepfake_cli.config.MakeCsv`.

    Returns:
        The lists and their counts.

    Raises:
        ConfigError: the data set has no such groups.
        DatasetError: no frames, no reals, too few groups, or no published split.
        ManifestError: the manifest cannot be read, or a list in ``csvdir`` is not one of make-csv.
    """
    if settings.adapter is None:
        raise ConfigError("ADAPTER is missing: give the data set, such as timit. List them with deepfake datasets.")
    earlier = own_lists.existing(settings.csvdir, LISTS)
    table, unlisted, unread, unlistable = _frames(settings.adapter, settings.imgdir)
    if (table["label"] == 1).all():  # all real is fine, for train --real-only
        hint = find_adapter(settings.adapter).hint
        raise DatasetError(f"{settings.imgdir}: all frames of {settings.adapter} are fake. {hint}")
    videos = _videos(table)
    formed = videos["group"]
    videos["group"] = regroup(videos, settings.by, settings.adapter, settings.imgdir)
    lists = lists_of(videos, settings)
    table["group"] = table["video"].map(videos["group"]).astype("category")
    lost = faceless(settings.imgdir, table["dataset"])
    for rows in (table, lost):
        rows["label"] = rows["label"].map(dict(enumerate(LABELS))).astype("category")
    own_lists.replace(settings.csvdir, earlier, (_name(part) for part in lists))
    paths = {
        part: _write(table, of_part(lost, part, lists, formed), part, members, settings.imgdir, settings.csvdir)
        for part, members in lists.items()
    }
    counts = [row for part, members in lists.items() for row in _counts(part, videos.loc[members])]
    left_out = sorted(set(videos.index) - {video for members in lists.values() for video in members})
    shared = _shared(videos, lists)
    by = settings.by or find_adapter(settings.adapter).by[0]
    groups = {part: videos.loc[members, "group"].nunique() for part, members in lists.items()}
    warnings = leaks(videos, lists, by) + small(counts, groups)
    record = settings.model_dump(mode="json", include=RECORDED) | {
        "by": by,
        "deepfake_cli": __version__,
        "imgdir": _relative(settings.imgdir, settings.csvdir),
        "lists": {
            path.relative_to(settings.csvdir).as_posix(): {
                "part": part,
                "sha256": sha256(path),
                "counts": [row for row in counts if row["part"] == part],
                "groups": sorted(set(videos.loc[lists[part], "group"])),
            }
            for part, path in paths.items()
        },
        "shared_groups": shared,
        "without_usable_frame": unlisted,
        "not_in_the_published_split": left_out,
    }
    written = protocol.write(settings.csvdir, record)
    own_lists.finish(settings.csvdir)
    return MakeCsvResult(paths, counts, unlisted, left_out, shared, written, warnings, unread, unlistable)


def _videos(table: "pd.DataFrame") -> "pd.DataFrame":
    """A row per video: label, group, people, sources and number of frames."""
    videos = table.drop_duplicates("video").set_index("video")[["label", "group", *manifest.CLIP_COLUMNS]]
    videos.index = videos.index.astype(str)
    frames = table["video"].value_counts()
    return videos.astype(str).astype({"label": int}).assign(frames=frames.set_axis(frames.index.astype(str)))


def _write(
    table: "pd.DataFrame", lost: "pd.DataFrame", part: str, members: list[str], imgdir: Path, csvdir: Path
) -> Path:
    import pandas as pd

    path = csvdir / _name(part)
    rows = table.loc[table["video"].isin(members), list(manifest.LIST_COLUMNS)]
    rows = rows.assign(path=_relative(imgdir, path.parent) + "/" + rows["path"], reason="")
    if len(lost):
        plain = rows.astype(dict.fromkeys(("label", *manifest.CATEGORIES), str))
        rows = pd.concat([plain, lost[list(plain)].astype({"label": str})], ignore_index=True)
    manifest.write_table(path, rows)
    return path


def _name(part: str) -> str:
    """The file of a part, ``"train"`` or ``"fold1/train"``, relative to the folder of lists."""
    fold, slash, kind = part.rpartition("/")
    return fold + slash + FILES[kind]


def _relative(folder: Path, start: Path) -> str:
    """A path relative to `start`; absolute if they are in different stores."""
    if store(folder) != store(start):
        return url(folder) if is_remote(folder) else str(folder.absolute())
    return os.path.relpath(folder, start).replace(os.sep, "/")


def _counts(part: str, videos: "pd.DataFrame") -> Iterator[dict[str, Any]]:
    for label, name in enumerate(LABELS):
        of_class = videos[videos["label"] == label]
        yield {
            "part": part,
            "class": name,
            "frames": int(of_class["frames"].sum()),
            "videos": len(of_class),
            "groups": of_class["group"].nunique(),
        }


def _shared(videos: "pd.DataFrame", lists: Lists) -> dict[str, list[str]]:
    """Groups in two parts of one split; only a published split has any."""
    groups = {part: set(videos.loc[members, "group"]) for part, members in lists.items()}
    pairs = [
        (one, other) for one, other in combinations(groups, 2) if one.rpartition("/")[0] == other.rpartition("/")[0]
    ]
    return {
        f"{one}, {other}": sorted(groups[one] & groups[other]) for one, other in pairs if groups[one] & groups[other]
    }


def _frames(adapter: str, imgdir: Path) -> tuple["pd.DataFrame", list[str], dict[Path, str], dict[Path, str]]:
    """Frames of the data set, with paths relative to imgdir, from the manifest or the folder tree.

    Also the videos of the manifest without any; and the files and folders of the tree that are not read, with the reason.
    """
    import pandas as pd

    find_adapter(adapter)
    listed = imgdir / "manifest.csv"
    if is_there(listed):
        return *_from_manifest(listed, adapter), {}, {}
    clips = find_clips(adapter, imgdir)
    columns = [*manifest.LIST_COLUMNS, *manifest.CLIP_COLUMNS]
    table = pd.DataFrame(_rows(clips, adapter, imgdir), columns=columns)
    if table.empty:
        raise DatasetError(f"{imgdir}: no frames. Extract them with deepfake split {adapter}.")
    unread = {clip.path: UNSPLIT for clip in clips if clip.path.is_file() and not is_frame(clip.path)}
    return table.astype({"video": "category"}), [], unread | unrecognised(clips, tops(adapter, imgdir)), closed(imgdir)


def _from_manifest(listed: Path, name: str) -> tuple["pd.DataFrame", list[str]]:
    table, unlisted = manifest.read_manifest(listed)
    known = sorted(table["dataset"].unique())
    if name in known:
        own = table["dataset"] == name
        return table[own].reset_index(drop=True), [video for dataset, video in unlisted if dataset == name]
    if ":" in name:  # own adapters choose the name of the data set
        return table, [video for _, video in unlisted]
    raise DatasetError(
        f"{listed}: has frames of {', '.join(known)}, none of {name}. Add them with deepfake split {name}."
    )


def _rows(clips: list[Clip], adapter: str, imgdir: Path) -> Iterator[dict[str, Any]]:
    facts = describe(clips, adapter)
    for clip in clips:
        single = [(0, clip.path)] if is_frame(clip.path) else []  # videos have no frames yet
        for index, path in frame_files(clip.path) if clip.path.is_dir() else single:
            yield (
                {"path": path.relative_to(imgdir).as_posix(), "frame": index}
                | facts[clip.video]
                | {"label": clip.label}
            )
