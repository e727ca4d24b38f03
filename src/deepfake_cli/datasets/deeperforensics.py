"""DeeperForensics-1.0 (2020).

1,000 videos of FaceForensics++ with the faces of 100 paid actors, swapped by DF-VAE: plain, with seven kinds of perturbation at
five levels, mixed, and with other post-processing; 11,000 in all. The real videos are those of FaceForensics++, at rate 23.

Layout: ``manipulated_videos/VARIANT/000_M101.mp4`` with the variants ``end_to_end``, ``end_to_end_level_{1..5}``,
``end_to_end_random_level``, ``end_to_end_mix_{2,3,4}_distortions`` and ``reenact_postprocess``, and ``lists/splits/``;
separately FaceForensics++. Some variants are enough. If a video is missing, its frames in ``frames/`` next to it are read.
``source_videos``, the recordings of the actors, are not the real part and are not read.

Layout read from: dataset/README.md of https://github.com/EndlessSora/DeeperForensics-1.0, and for frames
preprocessing/rearrange.py of https://github.com/SCLBD/DeepfakeBench, which counts the source videos as real, against the
authors' advice.

Labels: by folder, fake; the real videos are in FaceForensics++. The method and the perturbation are recorded.

Groups: all fakes with the face of an actor, and their real videos.

Licence: DeeperForensics-1.0 Terms of Use, for non-commercial research; FaceForensics Terms of Use for the real videos.

How to obtain: the form at https://github.com/EndlessSora/DeeperForensics-1.0/tree/master/dataset. The published split comes
with the videos: 703, 96 and 201 of the 1,000, in each variant; a real video is in the part of its fakes.

Citation: L. Jiang, R. Li, W. Wu, C. Qian, C. C. Loy, DeeperForensics-1.0: A Large-Scale Dataset for Real-World Face Forgery
Detection, CVPR 2020, arXiv:2001.03024.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from deepfake_cli.datasets import ffpp
from deepfake_cli.datasets.clip import FAKE, REAL, Clip, entries, folders
from deepfake_cli.datasets.layout import LayoutError, find_root, read_text

TOP = "manipulated_videos"
NAME = re.compile(r"(\d{3})_([MW]\d+)")  # target video, actor
VARIANT = re.compile(r"(end_to_end|reenact_postprocess)_?(.*)")  # method, perturbation
PARTS = ("train", "val", "test")
YOUTUBE = "original_sequences/youtube/c23"
OFFICIAL = "train.txt, val.txt and test.txt in lists/splits, which come with the videos"
HINT = "The real videos are those of FaceForensics++: run deepfake split again with --realdir FACEFORENSICS."
COUNTS = {"": {"real": 1000, f"{TOP}/*": 1000}}
EXTRAS = ("source_videos",)


def clips(root: str | Path) -> Iterator[Clip]:
    """The fakes of all available variants; and frames of reals written by `split`: ``real/000``."""
    root = _root(Path(root))
    parts = _parts(root)
    for variant in folders(root / TOP):
        known = VARIANT.fullmatch(variant.name)
        method, quality = known.groups() if known else (variant.name, "")
        for stem, path in entries(variant, variant / "videos", variant / "frames"):
            if named := NAME.fullmatch(stem):
                name, source = f"{TOP}/{variant.name}/{stem}", (named[1],)
                part = parts.get(stem, "")
                yield Clip(path, FAKE, "deeperforensics", name, (named[2],), source, method, quality, part)
    for stem, path in entries(root / "real"):
        yield _real(stem, path)


def reals(root: str | Path) -> Iterator[Clip]:
    """The YouTube videos of FaceForensics++ at rate 23, as the authors advise."""
    found = [clip for clip in ffpp.clips(root) if clip.video.startswith(YOUTUBE)]
    if not found:
        raise LayoutError(f"{root}: expected FaceForensics++ with {YOUTUBE}/videos/; found none of these.")
    for clip in found:
        yield _real(clip.sources[0], clip.path)


def listed(root: Path, found: list[Clip]) -> Iterator[str]:
    """All names in the split, in each variant that is there."""
    variants = {clip.video.rpartition("/")[0] for clip in found if clip.label == FAKE}
    yield from (f"{variant}/{stem}" for variant in sorted(variants) for stem in _parts(_root(root)))


def _root(root: Path) -> Path:
    return find_root(root, (TOP,), f"DeeperForensics-1.0: {TOP}/ with a folder per variant")


def _real(stem: str, path: Path) -> Clip:
    return Clip(path, REAL, "deeperforensics", f"real/{stem}", (), (stem,))


def _parts(root: Path) -> dict[str, str]:
    """The part of each listed fake, by its name without suffix."""
    parts: dict[str, str] = {}
    for part in PARTS:
        path = root / "lists" / "splits" / f"{part}.txt"
        if path.is_file():
            parts |= {Path(line.strip()).stem: part for line in read_text(path).splitlines() if line.strip()}
    return parts
