"""The videos that ``deepfake datasets verify`` checked, in a CSV, so that unchanged ones are not checked again."""

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from deepfake_cli.data import manifest
from deepfake_cli.errors import DatasetError
from deepfake_cli.media.integrity import fault
from deepfake_cli.storage.csv_cells import read_rows
from deepfake_cli.storage.disk import reason
from deepfake_cli.storage.escapes import encodable
from deepfake_cli.storage.files import read_regular

COLUMNS = ("dataset", "video", "path", "bytes", "modified", "full", "fault")
DIED = "the process that decoded it died (out of memory, or a crash in the decoder)"


class Check(NamedTuple):
    """What is known of a video.

    Attributes:
        video: its name.
        path: its absolute path.
        dataset: name of the data set.
        bytes: size of its files.
        modified: when the last one of them was changed, in nanoseconds since 1970.
        full: whether every frame was decoded.
        fault: what is wrong; empty if nothing is.
        known: whether this is from an earlier run.
    """

    video: str
    path: str
    dataset: str
    bytes: int
    modified: int
    full: bool
    fault: str = ""
    known: bool = False


class Job(NamedTuple):
    """A video to check, and what an earlier run found."""

    path: Path
    dataset: str
    video: str
    full: bool
    known: Check | None = None

    @property
    def key(self) -> str:
        """Its path in the record."""
        return encodable(str(self.path.absolute()))


def check(job: Job) -> Check:
    """Check a video, unless it is unchanged since it was found intact."""
    try:
        state = _state(job.path)
    except OSError as error:
        return Check(job.video, job.key, job.dataset, 0, 0, job.full, reason(error))
    known = job.known
    if known and not known.fault and (known.bytes, known.modified) == state and known.full >= job.full:
        return known._replace(known=True)
    return Check(job.video, job.key, job.dataset, *state, job.full, fault(job.path, full=job.full))


def lost(job: Job) -> Check:
    """Of a video that killed the process."""
    return Check(job.video, job.key, job.dataset, 0, 0, job.full, DIED)


def _state(path: Path) -> tuple[int, int]:
    """The size, and the time of the last change, of a file or of the files of a folder and itself."""
    stats = [path.stat()]
    if path.is_dir():
        with os.scandir(path) as files:
            stats += [file.stat() for file in files]
    return sum(stat.st_size for stat in stats), max(stat.st_mtime_ns for stat in stats)


def earlier(path: Path) -> dict[str, Check]:
    """The record of earlier runs, by path; empty if there is none.

    Raises:
        DatasetError: it is another file, or cannot be read.
    """
    try:
        return {row["path"]: _parsed(row) for row in read_rows(io.StringIO(read_regular(path).decode(), newline=""))}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        why = reason(error) if isinstance(error, OSError) else "not a record of deepfake datasets verify"
        raise DatasetError(f"{path}: {why}. Move it, or choose another --record.") from None


def _parsed(row: Mapping[str, str]) -> Check:
    texts = (row["video"], row["path"], row["dataset"])
    return Check(*texts, int(row["bytes"]), int(row["modified"]), row["full"] == "yes", row["fault"])


def write(path: Path, checks: Mapping[str, Check]) -> None:
    """Write the record, atomically."""
    rows = (check._asdict() | {"full": "yes" if check.full else ""} for _, check in sorted(checks.items()))
    manifest.write(path, COLUMNS, ({name: _text(value) for name, value in row.items()} for row in rows))


def _text(value: object) -> object:
    return encodable(value) if isinstance(value, str) else value
