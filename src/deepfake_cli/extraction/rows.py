"""Manifest rows of a video: at least one per frame."""

from collections.abc import Iterator
from typing import Any

from deepfake_cli.config import Split
from deepfake_cli.faces.box import Box
from deepfake_cli.faces.tracking import ranked
from deepfake_cli.storage.tar_shards import SUFFIX

FEW = 5  # minimum frames of a track for its own folder; false detections are rarely as long

Seen = tuple[int, dict[int, Box] | None]  # frame index and boxes by track; None: unreadable


def kept_tracks(seen: list[Seen], every_face: bool) -> list[int]:
    """The tracks to keep, largest first."""
    faces = [boxes for _, boxes in seen if boxes is not None]
    if every_face:
        return ranked(faces, least=min(FEW, len(faces)))
    return ranked(faces)[:1]


def rows_of(video: str, settings: Split, seen: list[Seen], tracks: list[int]) -> Iterator[dict[str, Any]]:
    """Yield a row per image, and a row per frame without an image; columns of the clip are added later."""
    every = settings.faces == "all"
    for index, boxes in seen:
        faces = [(rank, boxes[track]) for rank, track in enumerate(tracks) if track in boxes] if boxes else []
        if boxes is None:
            yield _row(video, settings, index, reason="unreadable")
        elif settings.crop == "none":
            yield _row(video, settings, index, box=faces[0][1] if faces else None)
        elif not faces:
            another = "brief face only" if every else "another face only"
            yield _row(video, settings, index, reason=another if boxes else "no face")
        else:
            yield from (_row(video, settings, index, track=str(rank) if every else "", box=box) for rank, box in faces)


def _row(
    video: str, settings: Split, index: int, *, track: str = "", box: Box | None = None, reason: str = ""
) -> dict[str, Any]:
    name = f"{index:05d}.{settings.format}"
    return {
        "path": "" if reason else "/".join(filter(None, (video + SUFFIX * settings.packs, track, name))),
        "frame": index,
        "track": track,
        "box": box.text if box else "",
        "score": f"{box.score:.4f}" if box and box.score else "",  # interpolated boxes have none
        "reason": reason,
    }


def note_on(faults: list[str], seen: list[Seen], *, boxes: bool, align: bool) -> str:
    """A note on problems of a video: file errors, unreadable frames, no faces."""
    notes = list(faults)
    faces = [tracked for _, tracked in seen if tracked is not None]
    if len(faces) < len(seen):
        notes.append(f"{len(seen) - len(faces)} unreadable frames")
    if boxes and not any(faces):
        notes.append("no face in any frame")
    upright = sum(box.eyes is None for tracked in faces for box in tracked.values()) if align else 0
    if upright:
        notes.append(f"{upright} faces not aligned: no eyes detected")
    return "; ".join(notes)
