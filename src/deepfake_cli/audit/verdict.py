"""An audit's figures in plain words: what to worry about, and what they can't tell."""

from collections.abc import Mapping
from typing import Any

LIMIT = 0.6  # an AUC above it is warned about
FEW = 10  # groups, below which a figure is called uncertain
NAMES = {"images": "image properties", "sources": "source properties"}  # of the two classifiers
ADVICE = (
    "A detector trained on these lists can score as much by them, and that would not carry over to other videos. Give both "
    "classes one path from camera to crop: deepfake split --reencode CRF puts all sources through one codec. Audit again, "
    "hold every detector's AUC against this one, and test it on another data set."
)
FILES = (
    "Source properties are those of the files as downloaded, and differ after --reencode too; then the image properties say "
    "what is left."
)


def warnings(found: Mapping[str, Any]) -> list[str]:
    """Sentences about each AUC above `LIMIT`, with what to do, and about groups that several lists share."""
    said = []
    for name, about in found["baselines"].items():
        if about["auc"] is not None and about["auc"] > LIMIT:
            measured = found["properties"] if name == "images" else found["sources"]["properties"]
            said.append(
                f"{NAMES[name].capitalize()} alone tell fakes from reals with an AUC of {_figure(about)}{_strongest(measured)}."
            )
    if said:
        told = found["baselines"]["sources"]["auc"] or 0
        said.append(f"{ADVICE} {FILES}" if told > LIMIT else ADVICE)
    shared = found["counts"]["shared_groups"]
    if shared:
        said.append(
            f"{_many(shared, 'group')} in more than one list, such as {shared[0]}: deepfake make-csv keeps groups apart."
        )
    return said


def _figure(about: Mapping[str, Any]) -> str:
    if about["low"] is None:
        return f"{about['auc']:.2f}"
    return f"{about['auc']:.2f} (95 %: {about['low']:.2f}–{about['high']:.2f})"


def _strongest(measured: Mapping[str, Any]) -> str:
    """The up to three properties that each pass `LIMIT` by themselves."""
    best = [(about["title"], about["alone"]["auc"]) for about in measured.values() if about["alone"]]
    named = [f"{title} {auc:.2f}" for title, auc in best if auc > LIMIT][:3]
    return f"; the strongest by itself: {', '.join(named)}" if named else ""


def notes(found: Mapping[str, Any]) -> list[str]:
    """Sentences about what could not be measured, and how far the figures can be trusted."""
    present = {row["class"] for row in found["counts"]["parts"]}
    if len(present) < 2:
        return [
            f"All images are {present.pop()}: nothing to tell apart. Give the lists of both classes.",
            *_gaps(found),
        ]
    return [*_uncertain(found), *_gaps(found)]


def _uncertain(found: Mapping[str, Any]) -> list[str]:
    said = []
    for name, about in found["baselines"].items():
        if "why" in about and about["rows"]:
            said.append(f"No classifier of the {NAMES[name]}: {about['why']}.")
    units = found["baselines"]["images"]["units"]
    if found["counts"]["groups"]["all"] == 1:
        said.append(
            "There is one group only: videos of the same people are held out instead, and the AUCs are too good."
        )
    elif units < FEW:
        said.append(f"{units} groups are few: an AUC may lie this far from 0.5, or this near to it, by chance.")
    return said


def _gaps(found: Mapping[str, Any]) -> list[str]:
    said = []
    sources, bad = found["sources"], found["sample"]["unreadable"]
    missing = sources["videos"] - sources["known"]
    if missing:
        said.append(
            f"Codec, size and frame rate of {missing:,} of {sources['videos']:,} source videos are unknown: no manifest.csv "
            "above their images has them. deepfake split writes it; with --overwrite for videos that an older one has cut."
        )
    if "face_size" not in found["properties"]:
        said.append("The size of the faces is unknown: no manifest.csv above the images has their boxes.")
    if bad:
        said.append(
            f"{_many(bad, 'image')} of the sample cannot be read and {'is' if len(bad) == 1 else 'are'} left out."
        )
    if found["counts"]["repeated_images"]:
        said.append(
            f"{found['counts']['repeated_images']:,} rows repeat an image that is listed already; it is measured once."
        )
    return said


def _many(things: list[Any], name: str) -> str:
    return f"{len(things):,} {name}{'s' * (len(things) != 1)}"
