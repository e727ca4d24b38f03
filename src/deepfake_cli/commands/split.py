"""``deepfake split``: cut the videos of a data set into frames or face crops, with a manifest."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from deepfake_cli.config import Split
from deepfake_cli.data import crops, manifest
from deepfake_cli.data.clip_columns import describe
from deepfake_cli.datasets import find_clips, tops
from deepfake_cli.datasets.clip import Clip
from deepfake_cli.datasets.unrecognised import beside, unrecognised
from deepfake_cli.distributed import each
from deepfake_cli.errors import ManifestError
from deepfake_cli.extraction.extract import Extracted, Job, extract, sweep
from deepfake_cli.faces import find_face_detector
from deepfake_cli.storage.csv_cells import read_rows
from deepfake_cli.storage.disk import reason
from deepfake_cli.storage.downloads import local_path
from deepfake_cli.storage.folders import closed
from deepfake_cli.storage.remote_folder import listed
from deepfake_cli.storage.urls import is_remote

Progress = Callable[[Extracted, int, int], None]


@dataclass(repr=False)
class SplitResult:
    """Result of `split`.

    Attributes:
        manifest: path of the manifest.
        videos: all videos, including skipped ones, sorted by name.
        ignored: files that are in no video of the data set, with the reason.
        closed: folders that cannot be listed, with the reason.
    """

    manifest: Path
    videos: list[Extracted] = field(default_factory=list)
    ignored: dict[Path, str] = field(default_factory=dict)
    closed: dict[Path, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        failed = f", {len(self.failed):,} failed" if self.failed else ""
        return f"<SplitResult {self.manifest}: {len(self.videos):,} videos{failed}>"

    @property
    def failed(self) -> list[Extracted]:
        """The videos that failed."""
        return [video for video in self.videos if video.error]


def split(settings: Split, progress: Progress = lambda video, done, total: None) -> SplitResult:
    """Cut every video of a data set.

    Args:
        settings: see `deepfake_cli.config.Split`.
        progress: called with each finished video, the number finished and the total.

    Returns:
        The result of each video. A failed video has a reason and does not stop the others.

    Raises:
        DatasetError: the folder does not have the layout of the data set.
        OSError: ``imgdir`` cannot be written.
        ManifestError: there is a manifest.csv that rows cannot be added to.
    """
    clips, ignored, unlisted = _clips(settings)
    find_face_detector(settings.face_detector, align=settings.align)
    if not is_remote(settings.imgdir):
        settings.imgdir.mkdir(parents=True, exist_ok=True)
    facts = describe(clips, settings.adapter)
    path = settings.imgdir / "manifest.csv"
    _check_manifest(path, clips, facts)
    videos, jobs = [], [Job(clip, settings) for clip in clips]
    shared = None if is_remote(settings.imgdir) else settings.imgdir
    for video in each(extract, jobs, lost=_lost, workers=settings.workers, cluster=settings.cluster, shared=shared):
        videos.append(video)
        progress(video, len(videos), len(clips))
    if not is_remote(settings.imgdir):
        sweep(settings.imgdir, facts)
    videos.sort(key=lambda video: video.video)
    cut = {"crop": crops.cell(settings)}
    _write_manifest(path, videos, {video: clip | cut for video, clip in facts.items()})
    return SplitResult(path, videos, ignored, unlisted)


def _clips(settings: Split) -> tuple[list[Clip], dict[Path, str], dict[Path, str]]:
    """The clips, the ignored files and the closed folders; a remote folder is listed once, as a stand-in for the adapter."""
    with ExitStack() as stack:
        root = stack.enter_context(listed(settings.viddir))
        reals = stack.enter_context(listed(settings.realdir)) if settings.realdir else None
        clips = find_clips(settings.adapter, root.path, reals.path if reals else None)
        folders = tops(settings.adapter, root.path)
        ignored = unrecognised(clips, folders) | beside(folders)
        unlisted = closed(root.path) | (closed(reals.path) if reals else {})
        for place in filter(None, (root, reals)):
            clips = [clip._replace(path=place.origin(clip.path)) for clip in clips]
            ignored = {place.origin(path): reason for path, reason in ignored.items()}
    return clips, ignored, unlisted


def _check_manifest(path: Path, clips: Sequence[Clip], facts: dict[str, dict[str, Any]]) -> None:
    """Check that the manifest of earlier runs keeps its meaning if the rows of these clips are added.

    Raises:
        ManifestError: it is another file, or has a clip under the name that it had before it got a twin.
    """
    listed: set[str] = set()
    try:
        for row in _others(path, facts):
            if not {"path", "label", "dataset", "video"} <= row.keys():
                raise ManifestError(f"{path}: not a manifest of split; move it, or choose another --imgdir.")
            listed.add(row["video"])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(f"{path}: cannot be read: {reason(error)}. Move it, or choose another --imgdir.") from None
    earlier = {clip.video: clip.video.removesuffix(clip.path.suffix) for clip in clips if clip.path.suffix}
    stale = sorted(video for video, name in earlier.items() if name != video and name in listed)
    if stale:
        raise ManifestError(
            f"{path}: lists {earlier[stale[0]]}, a name that {stale[0]} and another file would share now. "
            "Choose another --imgdir."
        )


def _write_manifest(path: Path, videos: Sequence[Extracted], facts: dict[str, dict[str, Any]]) -> None:
    """Write the rows of these videos, after existing rows of other videos."""
    rows = (row | facts[video.video] for video in videos for row in video.rows)
    manifest.write(path, manifest.MANIFEST_COLUMNS, chain(_others(path, facts), rows))


def _others(path: Path, facts: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    path = local_path(path)
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            yield from (row for row in read_rows(file) if row.get("video") not in facts)


def _lost(job: Job) -> Extracted:
    return Extracted(job.clip.video, error="the worker process died (out of memory, or a crash in the decoder)")
