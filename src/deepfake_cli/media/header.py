"""What a file says of itself: format, streams, encoders, dates. All of it can be forged; it is stated, not judged."""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from deepfake_cli.errors import VideoError
from deepfake_cli.media.info import opened
from deepfake_cli.media.jpeg_quality import jpeg_quality
from deepfake_cli.media.texts import MOST, plain, plain_fields

if TYPE_CHECKING:
    import av

SETTINGS = re.compile(rb"x26[45] [ -~]{0,80}?(?:core|build) [ -~]{0,600}")  # x264 and x265 write theirs into the stream
START = 16384  # bytes of the first packet that are searched for them
EXIF, GPS = 0x8769, 0x8825  # tags of further directories


class Fact(BaseModel):
    """A part of a record; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Track(Fact):
    """A stream of a container."""

    index: int
    kind: str = Field(description="video, audio, subtitle, data or attachment")
    codec: str = Field(description="As FFmpeg names it; empty if it does not know it")
    judged: bool = Field(description="Whether its frames were judged")
    profile: str | None = None
    width: int | None = Field(None, description="Stored, in pixels")
    height: int | None = Field(None, description="Stored, in pixels")
    pixel_format: str | None = None
    fps: float | None = Field(None, description="Frames per second, on average")
    frames: int | None = Field(None, description="Number of frames according to the header")
    seconds: float | None = None
    bit_rate: int | None = Field(None, description="Bits per second")
    sample_rate: int | None = Field(None, description="Of audio, in Hz")
    tags: dict[str, str] = {}


class KeyFrames(Fact):
    """Distances of the key frames of the judged stream (GOP), in frames."""

    count: int
    shortest: int | None = None
    median: float | None = None
    longest: int | None = None


class Header(Fact):
    """What a file says of itself."""

    format: str = Field(description="Of the container, as FFmpeg names it; of an image, as Pillow names it")
    seconds: float | None = Field(None, description="Duration")
    bit_rate: int | None = Field(None, description="Bits per second")
    width: int | None = Field(None, description="Of an image, in pixels")
    height: int | None = Field(None, description="Of an image, in pixels")
    rotation: int | None = Field(None, description="Of the judged stream, in degrees, clockwise")
    encoder_settings: str | None = Field(None, description="As x264 or x265 writes them into the stream")
    key_frames: KeyFrames | None = None
    jpeg_quality: int | None = Field(None, description="1 to 100, estimated from the quantisation table")
    images: int | None = Field(None, description="Number of images in a folder")
    tags: dict[str, str] = {}
    streams: list[Track] = []
    streams_left_out: int = Field(0, description=f"Further streams, beyond {MOST}")


def of_container(container: "av.container.InputContainer", judged: "av.VideoStream") -> Header:
    """The header of an open video file.

    Args:
        container: of the file.
        judged: its stream that is judged.
    """
    streams = list(container.streams)
    return Header(
        format=plain(container.format.name),
        seconds=round(container.duration / 1e6, 3) if container.duration else None,
        bit_rate=container.bit_rate or None,
        tags=plain_fields(container.metadata),
        streams=[_track(stream, stream is judged or stream.index == judged.index) for stream in streams[:MOST]],
        streams_left_out=max(0, len(streams) - MOST),
    )


def _track(stream: Any, judged: bool) -> Track:
    codec = stream.codec_context
    common = {
        "index": stream.index,
        "kind": stream.type or "unknown",
        "codec": codec.codec.canonical_name if codec else "",
        "judged": judged,
        "profile": plain(codec.profile) if codec and codec.profile else None,
        "seconds": round(float(stream.duration * stream.time_base), 3)
        if stream.duration and stream.time_base
        else None,
        "frames": stream.frames or None,
        "bit_rate": (codec.bit_rate if codec else None) or None,
        "tags": plain_fields(stream.metadata),
    }
    if stream.type == "video" and codec:
        rate = stream.average_rate or stream.guessed_rate
        common |= {"width": stream.codec_context.width or None, "height": stream.codec_context.height or None}
        common |= {"pixel_format": codec.pix_fmt, "fps": round(float(rate), 3) if rate else None}
    if stream.type == "audio" and codec:
        common |= {"sample_rate": codec.sample_rate or None}
    return Track(**common)


def encoder_settings(packet: bytes) -> str | None:
    """What x264 or x265 wrote of itself into the first packet of a stream; None without it."""
    found = SETTINGS.search(packet[:START])
    return plain(found[0], 700) if found else None


def key_frames(places: Sequence[int]) -> KeyFrames | None:
    """Count and distances of key frames.

    Args:
        places: their indices among the decoded frames.
    """
    if not places:
        return None
    apart = [after - before for before, after in pairwise(places)]
    if not apart:
        return KeyFrames(count=len(places))
    return KeyFrames(count=len(places), shortest=min(apart), median=float(np.median(apart)), longest=max(apart))


def of_images(files: Sequence[Path], *, folder: bool) -> Header | None:
    """The header of an image, or of the first image of a folder; None if Pillow cannot read it."""
    if not files[0].is_file():  # opening a pipe would block
        return None
    try:
        with opened(files[0]) as image:
            return Header(
                format=str(image.format).lower(),
                width=image.width,
                height=image.height,
                images=len(files) if folder else None,
                jpeg_quality=_quality(image),
                tags=plain_fields(_tags(image)),
            )
    except (OSError, VideoError):
        return None


def _quality(image: Any) -> int | None:
    tables = getattr(image, "quantization", None)
    return jpeg_quality(tables[0]) if image.format == "JPEG" and tables and 0 in tables else None


def _tags(image: Any) -> list[tuple[str, Any]]:
    """Mode, EXIF and text of an image, by the names that Pillow gives."""
    from PIL import ExifTags

    exif = image.getexif()
    fields = [("mode", image.mode)]
    fields += [(ExifTags.TAGS.get(tag, f"EXIF {tag}"), value) for tag, value in exif.items() if tag not in (EXIF, GPS)]
    for directory, names in ((EXIF, ExifTags.TAGS), (GPS, ExifTags.GPSTAGS)):
        inner = exif.get_ifd(directory) if directory in exif else {}
        fields += [(names.get(tag, f"EXIF {tag}"), value) for tag, value in inner.items()]
    return fields + [(name, value) for name, value in image.info.items() if isinstance(value, str)]
