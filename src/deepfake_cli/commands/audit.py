"""``deepfake audit``: what lists of images give away of their labels without a look at a face."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.audit import verdict
from deepfake_cli.audit.baseline import together
from deepfake_cli.audit.counts import count, sample
from deepfake_cli.audit.describe import describe
from deepfake_cli.audit.properties import IMAGE, SOURCE
from deepfake_cli.config import Audit
from deepfake_cli.data import manifest
from deepfake_cli.errors import ManifestError
from deepfake_cli.runs import recipe
from deepfake_cli.storage.files import write_text

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class AuditResult:
    """What `audit` found.

    Attributes:
        found: everything, as in ``audit.json``: ``lists`` (hashes), ``counts`` (see `audit.counts.count`), ``sample``
            (size, seed, unreadable images), ``properties`` and ``sources`` (see `audit.describe.describe`), ``baselines``
            (see `audit.baseline.together`), ``limit`` (the AUC above which one is warned about), ``warnings``, ``notes``,
            ``sheet`` (groups, and those shown) and ``files``.
        files: what was written.
    """

    found: dict[str, Any]
    files: list[Path]


def audit(settings: Audit, progress: Callable[[int, int], None] = lambda done, total: None) -> AuditResult:
    """Measure a sample of the lists' images, and what their labels can be told from.

    Args:
        settings: see `deepfake_cli.config.Audit`.
        progress: called with how many of how many images are measured.

    Returns:
        What was found. An image that can't be read is in it with its reason; it stops no other.

    Raises:
        ManifestError: a list can't be read, or none of its images.
    """
    from deepfake_cli.audit.plots import overview
    from deepfake_cli.reporting.contact_sheet import sheet

    table = _read(settings.csv)
    images, unreadable = _measured(
        sample(table, settings.sample, settings.seed), settings.workers, settings.cluster, progress
    )
    videos = _videos(table)
    found: dict[str, Any] = {
        "lists": recipe.fingerprint(settings.csv),
        "counts": count(table),
        "sample": {
            "images": len(images),
            "seed": settings.seed,
            "unreadable": [{"path": path, "reason": reason} for path, reason in unreadable],
        },
        **_judged(images, videos, settings.seed),
    }
    found |= {"warnings": verdict.warnings(found), "notes": verdict.notes(found)}
    files = [settings.output / name for name in ("audit.json", "audit.png", "faces.png")]
    overview(files[1], images, videos, found)
    found |= {"sheet": sheet(files[2], images, settings.seed), "files": [str(path) for path in files]}
    write_text(files[0], json.dumps(found, indent=2) + "\n")
    return AuditResult(found, files)


def _read(lists: Sequence[Path]) -> "pd.DataFrame":
    """All rows of all lists, each with the name of its part."""
    import pandas as pd

    tables = [manifest.read(path).assign(part=name) for path, name in zip(lists, _parts(lists), strict=True)]
    joined = pd.concat(tables, ignore_index=True)
    joined["part"] = pd.Categorical(joined["part"], [table["part"].iloc[0] for table in tables])
    return joined.astype(dict.fromkeys(manifest.CATEGORIES, "category"))


def _parts(lists: Sequence[Path]) -> list[str]:
    """Each list's name, as short as tells them apart."""
    stems = [path.stem for path in lists]
    longer = [f"{path.resolve().parent.name}/{path.stem}" for path in lists]
    for names in (stems, longer, list(map(str, lists))):
        if len(set(names)) == len(names):
            return names
    return [f"{number}: {path}" for number, path in enumerate(lists, 1)]  # one list, given twice


def _measured(
    drawn: "pd.DataFrame", workers: int | None, cluster: str | None, progress: Callable[[int, int], None]
) -> tuple["pd.DataFrame", list[tuple[str, str]]]:
    """The drawn images that can be read, with their properties; the others with the reason."""
    import pandas as pd

    from deepfake_cli.audit.measure import measure_all
    from deepfake_cli.audit.sources import join

    rows, bad = measure_all(drawn["path"].tolist(), workers, progress, cluster=cluster)
    if len(bad) == len(rows):
        raise ManifestError(f"None of {len(rows):,} images can be read, such as {bad[0][0]}: {bad[0][1]}.")
    measures = pd.DataFrame(rows, index=drawn.index)
    readable = measures["width"].notna()
    return join(drawn[readable].join(measures[readable])), bad


def _videos(table: "pd.DataFrame") -> "pd.DataFrame":
    """One row a video, with what is known of its source."""
    from deepfake_cli.audit.sources import join

    return join(table.drop_duplicates(["dataset", "video", "label"]).reset_index(drop=True))


def _judged(images: "pd.DataFrame", videos: "pd.DataFrame", seed: int) -> dict[str, Any]:
    """How images and sources differ between the classes, and how far that alone tells them apart."""
    known = videos[list(SOURCE)].notna().any(axis=1)
    return {
        "properties": describe(images, IMAGE, seed),
        "sources": {
            "videos": len(videos),
            "known": int(known.sum()),
            "properties": describe(videos, SOURCE, seed),
        },
        "baselines": {
            "images": together(images, list(IMAGE), seed),
            "sources": together(videos[known], list(SOURCE), seed),
        },
        "limit": verdict.LIMIT,
    }
