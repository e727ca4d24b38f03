"""DeepfakeTIMIT (2018).

DeepfakeTIMIT has only fakes, 640: 32 speakers in 16 pairs, swapped both ways, ten sentences each, by faceswap-GAN models of
64x64 (lower quality) and 128x128 (higher); H.264, 512x384, 25 fps. VidTIMIT (2009) has the real videos that
they were made from, of 43 speakers.

Layout: ``{higher,lower}_quality/SPEAKER/SENTENCE-video-PARTNER.avi``, and separately ``SPEAKER/video/SENTENCE/001``, JPEG
without a suffix. VidTIMIT has a zip per speaker; some are enough. Its ``head`` folders are head rotations. Audio is ignored.

Layout read from: notes of users of both downloads. Not verified: against their pages, which are below.

Labels: by data set; DeepfakeTIMIT is all fake, VidTIMIT all real. The quality is recorded.

Groups: a pair of speakers, with both qualities and their reals. Each of the other 11 speakers of VidTIMIT is a group.

Licence: both for research only. Each has its own terms, on its page.

How to obtain: DeepfakeTIMIT at https://www.idiap.ch/en/scientific-research/data/deepfaketimit; VidTIMIT at
https://conradsanderson.id.au/vidtimit/.

Citation: P. Korshunov, S. Marcel, DeepFakes: a New Threat to Face Recognition? Assessment and Detection, 2018,
arXiv:1812.08685. C. Sanderson, B. C. Lovell, Multi-Region Probabilistic Histograms for Robust and Scalable Identity
Inference, ICB 2009, doi:10.1007/978-3-642-01793-3_21.
"""

from collections.abc import Iterator
from pathlib import Path

from deepfake_cli.datasets.clip import FAKE, REAL, Clip, entries, folders
from deepfake_cli.datasets.layout import LayoutError, find_root
from deepfake_cli.errors import DatasetError
from deepfake_cli.storage.folders import is_folder

QUALITIES = ("higher_quality", "lower_quality")
COUNTS = {"": dict.fromkeys(QUALITIES, 320)}
HINT = (
    "DeepfakeTIMIT has only fakes. Its real videos are VidTIMIT, a separate download: "
    "run deepfake split timit again with --realdir VIDTIMIT."
)


def clips(root: str | Path) -> Iterator[Clip]:
    """The fakes, as AVI or folders of frames; and frames of reals written by `split`: ``real/<speaker>/<sentence>``."""
    root = find_root(
        Path(root), QUALITIES, "DeepfakeTIMIT: higher_quality/ and lower_quality/ with a folder per speaker"
    )
    for quality in QUALITIES:
        for speaker in folders(root / quality):
            for stem, path in entries(speaker):
                video, _, partner = stem.partition("-video-")
                if not partner:
                    raise DatasetError(f"{path}: expected a name like SENTENCE-video-PARTNER, with both people.")
                people, source = (speaker.name, partner), f"{speaker.name}/{video}"
                name = f"{quality}/{speaker.name}/{stem}"
                yield Clip(path, FAKE, "timit", name, people, (source,), "faceswap-GAN", quality)
    yield from _speakers(root / "real", "")


def reals(root: str | Path) -> Iterator[Clip]:
    """The real videos of VidTIMIT: ``SPEAKER/video/SENTENCE/``."""
    root = Path(root)
    if not _holds_speakers(root):
        near = next(filter(_holds_speakers, (*folders(root), *root.absolute().parents[:2])), None)
        hint = f" Use {near}." if near else ""
        raise LayoutError(f"{root}: expected VidTIMIT: SPEAKER/video/SENTENCE/001, 002, …; not found.{hint}")
    yield from _speakers(root, "video")


def listed(root: Path, found: list[Clip]) -> Iterator[str]:
    """The fakes of each quality in the other one too, if both are there."""
    fakes = [clip.video.partition("/") for clip in found if clip.label == FAKE]
    there = sorted({quality for quality, _, _ in fakes})
    yield from sorted({f"{quality}/{rest}" for _, _, rest in fakes for quality in there})


def _holds_speakers(root: Path) -> bool:
    return any(is_folder(folder / "video") for folder in folders(root))


def _speakers(root: Path, inner: str) -> Iterator[Clip]:
    for speaker in folders(root):
        for sentence, path in entries(speaker / inner):
            source = f"{speaker.name}/{sentence}"
            yield Clip(path, REAL, "timit", f"real/{source}", (speaker.name,), (source,))
