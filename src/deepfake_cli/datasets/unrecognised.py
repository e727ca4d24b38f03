"""Find files that were not recognised as clips."""

from collections.abc import Iterable
from pathlib import Path

from deepfake_cli.datasets.clip import Clip
from deepfake_cli.media.video import IMAGE_SUFFIXES, VIDEO_SUFFIXES

COMPANIONS = IMAGE_SUFFIXES | {  # usual companions of videos
    ".csv", ".dat", ".flac", ".html", ".json", ".log", ".m4a", ".md", ".md5", ".mp3", ".npy", ".npz", ".pdf",
    ".pkl", ".pts", ".sha256", ".srt", ".txt", ".wav", ".xml",
}  # fmt: skip


def unrecognised(clips: Iterable[Clip]) -> list[Path]:
    """Files with a video suffix or an unknown one, in the folders of the clips, that are not clips."""
    used = {clip.path for clip in clips}
    holders = {parent for path in used for parent in path.parents}
    neighbours = (child for folder in {path.parent for path in used} for child in folder.iterdir())
    return sorted(path for path in neighbours if path not in used and path not in holders and _odd(path))


def _odd(path: Path) -> bool:
    suffix = Path(f"name{path.name}" if path.name[0] == "." else path.name).suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return not path.name.startswith("._")  # macOS resource forks
    return bool(suffix) and suffix not in COMPANIONS and path.name[0] != "." and not path.is_dir()
