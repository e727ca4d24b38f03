"""Adapters of data sets: one module and one line each."""

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from deepfake_cli.config import BY
from deepfake_cli.datasets import (
    celebdf,
    celebdfpp,
    deeperforensics,
    deepfakeeval,
    df40,
    dfdc,
    dfdcp,
    fakeavceleb,
    ffiw,
    ffpp,
    folder,
    kodf,
    timit,
    uadfv,
    wilddeepfake,
)
from deepfake_cli.datasets.card import title
from deepfake_cli.datasets.clip import LABELS, Clip
from deepfake_cli.datasets.layout import LayoutError, find_root
from deepfake_cli.errors import DatasetError
from deepfake_cli.registry import lookup

Clips = Callable[[Path], Iterable[Clip]]
Listed = Callable[[Path, list[Clip]], Iterable[str]]


class Adapter(NamedTuple):
    """How a data set is read; its card is the docstring of the module of `clips`.

    Attributes:
        clips: yields the clips of its folder, or of a tree of extracted frames.
        reals: yields the clips of a separate folder of real videos, if there is one.
        hint: what to do if there are no real videos.
        by: possible values of ``--by``, strictest first; the first is the default.
        official: its published split; empty if there is none.
        tops: folders, by name, that are read at any depth, so that all files below them are accounted for.
        counts: the published number of videos, by release and by the start of their names, such as
            ``"manipulated_sequences/*/*"``; the first pattern that fits counts.
        listed: yields the names of the videos that have to be there, given those that are, from lists in the folder.
        extras: folders, by name, that come with the data set and have no videos of it: masks.
        unlabelled: yields the videos that come with the data set and have no label, which are no clips.
    """

    clips: Clips
    reals: Clips | None = None
    hint: str = "Add real videos."
    by: tuple[str, ...] = BY
    official: str = ""
    tops: tuple[str, ...] = ()
    counts: Mapping[str, Mapping[str, int]] = MappingProxyType({})
    listed: Listed | None = None
    extras: tuple[str, ...] = ()
    unlabelled: Callable[[Path], Iterable[Path]] | None = None

    @property
    def card(self) -> str:
        """Layout, labels, groups, licence, how to obtain it, citation."""
        module = sys.modules.get(getattr(self.clips, "__module__", None) or "")
        return inspect.cleandoc((module and module.__doc__) or self.clips.__doc__ or "")


PERSON_OR_VIDEO = ("person", "video")
ADAPTERS: dict[str, Adapter] = {
    # DeepfakeTIMIT, with VidTIMIT as its reals
    "timit": Adapter(timit.clips, timit.reals, timit.HINT, counts=timit.COUNTS, listed=timit.listed),
    # UADFV: plain, nested as zipped, or as folders of frames
    "uadfv": Adapter(uadfv.clips, by=("video",), counts=uadfv.COUNTS, listed=uadfv.listed, extras=uadfv.EXTRAS),
    # FaceForensics++ and DeepFakeDetection
    "ffpp": Adapter(
        ffpp.clips, None, ffpp.HINT, BY, ffpp.OFFICIAL, counts=ffpp.COUNTS, listed=ffpp.listed, extras=ffpp.EXTRAS
    ),
    # Celeb-DF v2, and v1
    "celebdf": Adapter(
        celebdf.clips, official=celebdf.OFFICIAL, counts=celebdf.COUNTS, listed=celebdf.listed, extras=celebdf.EXTRAS
    ),
    "celebdfpp": Adapter(
        celebdfpp.clips,
        official=celebdfpp.OFFICIAL,
        counts=celebdfpp.COUNTS,
        listed=celebdfpp.listed,
        extras=celebdf.EXTRAS,
    ),
    # DeepFake Detection Challenge
    "dfdc": Adapter(dfdc.clips, by=("video",), official=dfdc.OFFICIAL, counts=dfdc.COUNTS, extras=dfdc.EXTRAS),
    "dfdcp": Adapter(
        dfdcp.clips, official=dfdcp.OFFICIAL, counts=dfdcp.COUNTS, listed=dfdcp.listed, extras=dfdcp.EXTRAS
    ),
    # with FaceForensics++ as its reals
    "deeperforensics": Adapter(
        deeperforensics.clips,
        deeperforensics.reals,
        deeperforensics.HINT,
        PERSON_OR_VIDEO,
        deeperforensics.OFFICIAL,
        counts=deeperforensics.COUNTS,
        listed=deeperforensics.listed,
        extras=deeperforensics.EXTRAS,
    ),
    # with FaceForensics++ and Celeb-DF as its reals
    "df40": Adapter(df40.clips, df40.reals, df40.HINT, PERSON_OR_VIDEO, df40.OFFICIAL, extras=df40.EXTRAS),
    "wilddeepfake": Adapter(
        wilddeepfake.clips, by=("video",), official=wilddeepfake.OFFICIAL, counts=wilddeepfake.COUNTS
    ),
    "ffiw": Adapter(
        ffiw.clips,
        by=("video",),
        official=ffiw.OFFICIAL,
        counts=ffiw.COUNTS,
        listed=ffiw.listed,
        extras=ffiw.EXTRAS,
    ),
    # FakeAVCeleb v1.2
    "fakeavceleb": Adapter(fakeavceleb.clips, counts=fakeavceleb.COUNTS, listed=fakeavceleb.listed),
    # KoDF as on AI-Hub
    "kodf": Adapter(kodf.clips, by=("person",), official=kodf.OFFICIAL, listed=kodf.listed),
    "deepfakeeval": Adapter(
        deepfakeeval.clips, by=("video",), official=deepfakeeval.OFFICIAL, unlabelled=deepfakeeval.unlabelled
    ),
    # real/ and fake/ of anything
    "folder": Adapter(folder.clips, by=PERSON_OR_VIDEO, tops=LABELS),
}


