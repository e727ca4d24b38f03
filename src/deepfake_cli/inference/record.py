"""The record of an examination: which file, by which detector and software, on which machine, when, with which settings."""

import hashlib
import os
import platform
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field

from deepfake_cli.assets import FACE_DETECTOR, FACE_MESH
from deepfake_cli.media.header import Fact, Header
from deepfake_cli.provenance import Provenance
from deepfake_cli.storage.hashes import sha256


class Evidence(Fact):
    """The file that was examined. A folder of images has the hash of the list that ``sha256sum *`` prints for its images."""

    sha256: str | None = Field(None, description="Before it was read; null for frames in memory and unreadable files")
    sha256_after: str | None = Field(None, description="After it was read")
    bytes: int | None = None
    modified: str | None = Field(None, description="UTC time that the file system gives")


class Examiner(Fact):
    """The detector."""

    model: str = Field(description="Architecture")
    sha256: str | None = Field(None, description="Of the detector's file; null for one made in Python")
    face_detector_sha256: str
    landmarks_sha256: str | None = Field(None, description="Of the face landmarks, which tell how far a head is turned")
    min_face_score: float = Field(description="Faces of a lower score are not found")
    runs_on: str = Field(description="Runtime and device")
    threads: int | None = Field(None, description="Number of threads; null for one per core")


class Machine(Fact):
    """The computer."""

    name: str
    system: str
    processor: str
    cores: int | None
    python: str


class FaceSizes(Fact):
    """Number of faces with a verdict, and the longer sides of their boxes, in pixels of the shown frame."""

    faces: int
    boxes: int
    smallest: int | None = None
    median: int | None = None
    largest: int | None = None


class Frames(Fact):
    """Frames and faces, by what was done with them."""

    read: int
    judged: int = Field(description="Faces that were scored, over all frames")
    left_out: dict[str, int] = Field({}, description="Frames or faces that were not judged, by reason")


class Record(Fact):
    """The record of one examination."""

    file: Evidence
    header: Header | None = Field(None, description="What the file says of itself")
    provenance: Provenance | None = Field(None, description="Null for folders and frames in memory")
    frames: Frames
    face_sizes: FaceSizes
    detector: Examiner
    settings: dict[str, Any]
    tool: str
    libraries: dict[str, str]
    machine: Machine
    began: str = Field(description="UTC time")
    ended: str = Field(description="UTC time")

    @property
    def origin_lines(self) -> list[str]:
        """What the file says of its origin and a reader should know, as sentences; see `Provenance.lines`."""
        return self.provenance.lines if self.provenance else []

    def anonymous(self) -> "Record":
        """The record without the name of the machine and paths on it, for readers elsewhere."""
        machine, trust = self.machine.model_copy(update={"name": ""}), self.settings.get("trust")
        settings = self.settings | {"trust": trust and Path(trust).name}
        return self.model_copy(update={"machine": machine, "settings": settings})


def now() -> str:
    """The UTC time in ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def hashed(path: Path, images: list[Path]) -> str | None:
    """The SHA-256 of a file, or of the list of its images for a folder; None if it cannot be read.

    Args:
        path: the file or folder.
        images: of the folder, in order of their names.
    """
    if path.is_dir():
        lines = [f"{hashed(image, []) or 'unreadable'}  {image.name}\n" for image in sorted(images)]
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
    try:
        return sha256(path) if path.is_file() else None  # reading a pipe would block
    except OSError:
        return None


def evidence(path: Path, before: str | None, after: str | None) -> Evidence:
    """The facts of a file that the file system gives, with its hashes."""
    try:
        state = path.stat()
    except OSError:
        return Evidence(sha256=before, sha256_after=after)
    modified = datetime.fromtimestamp(state.st_mtime, UTC).isoformat(timespec="seconds")
    size = state.st_size if path.is_file() else None
    return Evidence(sha256=before, sha256_after=after, bytes=size, modified=modified)


def face_sizes(lines: list[Any]) -> FaceSizes:
    """Sizes of the faces of timelines."""
    sides = sorted(side for line in lines for side in line.sides.tolist())
    if not sides:
        return FaceSizes(faces=len(lines), boxes=0)
    smallest, median, largest = (round(sides[place]) for place in (0, len(sides) // 2, -1))
    return FaceSizes(faces=len(lines), boxes=len(sides), smallest=smallest, median=median, largest=largest)


@cache
def shipped_sha256() -> dict[str, str]:
    """The SHA-256 of the networks in the package that find faces, by the name in `Examiner`."""
    return {"face_detector_sha256": sha256(FACE_DETECTOR), "landmarks_sha256": sha256(FACE_MESH)}


@cache
def machine() -> Machine:
    """This computer."""
    return Machine(
        name=platform.node(),
        system=f"{platform.system()} {platform.release()}",
        processor=_processor(),
        cores=os.cpu_count(),
        python=platform.python_version(),
    )


@cache
def libraries() -> dict[str, str]:
    """Versions of the libraries that affect a score; none is loaded for it."""
    import av
    import cv2
    import numpy as np

    found = {"av": av.__version__, "opencv": cv2.__version__, "numpy": np.__version__}
    found |= {f"ffmpeg {name}": ".".join(map(str, number)) for name, number in sorted(av.library_versions.items())}
    loaded = {name: sys.modules.get(name) for name in ("onnxruntime", "openvino", "PIL")}
    return found | {name: str(module.__version__) for name, module in loaded.items() if module is not None}


def tool() -> str:
    """This package and its version."""
    from deepfake_cli import __version__

    return f"deepfake-cli {__version__}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
