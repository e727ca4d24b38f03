"""FaceForensics++ (2019).

1,000 videos of unnamed people from YouTube, and 1,000 fakes by each of Deepfakes, Face2Face, FaceSwap, NeuralTextures and
FaceShifter, uncompressed (raw) and as H.264 at rates 23 and 40. DeepFakeDetection, distributed with it, adds 363 videos of
28 paid actors and 3,068 fakes made from them.

Layout: ``original_sequences/{youtube,actors}/{raw,c23,c40}/videos/`` with ``000.mp4`` or ``03__SCENE.mp4``, and
``manipulated_sequences/METHOD/{raw,c23,c40}/videos/`` with ``000_003.mp4`` or ``03_04__SCENE__GH8HGTL6.mp4``. Some methods
or qualities are enough; older downloads use ``c0`` for ``raw``. If a video is missing, its frames in ``frames/`` or ``images/``
are read. Masks and models are ignored.

Layout read from: dataset/README.md of https://github.com/ondyari/FaceForensics; frames from preprocessing/rearrange.py of
https://github.com/SCLBD/DeepfakeBench.

Labels: by folder; the method and the quality are recorded. Names are target_source: the face, or in Face2Face and
NeuralTextures the expression, of the second was put into the video of the first.

Groups: a YouTube video and its partner in the swap; for actors, all videos linked by an actor. Actors are swapped with several
others, so groups by person are few. ``--by pair`` and ``--by video`` give smaller ones, but test faces that were trained on.

Licence: FaceForensics Terms of Use, for non-commercial research and education.

How to obtain: a form at https://github.com/ondyari/FaceForensics, then the download script. The published split is in the
same repository: put train.json, val.json and test.json of ``dataset/splits`` next to ``original_sequences``, in ``splits/``
or in ``dataset/splits/``. It covers the YouTube videos (720, 140 and 140), not the actors.

Citation: A. Rössler, D. Cozzolino, L. Verdoliva, C. Riess, J. Thies, M. Nießner, FaceForensics++: Learning to Detect
Manipulated Facial Images, ICCV 2019, arXiv:1901.08971. FaceShifter: L. Li and others, arXiv:1912.13457. DeepFakeDetection:
N. Dufour, A. Gully, Contributing Data to Deepfake Detection Research, Google AI Blog, 2019.
"""

from collections.abc import Iterator
from pathlib import Path

from deepfake_cli.datasets.clip import FAKE, REAL, Clip, entries, folders
from deepfake_cli.datasets.layout import find_root, read_json
from deepfake_cli.errors import DatasetError

TOPS = {"original_sequences": REAL, "manipulated_sequences": FAKE}
QUALITIES = ("raw", "c0", "c23", "c40")
SPLITS = (".", "splits", "dataset/splits")
OFFICIAL = "train.json, val.json and test.json, from dataset/splits of https://github.com/ondyari/FaceForensics"
COUNTS = {
    "": {
        "original_sequences/youtube/*": 1000,
        "original_sequences/actors/*": 363,
        "manipulated_sequences/DeepFakeDetection/*": 3068,
        "manipulated_sequences/*/*": 1000,
    }
}
EXTRAS = ("masks", "landmarks", "downloaded_videos", "models")
HINT = "The real videos are original_sequences/youtube, and actors for DeepFakeDetection: download them too."


def clips(root: str | Path) -> Iterator[Clip]:
    """The videos of all available methods and qualities."""
    root = Path(root)
    top = _root(root)
    parts = _published(root) or _published(top)
    for kind, label in TOPS.items():
        for method in folders(top / kind):
            for quality in QUALITIES:
                inner = method / quality
                for stem, path in entries(inner / "videos", inner / "frames", inner / "images"):
                    people, sources = _made_from(stem, path, label)
                    name = f"{kind}/{method.name}/{quality}/videos/{stem}"
                    part = {parts.get(source, "") for source in sources}
                    yield Clip(path, label, "ffpp", name, people, sources, method.name if label else "", quality,
                               part.pop() if len(part) == 1 else "")  # fmt: skip


def listed(root: Path, found: list[Clip]) -> Iterator[str]:
    """The YouTube videos 000 to 999 and both swaps of each pair of the published split, of the methods and qualities there."""
    pairs = [pair for place in (root, _root(root)) for _, path in _split_files(place) for pair in _pairs(path)]
    swaps = sorted({"_".join(order) for pair in pairs for order in (pair, reversed(pair))})
    for top in sorted({clip.video.rpartition("/")[0] for clip in found}):
        kind, method, *_ = top.split("/")
        if method == "youtube":
            yield from (f"{top}/{number:03d}" for number in range(1000))
        elif TOPS.get(kind) == FAKE and method != "DeepFakeDetection":
            yield from (f"{top}/{swap}" for swap in swaps)


def _root(root: Path) -> Path:
    return find_root(root, TOPS, "FaceForensics++: original_sequences/ and manipulated_sequences/")


def _made_from(stem: str, path: Path, label: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The people and source videos in a name: ``000``, ``000_003``, ``03__scene`` or ``03_04__scene__id``."""
    head, _, scene = stem.partition("__")
    ids = tuple(head.split("_"))
    if label == FAKE and len(ids) != 2:
        raise DatasetError(f"{path}: expected a name like TARGET_SOURCE, such as 000_003, with its source videos.")
    if not scene:
        return (), ids
    return tuple(f"actor{number}" for number in ids), (f"{ids[0]}__{scene.partition('__')[0]}",)


def _published(root: Path) -> dict[str, str]:
    """The part of each YouTube video in the published split; empty without its files."""
    return {video: part for part, path in _split_files(root) for pair in _pairs(path) for video in pair}


def _split_files(root: Path) -> list[tuple[str, Path]]:
    files = [(part, root / place / f"{part}.json") for part in ("train", "val", "test") for place in SPLITS]
    return [(part, path) for part, path in files if path.is_file()]


def _pairs(path: Path) -> list[list[str]]:
    pairs = read_json(path)
    if not isinstance(pairs, list) or not all(isinstance(pair, list) for pair in pairs):
        raise DatasetError(f'{path}: expected a list of pairs of videos, such as ["071", "054"].')
    return [[str(video) for video in pair] for pair in pairs]
