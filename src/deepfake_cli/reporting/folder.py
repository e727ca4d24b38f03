"""Write the report of an earlier evaluation from the files in its folder; needs no model."""

import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deepfake_cli.datasets.clip import LABELS
from deepfake_cli.errors import ManifestError
from deepfake_cli.reporting.page import write
from deepfake_cli.reporting.worst_faces import MOST
from deepfake_cli.storage.csv_cells import unquoted_table
from deepfake_cli.storage.disk import reason
from deepfake_cli.storage.downloads import local_path
from deepfake_cli.storage.file_sets import finish
from deepfake_cli.storage.files import whole
from deepfake_cli.storage.json_files import read_json

if TYPE_CHECKING:
    import pandas as pd

METRICS, PREDICTIONS, MAPS, RECIPE = "metrics.json", "predictions.csv", "heat_maps.npz", "evaluation.json"
PAGE = "report.html"
COLUMNS = ("dataset", "group", "video", "label", "score")
AUDITS = ("audit.json", "../audit/audit.json")  # relative to the folder of the evaluation
DEFAULT_AUDIT = Path("audit/audit.json")  # where deepfake audit writes it
FIX = "Run deepfake evaluate to write it."


def from_folder(
    evaluation: Path,
    output: Path | None = None,
    *,
    audit: Path | None = None,
    beside: Path | None = None,
    most_faces: int = MOST,
) -> Path:
    """Write the report of an evaluation from the files in its folder.

    Args:
        evaluation: folder with ``metrics.json``, ``predictions.csv`` and, optionally, ``heat_maps.npz`` and
            ``evaluation.json`` (see `save_maps` and `deepfake_cli.reporting.page.write`).
        output: path of the page; None for ``report.html`` in the folder.
        audit: an ``audit.json``; None for one near the evaluation that shares a list with it.
        beside: where to look for one; None for `evaluation`.
        most_faces: maximum number of misclassified faces to show; 0 for none.

    Returns:
        Path of the page.

    Raises:
        ManifestError: a file is missing or has other content.
    """
    finish(evaluation)
    metrics, table = _metrics(evaluation / METRICS), _predictions(evaluation / PREDICTIONS)
    path = output or evaluation / PAGE
    write(
        path,
        metrics,
        table,
        heat_maps=_maps(evaluation / MAPS),
        recipe=_recipe(evaluation / RECIPE),
        audit=_audit(audit) if audit else _audit_beside(beside or evaluation, metrics),
        most_faces=most_faces,
    )
    return path


def save_maps(evaluation: Path, maps: Mapping[str, NDArray[Any]]) -> None:
    """Save heat maps, each (rows, columns) in 0..1, by the paths of their frames, as 8 bits."""
    paths = list(maps)
    arrays = {f"map_{number}": np.round(255 * maps[path]).astype(np.uint8) for number, path in enumerate(paths)}
    with whole(evaluation / MAPS) as partial:
        np.savez_compressed(partial, paths=np.array(paths, dtype=str), **arrays)  # type: ignore[arg-type]


def _maps(path: Path) -> dict[str, NDArray[Any]]:
    """Load the maps of `save_maps`; empty if the file is missing or unreadable: they are optional."""
    try:
        with np.load(local_path(path), allow_pickle=False) as file:
            return {str(name): file[f"map_{number}"] / 255 for number, name in enumerate(file["paths"])}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return {}


def _metrics(path: Path) -> dict[str, Any]:
    """Read ``metrics.json`` and check the parts that a page needs."""
    from deepfake_cli.reporting.schema import Metrics

    return read_json(path, Metrics, ManifestError, FIX)


def _audit(path: Path, *, required: bool = True) -> dict[str, Any] | None:
    from deepfake_cli.reporting.schema import Audit

    return read_json(path, Audit, ManifestError, "Run deepfake audit to write it.", required=required)


def _recipe(path: Path) -> dict[str, Any] | None:
    from deepfake_cli.reporting.schema import Evaluation

    return read_json(path, Evaluation, ManifestError, FIX, required=False)


def _predictions(path: Path) -> "pd.DataFrame":
    import pandas as pd

    text = dict.fromkeys(("path", "dataset", "group", "video", "frame", "label", "method", "quality"), str)
    try:
        table = unquoted_table(
            pd.read_csv(local_path(path), dtype=text, keep_default_na=False, na_values={"score": [""]})
        )
    except FileNotFoundError:
        raise ManifestError(f"{path}: no such file. {FIX}") from None
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path}: cannot read as CSV: {reason(error)}.") from None
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing or not len(table):
        raise ManifestError(f"{path}: found {'no ' + ', '.join(missing) if missing else 'no row'}. {FIX}")
    odd = ~table["label"].isin(LABELS) | ~pd.to_numeric(table["score"], errors="coerce").between(0, 1)
    if odd.any():
        line, row = int(odd.to_numpy().argmax()), table[odd].iloc[0]
        raise ManifestError(
            f"{path}, line {line + 2}: found label {row['label']!r} and score {row['score']!r}; expected real or fake, "
            "and a number from 0 to 1."
        )
    return table.assign(label=(table["label"] == LABELS[1]).astype(int), score=table["score"].astype(float))


def _audit_beside(evaluation: Path, metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """The audit near the evaluation that shares a list with it, by hash."""
    hashes = set(metrics.get("lists", {}).values())
    beside = (Path(os.path.normpath(evaluation / name)) for name in AUDITS)  # a store knows no ..
    for path in (*beside, DEFAULT_AUDIT):
        audit = _audit(path, required=False)
        if audit and hashes & set(audit.get("lists", {}).values()):
            return audit
    return None
