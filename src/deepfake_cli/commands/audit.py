"""``deepfake audit``: find shortcuts in the data."""

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
from deepfake_cli.config.base import PLOT_FORMATS
from deepfake_cli.data import manifest
from deepfake_cli.data.crops import cut_of
from deepfake_cli.errors import ManifestError
from deepfake_cli.reporting.style import also
from deepfake_cli.runs import recipe
from deepfake_cli.storage.file_sets import replaced
from deepfake_cli.storage.files import write_text

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class AuditResult:
    """Result of `audit`.

    Attributes:
        audit: the content of ``audit.json``: ``lists`` (hashes), ``counts`` (see `audit.counts.count`), ``sample``
            (size, seed, unreadable images), ``properties`` and ``sources`` (see `audit.describe.describe`), ``baselines``
            (see `audit.baseline.together`), ``limit`` (AUC above which a warning is given), ``warnings``, ``notes``,
            ``sheet`` (number of groups, and of groups shown) and ``files``.
        files: the files written.
    """

    audit: dict[str, Any]
    files: list[Path]


def audit(settings: Audit, progress: Callable[[int, int], None] = lambda done, total: None) -> AuditResult:
    """Measure a sample of the images, and test how well their properties separate reals from fakes.

    Args:
        settings: see `deepfake_cli.config.Audit`.
        progress: called with the number of images measured and the total.

    Returns:
        The result. Unreadable images are listed with a reason.

    Raises:
        ManifestError: a list cannot be read, or none of its images can.
    """
    from deepfake_cli.audit.page import page
    from deepfake_cli.audit.plots import overview
    from deepfake_cli.reporting.contact_sheet import sheet

    table = _read(settings.csv)
    images, unreadable = _measured(
        sample(table, settings.sample, settings.seed), settings.workers, settings.cluster, progress
    )
    videos = _videos(table)
    result: dict[str, Any] = {
        "lists": recipe.fingerprint(settings.csv),
        "counts": count(table),
        "sample": {
            "images": len(images),
            "seed": settings.seed,
            "unreadable": [{"path": path, "reason": reason} for path, reason in unreadable],
        },
        **_judged(images, videos, settings.seed),
    }
    result |= {
        "warnings": verdict.warnings(result),
        "notes": cut_of(table, None, ", ".join(map(str, settings.csv))).notes + verdict.notes(result),
    }
    files = [settings.output / name for name in ("audit.json", "audit.png", "faces.png", "audit.html")]
    plots = also(files[1], PLOT_FORMATS)
    with replaced(settings.output, last=files[0].name, names=[path.name for path in plots]) as new:
        overview(new / files[1].name, images, videos, result, settings.plot_formats)
        shown = sheet(new / files[2].name, images, settings.seed)
        files += also(files[1], settings.plot_formats)[1:]
        result |= {"sheet": shown, "files": [str(path) for path in files]}
        write_text(new / files[3].name, page(result, images, videos, new / files[2].name))
        write_text(new / files[0].name, json.dumps(result, indent=2) + "\n")
    return AuditResult(result, files)


def _read(lists: Sequence[Path]) -> "pd.DataFrame":
    """Read all lists as one table, with a column ``part``."""
    import pandas as pd

    tables = [manifest.read(path).assign(part=name) for path, name in zip(lists, _parts(lists), strict=True)]
    joined = pd.concat(tables, ignore_index=True)
    joined["part"] = pd.Categorical(joined["part"], [table["part"].iloc[0] for table in tables])
    return joined.astype(dict.fromkeys(manifest.CATEGORIES, "category"))


def _parts(lists: Sequence[Path]) -> list[str]:
    """The shortest unique name of each list."""
    stems = [path.stem for path in lists]
    longer = [f"{path.resolve().parent.name}/{path.stem}" for path in lists]
    for names in (stems, longer, list(map(str, lists))):
        if len(set(names)) == len(names):
            return names
    return [f"{number}: {path}" for number, path in enumerate(lists, 1)]  # the same list twice


def _measured(
    drawn: "pd.DataFrame", workers: int | None, cluster: str | None, progress: Callable[[int, int], None]
) -> tuple["pd.DataFrame", list[tuple[str, str]]]:
    """Properties of the readable images, and the unreadable ones with a reason."""
    import pandas as pd

    from deepfake_cli.audit.measure import measure_all
    from deepfake_cli.audit.sources import join

    rows, bad = measure_all(drawn["path"].tolist(), workers, progress, cluster=cluster)
    if len(bad) == len(rows):
        raise ManifestError(f"None of the {len(rows):,} images can be read. {bad[0][0]}: {bad[0][1]}.")
    measures = pd.DataFrame(rows, index=drawn.index)
    readable = measures["width"].notna()
    return join(drawn[readable].join(measures[readable])), bad


def _videos(table: "pd.DataFrame") -> "pd.DataFrame":
    """A row per video, with the known properties of its source."""
    from deepfake_cli.audit.sources import join

    return join(table.drop_duplicates(["dataset", "video", "label"]).reset_index(drop=True))


def _judged(images: "pd.DataFrame", videos: "pd.DataFrame", seed: int) -> dict[str, Any]:
    """Differences between the classes, per property and with classifiers on all properties."""
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