def find_adapter(name: str) -> Adapter:
    """Return an adapter by name, or a user's ``module:function`` with the signature ``clips(root)``."""
    titles = {title(adapter.card).split(" (")[0].lower(): key for key, adapter in ADAPTERS.items()}
    adapter = lookup(ADAPTERS, name, "data set", titles)
    if not isinstance(adapter, Adapter) and not callable(adapter):
        raise DatasetError(f"{name}: expected a function from a folder to clips; found {adapter!r}.")
    return adapter if isinstance(adapter, Adapter) else Adapter(adapter)


def find_clips(name: str, root: str | Path, realdir: str | Path | None = None) -> list[Clip]:
    """List the clips of a data set, sorted by video.

    Args:
        name: a key of `ADAPTERS`, or ``module:function``.
        root: the folder of the data set.
        realdir: a separate folder of real videos; None for none.

    Raises:
        DatasetError: the folder does not have the layout of the data set, has no videos, or two videos would be written to
            one folder, or one inside the other.
    """
    adapter, root = find_adapter(name), Path(root)
    try:
        clips = list(adapter.clips(root))
    except LayoutError as error:
        raise LayoutError(f"{error}{_looks_like(root, adapter)}") from None
    if realdir is not None:
        if adapter.reals is None:
            raise DatasetError(f"--realdir: the real videos of {name} are in its own folder; remove the option.")
        clips += _with_parts(adapter.reals(Path(realdir)), clips)
    if not clips:
        raise LayoutError(f"{root}: no videos in the layout of {name}.{_looks_like(root, adapter)}")
    clips = [clip._replace(path=Path(clip.path)) for clip in clips]  # an adapter of a user may give strings
    _check_names(clips, root)
    sourced = (clip if clip.sources else clip._replace(sources=(clip.video,)) for clip in clips)
    return sorted(sourced, key=lambda clip: clip.video)


def _with_parts(reals: Iterable[Clip], fakes: list[Clip]) -> list[Clip]:
    """Put separate real videos, which no published split lists, in the part of the fakes made from them, if it is one."""
    parts: dict[str, set[str]] = {}
    for clip in fakes:
        for source in clip.sources:
            parts.setdefault(source, set()).add(clip.part)
    found = [(clip, set().union(*(parts.get(source, ()) for source in clip.sources))) for clip in reals]
    return [clip._replace(part=part.pop()) if len(part) == 1 and not clip.part else clip for clip, part in found]


def _check_names(clips: list[Clip], root: Path) -> None:
    """Check that each video has an output folder of its own, which is not inside another one's."""
    paths: dict[str, list[Path]] = {}
    for clip in clips:
        paths.setdefault(clip.video, []).append(clip.path)
        if {"", ".", ".."} & set(clip.video.split("/")):
            raise DatasetError(f"{clip.path}: its name, {clip.video!r}, is not valid as that of a folder; rename it.")
    twice = sorted(video for video in paths if len(paths[video]) > 1)
    if twice:
        some = " and ".join(map(str, sorted(paths[twice[0]])[:2]))
        raise DatasetError(
            f"{root}: {len(twice)} names are used by two videos each, such as {twice[0]}: {some}; rename one of them."
        )
    for video in paths:
        above = next((str(parent) for parent in Path(video).parents if str(parent) in paths), None)
        if above:
            raise DatasetError(
                f"{root}: the frames of {paths[video][0]} would be inside those of {paths[above][0]}; rename one of them."
            )


def tops(name: str, root: Path) -> list[Path]:
    """The folders that are read at any depth; empty if the data set has a fixed layout."""
    own = find_adapter(name).tops
    return [find_root(root, own, " and ".join(own)) / top for top in own] if own else []


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
