"""What lies beside the clips of a data set but is none of them."""

from collections.abc import Iterable
from pathlib import Path

from deepfake_cli.datasets.clip import Clip
from deepfake_cli.media.video import IMAGE_SUFFIXES, VIDEO_SUFFIXES

COMPANIONS = IMAGE_SUFFIXES | {  # what data sets keep beside their videos
    ".csv", ".dat", ".flac", ".html", ".json", ".log", ".m4a", ".md", ".md5", ".mp3", ".npy", ".npz", ".pdf",
    ".pkl", ".pts", ".sha256", ".srt", ".txt", ".wav", ".xml",
}  # fmt: skip


def left_out(clips: Iterable[Clip]) -> list[Path]:
    """What is named as a video, or as nothing that is known, in the folders that clips are in, and was not taken as one."""
    taken = {clip.path for clip in clips}
    holders = {parent for path in taken for parent in path.parents}
    beside = (child for folder in {path.parent for path in taken} for child in folder.iterdir())
    return sorted(path for path in beside if path not in taken and path not in holders and _odd(path))


def _odd(path: Path) -> bool:
    suffix = Path(f"name{path.name}" if path.name[0] == "." else path.name).suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return not path.name.startswith("._")  # what macOS leaves on foreign disks
    return bool(suffix) and suffix not in COMPANIONS and path.name[0] != "." and not path.is_dir()
