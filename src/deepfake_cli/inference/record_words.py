"""A record in words: the columns of a CSV, and the sections of a page."""

from typing import Any

from deepfake_cli.inference.record import Record
from deepfake_cli.storage.json_files import json_text

Rows = list[tuple[str, str]]
RECORD_COLUMNS = (
    *("sha256", "sha256_after", "bytes", "format", "codec", "credentials", "marks", "face_pixels", "left_out", "tool"),
    *("detector_sha256", "began", "machine", "record"),
)


def record_columns(record: Record | None) -> dict[str, Any]:
    """The record as columns of a CSV; all are empty without one. What has no column of its own is JSON."""
    if record is None:
        return dict.fromkeys(RECORD_COLUMNS, "")
    header, origin, sizes = record.header, record.provenance, record.face_sizes
    judged = next((track for track in header.streams if track.judged), None) if header else None
    return {
        "sha256": record.file.sha256 or "",
        "sha256_after": record.file.sha256_after or "",
        "bytes": "" if record.file.bytes is None else record.file.bytes,
        "format": header.format if header else "",
        "codec": f"{judged.codec} {judged.profile or ''}".strip() if judged else "",
        "credentials": origin.credentials.state if origin else "",
        "marks": "; ".join(mark.sentence for mark in origin.marks) if origin else "",
        "face_pixels": "" if sizes.median is None else sizes.median,
        "left_out": "; ".join(f"{count} {reason}" for reason, count in record.frames.left_out.items()),
        "tool": record.tool,
        "detector_sha256": record.detector.sha256 or "",
        "began": record.began,
        "machine": record.machine.name,
        "record": json_text(record.model_dump(mode="json", exclude_none=True)),
    }


def sections(record: Record) -> list[tuple[str, Rows]]:
    """The record as titled lists of names and values, for the page and the PDF."""
    return [
        (title, [(name, value) for name, value in rows if value])
        for title, rows in (
            ("File", _file(record)),
            ("Origin, as the file states it", _origin(record)),
            ("Frames and faces", _frames(record)),
            ("Examination", _examination(record)),
        )
    ]


def _file(record: Record) -> Rows:
    file, header = record.file, record.header
    rows = [
        ("SHA-256", file.sha256 or "none: not a file that could be read"),
        ("SHA-256 after", "the same" if file.sha256 == file.sha256_after else file.sha256_after or "cannot be read"),
        ("Size", "" if file.bytes is None else f"{file.bytes:,} bytes"),
        ("Modified (file system)", file.modified or ""),
    ]
    if header is None:
        return rows
    size = f"{header.width}×{header.height} pixels" if header.width else ""
    keys = header.key_frames
    apart = (
        f", {keys.shortest} to {keys.longest} frames apart (median {keys.median:g})" if keys and keys.longest else ""
    )
    rows += [
        ("Format", ", ".join(filter(None, (header.format, size)))),
        ("Duration", "" if header.seconds is None else f"{header.seconds:g} s"),
        ("Bit rate", "" if header.bit_rate is None else f"{header.bit_rate:,} bit/s"),
        ("Images", f"{header.images:,}" if header.images else ""),
        ("JPEG quality", f"about {header.jpeg_quality}" if header.jpeg_quality else ""),
        ("Rotation", f"{header.rotation}° clockwise" if header.rotation else ""),
        ("Key frames", f"{keys.count:,}{apart}" if keys else ""),
        ("Encoder settings", header.encoder_settings or ""),
    ]
    for track in header.streams:
        facts = [
            track.codec or "unknown codec",
            track.profile,
            f"{track.width}×{track.height}" if track.width else None,
        ]
        facts += [track.pixel_format, f"{track.fps:g} frames/s" if track.fps else None]
        facts += [f"{track.frames:,} frames" if track.frames else None, _tags(track.tags)]
        name = f"Stream {track.index}: {track.kind}{'' if track.judged else ', not judged'}"
        rows.append((name, ", ".join(fact for fact in facts if fact)))
    more = f"{header.streams_left_out:,}" if header.streams_left_out else ""
    return [*rows, ("Further streams", more), ("Tags", _tags(header.tags))]


def _origin(record: Record) -> Rows:
    origin = record.provenance
    if origin is None:
        return [("Content Credentials", "not looked for: not a single file")]
    found = origin.credentials
    rows = [
        ("Content Credentials", found.sentence or "none in the file"),
        ("Faults", "; ".join(found.faults)),
        ("Signed", found.signed),
        ("Stated by", found.generator),
    ]
    for action in found.actions:
        parts = (action.action, action.source_type, action.software, action.when)
        rows.append(("Action", ", ".join(filter(None, parts))))
    for part in found.ingredients:
        rows.append(("Ingredient", ", ".join(filter(None, (part.title, part.relationship, part.state)))))
    rows += [("Mark", mark.sentence) for mark in origin.marks]
    return [*rows, ("Software and dates", _tags(origin.software)), ("Checked with", found.checked_with)]


def _frames(record: Record) -> Rows:
    frames, sizes = record.frames, record.face_sizes
    left = "; ".join(f"{count:,} {reason}" for reason, count in frames.left_out.items())
    pixels = f"{sizes.smallest} to {sizes.largest} pixels, median {sizes.median}" if sizes.boxes else ""
    return [
        ("Frames read", f"{frames.read:,}"),
        ("Faces scored", f"{frames.judged:,}"),
        ("Not judged", left or "none"),
        ("Face size", pixels),
    ]


def _examination(record: Record) -> Rows:
    machine, detector = record.machine, record.detector
    place = (machine.name, machine.system, machine.processor, f"{machine.cores} cores", f"Python {machine.python}")
    return [
        ("Began", record.began),
        ("Ended", record.ended),
        ("Detector", f"{detector.model}, {detector.runs_on}"),
        ("SHA-256 of the detector", detector.sha256 or "none: not loaded from a file"),
        ("SHA-256 of the face detector", detector.face_detector_sha256),
        ("SHA-256 of the face landmarks", detector.landmarks_sha256 or "none"),
        ("Settings", ", ".join(f"{name} {value}" for name, value in record.settings.items() if value is not None)),
        ("Software", f"{record.tool}; {', '.join(f'{name} {version}' for name, version in record.libraries.items())}"),
        ("Machine", ", ".join(filter(None, place))),
    ]


def _tags(tags: dict[str, str]) -> str:
    return "; ".join(f"{name}: {text}" for name, text in tags.items())
