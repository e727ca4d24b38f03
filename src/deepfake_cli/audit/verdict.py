"""Warnings and notes of an audit."""

from collections.abc import Mapping
from typing import Any

from deepfake_cli.metrics.few import FEWEST

LIMIT = 0.6  # AUC above which to warn
NAMES = {"images": "image properties", "sources": "source properties"}  # of the classifiers
ADVICE = (
    "A detector trained on these lists can use such shortcuts, and then fails on other videos. Process both classes the same "
    "way: deepfake split --reencode CRF puts all sources through one codec. Run the audit again, compare the AUC of every "
    "detector with this one, and test on another data set."
)
FILES = (
    "Source properties are of the original files and stay the same after --reencode; check the image properties then."
)


def warnings(audit: Mapping[str, Any]) -> list[str]:
    """Warn about each AUC above `LIMIT`, with advice, and about groups shared by lists."""
    lines = []
    for name, about in audit["baselines"].items():
        if about["auc"] is not None and about["auc"] > LIMIT:
            measured = audit["properties"] if name == "images" else audit["sources"]["properties"]
            lines.append(
                f"{NAMES[name].capitalize()} alone separate fakes from reals with an AUC of {_figure(about)}"
                f"{_strongest(measured)}."
            )
    if lines:
        by_source = audit["baselines"]["sources"]["auc"] or 0
        lines.append(f"{ADVICE} {FILES}" if by_source > LIMIT else ADVICE)
    shared = audit["counts"]["shared_groups"]
    if shared:
        lines.append(
            f"{_many(shared, 'group')} in more than one list, such as {shared[0]}. deepfake make-csv divides by group."
        )
    return lines


def _figure(about: Mapping[str, Any]) -> str:
    if about["low"] is None:
        return f"{about['auc']:.2f}"
    return f"{about['auc']:.2f} (95 %: {about['low']:.2f}–{about['high']:.2f})"


def _strongest(measured: Mapping[str, Any]) -> str:
    """Up to three properties with an AUC above `LIMIT`."""
    best = [(about["title"], about["alone"]["auc"]) for about in measured.values() if about["alone"]]
    named = [f"{title} {auc:.2f}" for title, auc in best if auc > LIMIT][:3]
    return f"; strongest: {', '.join(named)}" if named else ""


def notes(audit: Mapping[str, Any]) -> list[str]:
    """Notes on missing measurements and uncertainty."""
    present = {row["class"] for row in audit["counts"]["parts"]}
    if len(present) < 2:
        return [
            f"All images are {present.pop()}. Give lists with both classes.",
            *_gaps(audit),
        ]
    return [*_uncertain(audit), *_gaps(audit)]


def _uncertain(audit: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, about in audit["baselines"].items():
        if "why" in about and about["rows"]:
            lines.append(f"No classifier on {NAMES[name]}: {about['why']}.")
    units = audit["baselines"]["images"]["units"]
    if audit["counts"]["groups"]["all"] == 1:
        lines.append(
            "Only one group: the classifier was tested on other videos of the same people, so its AUC is too high."
        )
    elif units < FEWEST:
        lines.append(
            f"Only {units} groups: the AUCs are uncertain, and have no interval; at least {FEWEST} are needed."
        )
    return lines


def _gaps(audit: Mapping[str, Any]) -> list[str]:
    lines = []
    sources, bad = audit["sources"], audit["sample"]["unreadable"]
    missing = sources["videos"] - sources["known"]
    if missing:
        lines.append(
            f"Codec, size and frame rate are unknown for {missing:,} of {sources['videos']:,} source videos: no manifest.csv "
            "above their images has them. Run deepfake split, with --overwrite if an older version made the images."
        )
    if "face_size" not in audit["properties"]:
        lines.append("Face sizes are unknown: no manifest.csv above the images has boxes.")
    if bad:
        lines.append(f"{_many(bad, 'unreadable image')} of the sample left out.")
    if audit["counts"]["repeated_images"]:
        lines.append(f"{audit['counts']['repeated_images']:,} rows repeat an image; each image is measured once.")
    return lines


def _many(things: list[Any], name: str) -> str:
    return f"{len(things):,} {name}{'s' * (len(things) != 1)}"
