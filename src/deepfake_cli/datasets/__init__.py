"""Adapters of data sets: one module and one line each."""

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
    """How a data set is read; its card is the docstring of the module of `clips`.

    Attributes:
        clips: yields the clips of its folder, or of a tree of extracted frames.
        reals: yields the clips of a separate folder of real videos, if there is one.
        hint: what to do if there are no real videos.
        by: possible values of ``--by``, strictest first; the first is the default.
        official: its published split; empty if there is none.
    """

    clips: Clips
    reals: Clips | None = None
    hint: str = "Add real videos."
    by: tuple[str, ...] = BY
    official: str = ""

    @property
    def card(self) -> str:
        """Layout, labels, groups, licence, how to obtain it, citation."""
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
    """Return an adapter by name, or a user's ``module:function`` with the signature ``clips(root)``."""
    adapter = lookup(ADAPTERS, name, "data set")
    if not isinstance(adapter, Adapter) and not callable(adapter):
        raise DatasetError(f"{name}: expected a function from a folder to clips; found {adapter!r}.")
    return adapter if isinstance(adapter, Adapter) else Adapter(adapter)


def find_clips(name: str, root: Path, realdir: Path | None = None) -> list[Clip]:
    """List the clips of a data set, sorted by video.

    Raises:
        DatasetError: the folder does not have the layout of the data set, has no videos, or two videos have the same name.
    """
    adapter = find_adapter(name)
    try:
        clips = list(adapter.clips(root))
    except LayoutError as error:
        raise LayoutError(f"{error}{_looks_like(root, adapter)}") from None
    if realdir is not None:
        if adapter.reals is None:
            raise DatasetError(f"--realdir: the real videos of {name} are in its own folder; remove the option.")
        clips += adapter.reals(realdir)
    if not clips:
        raise LayoutError(f"{root}: no videos in the layout of {name}.{_looks_like(root, adapter)}")
    names = [clip.video for clip in clips]
    if len(set(names)) < len(names):
        twice = sorted(video for video, count in Counter(names).items() if count > 1)
        raise DatasetError(
            f"{root}: {len(twice)} names are used by two videos each, such as {twice[0]}; rename one of them."
        )
    sourced = (clip if clip.sources else clip._replace(sources=(clip.video,)) for clip in clips)
    return sorted(sourced, key=lambda clip: clip.video)


def _looks_like(root: Path, wrong: Adapter) -> str:
    """A hint if the layout is that of another adapter."""
    if wrong.reals and _reads(wrong.reals, root):
        return " This looks like the folder of real videos: give it as --realdir, and the fakes as --viddir."
    names = [name for name, adapter in ADAPTERS.items() if adapter is not wrong and _reads(adapter.clips, root)]
    return f" This looks like {' or '.join(names)}: use that name instead." if names else ""


def _reads(clips: Clips, root: Path) -> bool:
    """Whether there is at least one clip."""
    try:
        return any(True for _ in clips(root))
    except (DatasetError, OSError):
        return False
