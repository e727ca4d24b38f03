"""Whether a video, a folder of frames or an image is whole: by its ends, or by all of it."""

from pathlib import Path

from deepfake_cli.errors import VideoError
from deepfake_cli.media.container import open_video
from deepfake_cli.media.decode import Video
from deepfake_cli.media.image import is_image, load_image
from deepfake_cli.media.video import IMAGE_SUFFIXES, frame_files
from deepfake_cli.storage.disk import reason

SHORT = 1.0  # seconds that frames may end before the length in the header, which may be that of the sound
NO_FRAME = "no frame can be decoded"


def fault(path: Path, *, full: bool = False) -> str:
    """Return what is wrong with a source; empty if nothing is.

    Args:
        path: a video file, a folder of frames, or an image.
        full: decode every frame. Else the first and the last ones are decoded, and the index in the header is compared with the
            size of the file; this finds files that are truncated or not media at all. A file without an index, such as WebM,
            is decoded anyway.
    """
    try:
        if path.is_dir():
            return _of_images([file for _, file in frame_files(path)], full)
        if path.suffix.lower() in IMAGE_SUFFIXES or is_image(path):
            return _of_images([path], full)
        return _of_video(path) if full else _of_ends(path)
    except (OSError, VideoError) as error:
        return reason(error).removeprefix(f"{path}: ")


def _of_images(files: list[Path], full: bool) -> str:
    """The first image that is unreadable, and how many are; in quick mode, of the empty ones and both ends."""
    if not files:
        return "no images in this folder"
    chosen = files if full else [file for file in files if file in (files[0], files[-1]) or not file.stat().st_size]
    faults = {}
    for file in chosen:
        try:
            load_image(file)
        except (OSError, VideoError) as error:
            faults[file.name] = reason(error)
    name, why = next(iter(faults.items()), ("", ""))
    return f"{name}: {why}" + (f"; {len(faults):,} images are unreadable" if len(faults) > 1 else "") if faults else ""


def _of_video(path: Path) -> str:
    """Decode all frames, without converting them."""
    video = Video(path)
    count = sum(1 for _ in video.frames())
    if not count:
        return NO_FRAME
    end = video.times[-1]
    found = {
        f"{video.missing:,} of {video.promised:,} frames in the header are missing": video.missing,
        f"{video.damaged:,} frames are damaged": video.damaged,
        f"frames end at {end:.1f} s; the header says {video.length:.1f} s": not video.promised
        and video.length > end + SHORT,
    }
    return "; ".join(text for text, wrong in found.items() if wrong)


def _of_ends(path: Path) -> str:
    """Compare the index with the size of the file, and decode the first frame and the last key frame."""
    import av

    container, stream, _ = open_video(path)
    with container:
        index = stream.index_entries
        if not len(index) or not (container.format.name.startswith("mov") or 0 < stream.frames <= len(index)):
            return _of_video(path)  # FFmpeg has no full index of it
        lost = max(entry.pos + entry.size for entry in index) - path.stat().st_size
        if lost > 0:
            return f"truncated: {lost:,} bytes are missing"
        try:
            first = next(container.decode(stream), None)
            container.seek(index[-1].timestamp, stream=stream)
            last = next(container.decode(stream), None)
        except av.FFmpegError:
            first = last = None
    return "" if first and last else _of_video(path)  # the last "key frame" may be none, if all are marked as such
