"""``deepfake datasets verify``: check a data set for missing, damaged and unexpected files."""

import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from deepfake_cli.commands.verify_record import Check, Job, check, earlier, lost, write
from deepfake_cli.config import Verify
from deepfake_cli.datasets import Adapter, find_adapter, find_clips
from deepfake_cli.datasets.clip import Clip
from deepfake_cli.datasets.layout import ARCHIVES
from deepfake_cli.datasets.unrecognised import unrecognised
from deepfake_cli.distributed import each
from deepfake_cli.storage.folders import closed, is_folder

Progress = Callable[[Check, int, int], None]
SAVED_EVERY = 30.0  # seconds
ARCHIVE = "an archive, with no folder of its name next to it: extract it, or move it"
EMPTY = "an empty folder"


class Part(NamedTuple):
    """A part of a data set, such as a method: its folder, the number of videos there, and the published one (None: unknown)."""

    name: str
    found: int
    published: int | None

    @property
    def wrong(self) -> bool:
        """Whether it is there, with another number of videos than published."""
        return self.found > 0 and self.published not in (None, self.found)


@dataclass(repr=False)
class VerifyResult:
    """Result of `verify`.

    Attributes:
        parts: all parts of the data set, also those that are not there.
        missing: names of videos that lists in the folder, or its other videos, say are there.
        corrupt: videos that cannot be decoded, by name, with the reason.
        unexpected: files and empty folders that are in no video of the data set, with the reason.
        closed: folders that cannot be listed, with the reason.
        release: the release whose published numbers are closest; empty if there is one only.
        checked: number of videos checked; those of the record are not.
        complete: whether all parts have to be there.
    """

    parts: list[Part]
    missing: list[str]
    corrupt: dict[str, str]
    unexpected: dict[Path, str]
    closed: dict[Path, str] = field(default_factory=dict)
    release: str = ""
    checked: int = 0
    complete: bool = False

    @property
    def absent(self) -> list[Part]:
        """The parts that are not there."""
        return [part for part in self.parts if not part.found]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        wrong = any(part.wrong for part in self.parts) or (self.complete and self.absent)
        return not (wrong or self.missing or self.corrupt or self.unexpected or self.closed)

    def __repr__(self) -> str:
        return f"<VerifyResult {sum(part.found for part in self.parts):,} videos: {'ok' if self.ok else 'not ok'}>"


def verify(settings: Verify, progress: Progress = lambda check, done, total: None) -> VerifyResult:
    """Check that the videos of a data set are all there and intact, and that there is nothing else.

    Args:
        settings: see `deepfake_cli.config.Verify`.
        progress: called with each checked video, the number checked and the total.

    Returns:
        What is wrong. Nothing of the data set is changed.

    Raises:
        DatasetError: the folder does not have the layout of the data set, or ``record`` is another file.
        OSError: ``record`` cannot be written.
    """
    adapter = find_adapter(settings.adapter)
    known = earlier(settings.record)
    clips = find_clips(settings.adapter, settings.folder, settings.realdir)
    there = [clip for clip in clips if not _is_missing(clip.path)]
    names = {clip.video for clip in there}
    listed = adapter.listed(settings.folder, there) if adapter.listed else ()
    missing = sorted(({clip.video for clip in clips} | set(listed)) - names)
    release, parts = count_parts(names, adapter.counts)
    checks = _checked(there, settings, known, progress)
    return VerifyResult(
        parts,
        missing,
        {check.video: check.fault for check in sorted(checks) if check.fault},
        _unexpected(clips, settings.folder, adapter),
        closed(settings.folder) | (closed(settings.realdir) if settings.realdir else {}),
        release,
        sum(not check.known for check in checks),
        settings.complete,
    )


def count_parts(videos: Collection[str], counts: Mapping[str, Mapping[str, int]]) -> tuple[str, list[Part]]:
    """Count the videos of each part, and compare them with the closest release.

    Args:
        videos: names of videos.
        counts: see `deepfake_cli.datasets.Adapter`.

    Returns:
        The name of the release, and its parts; those that are not there by their name or pattern.
    """
    releases = {name: _parts(videos, patterns) for name, patterns in counts.items()} or {"": _parts(videos, {})}
    return min(releases.items(), key=lambda item: _distance(item[1]))


def _distance(parts: Iterable[Part]) -> int:
    """How far the numbers of videos are from the published ones, in the parts that are there."""
    return sum(abs(part.found - part.published) for part in parts if part.found and part.published is not None)


def _parts(videos: Collection[str], patterns: Mapping[str, int]) -> list[Part]:
    starts = Counter(_start(video, patterns) for video in videos)
    parts = [Part(start, found, patterns.get(pattern)) for (pattern, start), found in starts.items()]
    seen = {pattern for pattern, _ in starts}
    return sorted(parts + [Part(pattern, 0, count) for pattern, count in patterns.items() if pattern not in seen])


def _start(video: str, patterns: Iterable[str]) -> tuple[str, str]:
    """The first pattern that fits the start of a name, empty if none, and that start."""
    words = video.split("/")
    for pattern in patterns:
        start = "/".join(words[: pattern.count("/") + 1])
        if fnmatchcase(start, pattern):
            return pattern, start
    return "", words[0]


def _is_missing(path: Path) -> bool:
    """Whether there is nothing, or a broken link; what cannot be known, the decoder tells."""
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def _checked(clips: Sequence[Clip], settings: Verify, known: dict[str, Check], progress: Progress) -> list[Check]:
    """Check the videos, and record them every `SAVED_EVERY` seconds and at the end, also after Ctrl-C."""
    jobs = [Job(clip.path, clip.dataset, clip.video, settings.full) for clip in clips]
    if not settings.overwrite:
        jobs = [job._replace(known=known.get(job.key)) for job in jobs]
    checks: list[Check] = []
    saved = time.monotonic()
    try:
        for done in each(check, jobs, lost=lost, workers=settings.workers):
            checks.append(done)
            known[done.path] = done
            progress(done, len(checks), len(jobs))
            if time.monotonic() - saved > SAVED_EVERY:
                write(settings.record, known)
                saved = time.monotonic()
    finally:
        write(settings.record, known)
    return checks


def _unexpected(clips: Sequence[Clip], folder: Path, adapter: Adapter) -> dict[Path, str]:
    """The files and empty folders that are in no clip and do not come with the data set."""
    found = unrecognised(clips, [folder])
    for path in adapter.unlabelled(folder) if adapter.unlabelled else ():
        found.pop(path, None)
    for path in list(found):
        if path.suffix.lower() in ARCHIVES:
            found[path] = ARCHIVE
            if is_folder(path.with_name(path.name.partition(".")[0])):
                del found[path]
    for place, inner, files in os.walk(folder):
        inner[:] = [name for name in inner if not name.startswith(".")]
        if not inner and not files and Path(place) not in found:
            found[Path(place)] = EMPTY
    return {
        path: reason
        for path, reason in sorted(found.items())
        if not (path.is_relative_to(folder) and {*adapter.extras} & {*path.relative_to(folder).parts})
    }
