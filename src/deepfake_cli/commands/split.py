"""``deepfake split``: the videos of a data set to frames or face crops, and a manifest of them."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from deepfake_cli.config import Split
from deepfake_cli.data import manifest
from deepfake_cli.data.clip_columns import describe
from deepfake_cli.datasets import find_clips
from deepfake_cli.datasets.clip import Clip
from deepfake_cli.datasets.unrecognised import left_out
from deepfake_cli.distributed import each
from deepfake_cli.errors import DatasetError
from deepfake_cli.extraction.extract import Extracted, Job, extract, sweep
from deepfake_cli.faces import find_face_detector
from deepfake_cli.storage.remote import here, is_remote, listed

Progress = Callable[[Extracted, int, int], None]


@dataclass
class SplitResult:
    """What a run of `split` did.

    Attributes:
        manifest: the manifest's path.
        videos: all of them, those skipped as finished, by name.
        ignored: files beside them that were not taken as videos.
    """

    manifest: Path
    videos: list[Extracted] = field(default_factory=list)
    ignored: list[Path] = field(default_factory=list)

    @property
    def failed(self) -> list[Extracted]:
        """The videos of which nothing came."""
        return [video for video in self.videos if video.error]


def split(settings: Split, progress: Progress = lambda video, done, total: None) -> SplitResult:
    """Cut every video of a data set.

    Args:
        settings: see `deepfake_cli.config.Split`.
        progress: called with each video as it ends, and how many of how many have ended.

    Returns:
        What came of each video. A bad video is in it with its reason; it stops no other.

    Raises:
        DatasetError: the folder doesn't have the data set's layout, or ``imgdir`` can't be written.
    """
    clips, ignored = _clips(settings)
    find_face_detector(settings.face_detector, align=settings.align)
    _make(settings.imgdir)
    facts = describe(clips, settings.adapter)
    videos, jobs = [], [Job(clip, settings) for clip in clips]
    shared = None if is_remote(settings.imgdir) else settings.imgdir
    for video in each(extract, jobs, lost=_lost, workers=settings.workers, cluster=settings.cluster, shared=shared):
        videos.append(video)
        progress(video, len(videos), len(clips))
    if not is_remote(settings.imgdir):
        sweep(settings.imgdir, facts)
    videos.sort(key=lambda video: video.video)
    path = settings.imgdir / "manifest.csv"
    _write_manifest(path, videos, facts)
    return SplitResult(path, videos, ignored)


def _clips(settings: Split) -> tuple[list[Clip], list[Path]]:
    """The clips, and the files beside them that are none; remote folders are listed once, as stand-ins that adapters read."""
    with ExitStack() as stack:
        root = stack.enter_context(listed(settings.viddir))
        reals = stack.enter_context(listed(settings.realdir)) if settings.realdir else None
        clips = find_clips(settings.adapter, root.path, reals.path if reals else None)
        ignored = left_out(clips)
        for place in filter(None, (root, reals)):
            clips = [clip._replace(path=place.origin(clip.path)) for clip in clips]
            ignored = [place.origin(path) for path in ignored]
    return clips, ignored


def _make(folder: Path) -> None:
    try:
        if not is_remote(folder):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(f"--imgdir {folder} cannot be made: {error.strerror}.") from None


def _write_manifest(path: Path, videos: Sequence[Extracted], facts: dict[str, dict[str, Any]]) -> None:
    """The rows of these videos, after those that an earlier run left for other videos."""
    ours = (row | facts[video.video] for video in videos for row in video.rows)
    manifest.write(path, manifest.MANIFEST_COLUMNS, chain(_others(path, facts), ours))


def _others(path: Path, facts: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    path = here(path)
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            yield from (row for row in csv.DictReader(file) if row.get("video") not in facts)


def _lost(job: Job) -> Extracted:
    return Extracted(job.clip.video, error="the process that read it died (out of memory, or a fault of the decoder)")
