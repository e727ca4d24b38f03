"""DeepfakeTIMIT and VidTIMIT.

DeepfakeTIMIT (Korshunov and Marcel 2018) holds fakes only: ``{higher,lower}_quality/<speaker>/<sentence>-video-<partner>.avi``,
where the face of `partner` was swapped into the video of `speaker`; 32 speakers in 16 pairs, 640 videos, 512x384, 25 fps.
VidTIMIT (Sanderson and Lovell 2009) holds the real videos that they were made from, as frames:
``<speaker>/video/<sentence>/001`` are JPEG files without a suffix; 43 speakers. The ``head*`` folders are head rotations.

Labels: every video of DeepfakeTIMIT is fake, every one of VidTIMIT real. Groups: a pair of speakers, with their reals.
Licence: both for research only; ask Idiap and C. Sanderson.
"""

from collections.abc import Iterator
from pathlib import Path

from deepfake_cli.datasets.clip import FAKE, REAL, Clip, entries, find_root, folders
from deepfake_cli.errors import DatasetError

QUALITIES = ("higher_quality", "lower_quality")
HINT = (
    "DeepfakeTIMIT has fakes only; its real videos are VidTIMIT, distributed apart: "
    "run deepfake split timit again with --realdir VIDTIMIT."
)


def clips(root: Path) -> Iterator[Clip]:
    """The fakes, as AVI or as folders of frames; and ``real/<speaker>/<sentence>`` where `split` put frames of reals."""
    root = find_root(root, QUALITIES, "DeepfakeTIMIT: higher_quality/ and lower_quality/ with a folder a speaker")
    for quality in QUALITIES:
        for speaker in folders(root / quality):
            for stem, path in entries(speaker):
                _, video, partner = stem.partition("-video-")
                if not video:
                    raise DatasetError(
                        f"{path}: expected <sentence>-video-<partner>, so that the pair of people is known."
                    )
                yield Clip(path, FAKE, "timit", f"{quality}/{speaker.name}/{stem}", (speaker.name, partner))
    yield from _speakers(root / "real", "")


def reals(root: Path) -> Iterator[Clip]:
    """The real videos of VidTIMIT: ``<speaker>/video/<sentence>/``."""
    speakers = [folder for folder in folders(root) if (folder / "video").is_dir()]
    if not speakers:
        inner = next((child for child in folders(root) for grand in folders(child) if (grand / "video").is_dir()), None)
        hint = f" Use {inner}." if inner else ""
        raise DatasetError(
            f"{root}: expected VidTIMIT: <speaker>/video/<sentence>/001, 002, …, in no folder here.{hint}"
        )
    yield from _speakers(root, "video")


def _speakers(root: Path, inner: str) -> Iterator[Clip]:
    for speaker in folders(root):
        for sentence, path in entries(speaker / inner):
            yield Clip(path, REAL, "timit", f"real/{speaker.name}/{sentence}", (speaker.name,))
