"""The data sets whose layout we know: one module each, one line each."""

import inspect
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from deepfake_cli.config import BY
from deepfake_cli.datasets import celebdf, dfdc, ffpp, folder, timit, uadfv
from deepfake_cli.datasets.clip import Clip
from deepfake_cli.datasets.layout import LayoutError
from deepfake_cli.errors import DatasetError
from deepfake_cli.registry import lookup

Clips = Callable[[Path], Iterable[Clip]]


class Adapter(NamedTuple):
    """How a data set is read. Its card is the docstring of the module that `clips` is in.

    Attributes:
        clips: its folder, or a tree of frames cut from it, to its clips.
        reals: the folder of its real videos to their clips, where these come apart.
        hint: what to say when it has no reals.
        by: what its groups can be formed over, the strictest first: that is the default.
        official: what its published split is; empty if it has none.
    """

    clips: Clips
    reals: Clips | None = None
    hint: str = "Put real videos beside the fakes."
    by: tuple[str, ...] = BY
    official: str = ""

    @property
    def card(self) -> str:
        """What the data set is: layout, labels, groups, licence, how to obtain it, citation."""
        module = sys.modules.get(getattr(self.clips, "__module__", None) or "")
        return inspect.cleandoc((module and module.__doc__) or self.clips.__doc__ or "")


ADAPTERS: dict[str, Adapter] = {
    "timit": Adapter(timit.clips, timit.reals, timit.HINT),  # DeepfakeTIMIT, with VidTIMIT as its reals
    "uadfv": Adapter(uadfv.clips, by=("video",)),  # UADFV: plain, nested as zipped, or as folders of frames
    "ffpp": Adapter(ffpp.clips, hint=ffpp.HINT, official=ffpp.OFFICIAL),  # FaceForensics++ and DeepFakeDetection
    "celebdf": Adapter(celebdf.clips, official=celebdf.OFFICIAL),  # Celeb-DF v2, and v1
    "dfdc": Adapter(dfdc.clips, by=("video",), official=dfdc.OFFICIAL),  # DeepFake Detection Challenge
    "folder": Adapter(folder.clips, by=("person", "video")),  # real/ and fake/ of anything
}


def find_adapter(name: str) -> Adapter:
    """Return the adapter of that name, or a user's own ``module:function`` of the signature ``clips(root)``."""
    found = lookup(ADAPTERS, name, "data set")
    if not isinstance(found, Adapter) and not callable(found):
        raise DatasetError(f"{name}: expected a function that takes a folder and yields clips; found {found!r}.")
    return found if isinstance(found, Adapter) else Adapter(found)


def find_clips(name: str, root: Path, realdir: Path | None = None) -> list[Clip]:
    """List the clips of a data set, sorted by video.

    Raises:
        DatasetError: the folder doesn't have the data set's layout, holds no video, or two videos share a name.
    """
    adapter = find_adapter(name)
    try:
        found = list(adapter.clips(root))
    except LayoutError as error:
        raise LayoutError(f"{error}{_looks_like(root, adapter)}") from None
    if realdir is not None:
        if adapter.reals is None:
            raise DatasetError(f"--realdir: {name} has its real videos in its own folder; leave the option out.")
        found += adapter.reals(realdir)
    if not found:
        raise LayoutError(f"{root}: no video of the {name} layout in it.{_looks_like(root, adapter)}")
    names = [clip.video for clip in found]
    if len(set(names)) < len(names):
        twice = sorted(video for video, count in Counter(names).items() if count > 1)
        raise DatasetError(
            f"{root}: {len(twice)} names stand for two videos each, such as {twice[0]}; rename one of them."
        )
    sourced = (clip if clip.sources else clip._replace(sources=(clip.video,)) for clip in found)
    return sorted(sourced, key=lambda clip: clip.video)


def _looks_like(root: Path, wrong: Adapter) -> str:
    """Whose layout it is, if not that of the adapter that was asked for."""
    if wrong.reals and _reads(wrong.reals, root):
        return " It looks like the real videos alone: give it as --realdir, and the fakes' folder as --viddir."
    names = [name for name, adapter in ADAPTERS.items() if adapter is not wrong and _reads(adapter.clips, root)]
    return f" It looks like {' or '.join(names)}: give that name instead." if names else ""


def _reads(clips: Clips, root: Path) -> bool:
    """Whether there is a first clip."""
    try:
        return any(True for _ in clips(root))
    except (DatasetError, OSError):
        return False
