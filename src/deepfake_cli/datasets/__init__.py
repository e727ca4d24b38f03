"""The data sets whose layout we know: one module each, one line each."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from deepfake_cli.datasets import folder, timit, uadfv
from deepfake_cli.datasets.clip import Clip
from deepfake_cli.errors import DatasetError
from deepfake_cli.lookup import lookup

Clips = Callable[[Path], Iterable[Clip]]


class Adapter(NamedTuple):
    """How a data set is read.

    Attributes:
        clips: its folder, or a tree of frames cut from it, to its clips.
        reals: the folder of its real videos to their clips, where these come apart.
        hint: what to say when it has no reals.
    """

    clips: Clips
    reals: Clips | None = None
    hint: str = "Put real videos beside the fakes."


ADAPTERS: dict[str, Adapter] = {
    "timit": Adapter(timit.clips, timit.reals, timit.HINT),  # DeepfakeTIMIT, with VidTIMIT as its reals
    "uadfv": Adapter(uadfv.clips),  # UADFV: plain, nested as zipped, or as folders of frames
    "folder": Adapter(folder.clips),  # real/ and fake/ of anything
}


def find_adapter(name: str) -> Adapter:
    """Return the adapter of that name, or a user's own ``module:function`` of the signature ``clips(root)``."""
    found = lookup(ADAPTERS, name, "data set")
    return found if isinstance(found, Adapter) else Adapter(found)


def find_clips(name: str, root: Path, realdir: Path | None = None) -> list[Clip]:
    """List the clips of a data set, sorted by video.

    Raises:
        DatasetError: the folder doesn't have the data set's layout, holds no video, or two videos share a name.
    """
    adapter = find_adapter(name)
    found = list(adapter.clips(root))
    if realdir is not None:
        if adapter.reals is None:
            raise DatasetError(f"--realdir: {name} has its real videos in its own folder; leave the option out.")
        found += adapter.reals(realdir)
    if not found:
        raise DatasetError(f"{root}: no video of the {name} layout in it.")
    names = [clip.video for clip in found]
    if len(set(names)) < len(names):
        twice = sorted({video for video in names if names.count(video) > 1})
        raise DatasetError(
            f"{root}: {len(twice)} names stand for two videos each, such as {twice[0]}; rename one of them."
        )
    linked = (clip if clip.links else clip._replace(links=(clip.video,)) for clip in found)
    return sorted(linked, key=lambda clip: clip.video)
