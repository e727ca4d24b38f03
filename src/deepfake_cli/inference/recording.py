"""Keep the record while a file is judged: hash it before and after, and note what was read."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.inference import record as records
from deepfake_cli.media.header import Header
from deepfake_cli.media.video import FrameSource, frame_files
from deepfake_cli.provenance import Provenance, provenance

if TYPE_CHECKING:
    from deepfake_cli.inference.judge import JudgeOptions
    from deepfake_cli.inference.result import Verdict

CHANGED = "the file changed while it was judged"
CLOCK = "the clock of this machine was set, or the machine slept, while the file was judged: its times may be wrong"
DRIFT = 2.0  # seconds
UNSAID = ("scores", "face_detector", "examiner", "trust")  # of the options; the record has them elsewhere


class Recorder:
    """Collects the record of one examination.

    Args:
        options: of the examination.
    """

    def __init__(self, options: "JudgeOptions"):
        self._options, self._began, self._offset = options, records.now(), _offset()
        self._source: FrameSource | None = None
        self._header: Header | None = None
        self._provenance: Provenance | None = None
        self._evidence = records.Evidence()

    @contextmanager
    def of_file(self, path: Path, verdict: "Verdict") -> Iterator[None]:
        """Hash a file before and after the block that judges it; if it changed, nothing can be said of it."""
        before = file_hash(path)
        try:
            yield
        finally:
            after = file_hash(path)
            self._evidence = records.evidence(path, before, after)
            if self._source is not None:
                self._header = self._source.header
            if path.is_file():
                self._provenance = provenance(path, self._header, self._options.trust)
            if before != after:
                verdict.label, verdict.reason = "undecided", CHANGED

    def opened(self, source: FrameSource) -> FrameSource:
        """Note the source; its header is read now, since a container is closed once its frames are read."""
        self._source, self._header = source, source.header
        return source

    def record(self, verdict: "Verdict") -> records.Record | None:
        """The record of the verdict; None if the detector is not known."""
        if self._options.examiner is None:
            return None
        if abs(_offset() - self._offset) > DRIFT:
            verdict.notes.append(CLOCK)
        lines = [face.timeline for face in verdict.faces]
        return records.Record(
            file=self._evidence,
            header=self._header,
            provenance=self._provenance,
            frames=records.Frames(
                read=verdict.frames, judged=sum(len(line.judged) for line in lines), left_out=verdict.left_out
            ),
            face_sizes=records.face_sizes(lines),
            detector=self._options.examiner,
            settings=_settings(self._options),
            tool=records.tool(),
            libraries=records.libraries(),
            machine=records.machine(),
            began=self._began,
            ended=records.now(),
        )


def _settings(options: "JudgeOptions") -> dict[str, Any]:
    """All options, by the names of the flags and of the detector's metadata."""
    said = {each.name: getattr(options, each.name) for each in fields(options) if each.name not in UNSAID}
    return {
        "image_size": said.pop("size"),
        "faces": "all" if said.pop("every_face") else "largest",
        **said,
        "trust": None if options.trust is None else str(options.trust),
    }


def file_hash(path: Path) -> str | None:
    """The SHA-256 of a file or of a folder of images; None if it cannot be read."""
    images = [file for _, file in frame_files(path)] if path.is_dir() else []
    return records.hashed(path, images)


def _offset() -> float:
    """Seconds between the wall clock of this machine and its monotonic clock, which nobody can set."""
    return time.time() - time.monotonic()
