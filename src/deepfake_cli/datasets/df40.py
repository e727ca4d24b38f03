"""DF40 (2024).

Face crops by 40 methods: 10 face swaps, 13 reenactments, 12 of whole faces and 5 edits; for 31 of them made from, or trained
on, FaceForensics++ (ff) and Celeb-DF v2 (cdf), whose real videos are separate.

Layout: ``DF40_train/METHOD/ff/`` and ``DF40/METHOD/{ff,cdf}/`` with a folder of frames per video, such as ``000_003``, also in
``frames/``, and ``DF40/METHOD/{fake,real}/`` for the other methods, also single images; separately FaceForensics++ and Celeb-DF
v2. Some methods are enough. Landmarks are ignored.

Layout read from: README.md and DeepfakeBench_DF40/preprocessing/preprocess.py of https://github.com/YZY-stack/DF40, its issues
16, 29, 40 and 41, since the folders of the methods differ. Not verified: the number of videos per
method; the target in names of cdf, so both people count; folders of whole faces, whose frames are not of the video in their
name.

Labels: by folder; the method is recorded.

Groups: all fakes and real videos linked by a source video in their names, or by a celebrity of cdf.

Licence: CC BY-NC 4.0; FaceForensics Terms of Use and Terms to Use Celeb-DF for the real videos.

How to obtain: https://github.com/YZY-stack/DF40. The published split is in the names of DF40_train and DF40 (test); no
validation split; a real video is in the part of its fakes. The images are face crops: give ``split`` ``--crop none``.

Citation: Z. Yan and others, DF40: Toward Next-Generation Deepfake Detection, NeurIPS Datasets and Benchmarks 2024,
arXiv:2406.13495.
"""

import re
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from deepfake_cli.datasets import celebdf, ffpp
from deepfake_cli.datasets.clip import FAKE, REAL, Clip, entries, folders
from deepfake_cli.datasets.layout import LayoutError, layout_error
from deepfake_cli.media.video import IMAGE_SUFFIXES
from deepfake_cli.storage.folders import is_folder

METHODS = frozenset({
    "fsgan", "faceswap", "simswap", "inswap", "blendface", "uniface", "mobileswap", "e4s", "facedancer",
    "deepfacelab", "fomm", "facevid2vid", "wav2lip", "mraa", "one_shot_free", "pirender", "tpsm", "lia", "danet",
    "dagan", "sadtalker", "mcnet", "hyperreenact", "heygen", "vqgan", "stylegan2", "stylegan3", "styleganxl",
    "sd2.1", "ddim", "rddm", "pixart", "dit", "sit", "midjourney", "whichfaceisreal", "whichisreal", "collabdiff",
    "e4e", "stargan", "starganv2", "stargan2", "styleclip",
})  # fmt: skip
DOMAINS = ("ff", "cdf", "fake", "real")
RELEASES = {"df40": "test", "df40_train": "train"}
BAGS = {*DOMAINS, "frames", "videos", "inversions", "celeb-real", "youtube-real"}  # whose images are not one video
EXTRAS = ("landmarks", "masks", "__MACOSX")
FF, CDF = re.compile(r"(\d{3})(?:_(\d{3}))?"), re.compile(r"(?:(id\d+)_)?(?:(id\d+)_)?(\d+)(?:_.+)?")
EXPECTED = "DF40: folders of methods, such as simswap/, with ff/, cdf/, fake/ or real/"
OFFICIAL = "DF40_train for training and DF40 for testing, in folders of these names; no validation split"
HINT = "The real videos are those of FaceForensics++ and Celeb-DF v2: run deepfake split again with --realdir, a folder of both."


def clips(root: str | Path) -> Iterator[Clip]:
    """The videos and images of all available methods; and frames of reals written by `split`: ``real/ff/000``."""
    root, found = Path(root), False
    for release in _releases(root):
        part = RELEASES.get(release.name.lower(), "")
        for method in folders(release):
            for domain in _domains(method):
                for path in _items(domain):
                    found = True
                    yield _clip(path, domain, (*((release.name,) if part else ()), method.name), part)
    for domain in _domains(root / "real"):
        yield from (_clip(path, domain, ("real",), "") for path in _items(domain))
    if not found:
        raise layout_error(root, ("DF40", "DF40_train"), EXPECTED)


def reals(root: str | Path) -> Iterator[Clip]:
    """The YouTube videos of FaceForensics++ at rate 23, and the real videos of Celeb-DF v2."""
    found = [clip for clip in chain(_of(ffpp.clips, root), _of(celebdf.clips, root)) if clip.label == REAL]
    found = [clip for clip in found if clip.dataset == "celebdf" or "/youtube/c23/" in clip.video]
    if not found:
        raise LayoutError(f"{root}: expected FaceForensics++, with youtube/c23/, or Celeb-DF v2, or a folder of both.")
    for clip in found:
        domain, stem = "cdf" if clip.dataset == "celebdf" else "ff", Path(clip.video).name
        yield _named(clip.path, REAL, f"real/{domain}/{stem}", domain, stem, "", "")


def _of(read: Callable[[Path], Iterator[Clip]], root: str | Path) -> list[Clip]:
    try:
        return list(read(Path(root)))
    except LayoutError:
        return []


def _releases(root: Path) -> list[Path]:
    """The folders of methods: `root`, or DF40 and DF40_train in it, or one level deeper."""
    level = [root.absolute()] if root.is_dir() else []
    for _ in range(3):
        if held := [folder for folder in level if any(map(_is_method, folders(folder)))]:
            return held
        level = [child for folder in level for child in folders(folder)]
    return []


def _is_method(folder: Path) -> bool:
    return folder.name.lower() in METHODS and any(_domains(folder))


def _domains(method: Path) -> list[Path]:
    """``ff/``, ``cdf/``, ``fake/`` and ``real/``, also below a folder, as in heygen/heygen_new/."""
    places = (method, *(child for child in folders(method) if child.name not in DOMAINS))
    return [place / name for place in places for name in DOMAINS if is_folder(place / name)]


def _items(top: Path) -> Iterator[Path]:
    """Videos, folders of frames, and single images: those beside such folders, or in one of `BAGS`."""
    pending = [top]
    while pending:
        folder = pending.pop()
        inside = {path for _, path in entries(folder) if path.name.lower() not in BAGS}
        images = (path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != ".")
        yield from sorted({*inside, *images})
        deeper = [child for child in folders(folder) if child not in inside and child.name not in EXTRAS]
        pending += [child for child in deeper if not child.is_symlink()]


def _clip(path: Path, domain: Path, place: tuple[str, ...], part: str) -> Clip:
    method, stem = place[-1], path.name if is_folder(path) else path.stem
    words = [word for word in path.relative_to(domain).parts[:-1] if word.lower() not in {*DOMAINS, "frames", "videos"}]
    label = REAL if "real" in (method, domain.name) else FAKE
    name = "/".join((*place, domain.name, *words, stem))
    return _named(path, label, name, domain.name, stem, method if label else "", part)


def _named(path: Path, label: int, name: str, domain: str, stem: str, method: str, part: str) -> Clip:
    """A clip with the people and source videos in its name."""
    people, sources = list[str](), list[str]()
    if domain == "ff" and (found := FF.fullmatch(stem)):
        sources = [f"ff/{number}" for number in found.groups() if number]
    elif domain == "cdf" and (found := CDF.fullmatch(stem)):
        people = [person for person in found.groups()[:2] if person]
        sources = [f"cdf/{person}_{found[3]}" for person in people] or [f"cdf/{found[3]}"]
    return Clip(path, label, "df40", name, tuple(people), tuple(sources), method, part=part)
