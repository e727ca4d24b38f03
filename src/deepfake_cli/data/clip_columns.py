"""Manifest columns that describe the clip."""

from typing import Any

from deepfake_cli.data import manifest
from deepfake_cli.data.groups import links, name_groups
from deepfake_cli.datasets import find_adapter
from deepfake_cli.datasets.clip import LABELS, Clip


def describe(clips: list[Clip], adapter: str) -> dict[str, dict[str, Any]]:
    """Manifest columns of each clip, by video; groups are the strictest that the data set allows."""
    by = find_adapter(adapter).by[0]
    groups = name_groups([links(clip.people, clip.sources, by) for clip in clips])
    return {
        clip.video: {
            "label": LABELS[clip.label],
            "dataset": clip.dataset,
            "video": clip.video,
            "group": group,
            "method": clip.method,
            "quality": clip.quality,
            "people": manifest.joined(clip.people),
            "sources": manifest.joined(clip.sources),
            "official": clip.part,
        }
        for clip, group in zip(clips, groups, strict=True)
    }
