"""``deepfake report``: an evaluation as one page; and what `evaluate` keeps for that page."""

import hashlib
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepfake_cli import recipe
from deepfake_cli.config import Evaluate, Report, Step
from deepfake_cli.files import write_text
from deepfake_cli.report.faces import MOST, worst
from deepfake_cli.report.folder import RECIPE, from_folder, save_maps

if TYPE_CHECKING:
    import pandas as pd

DEVICE = ("gpu", "multi_gpu", "multi_gpu_force")


def report(settings: Report) -> Path:
    """Write the page of an evaluation from its files, and return where it is.

    Args:
        settings: see `deepfake_cli.config.Report`.

    Raises:
        ManifestError: ``metrics.json`` or ``predictions.csv`` is missing, or holds something else.
    """
    return from_folder(settings.evaluation, settings.output, audit=settings.audit, most_faces=settings.faces)


def of_evaluation(
    settings: Evaluate, snapshot: Path | None, model: Any, table: "pd.DataFrame", threshold: float
) -> Path:
    """Keep what the page needs beyond the figures, and write it, once metrics.json and predictions.csv are there.

    Args:
        settings: of the evaluation.
        snapshot: the detector's file; None if the scores came from elsewhere.
        model: the detector, for the heat maps of the frames it is most wrong about; None if it is not at hand.
        table: one row a frame, with its score.
        threshold: a score of at least this is called fake.

    Returns:
        Where the page is.
    """
    paths = worst(table, threshold, MOST)["path"].tolist() if model is not None else []
    save_maps(settings.output, _maps(model, paths, threshold))  # without any, too: an older file's would be another's
    write_text(settings.output / RECIPE, json.dumps(_recipe(settings, snapshot), indent=2, default=str) + "\n")
    return from_folder(settings.output)


def _maps(model: Any, paths: list[str], threshold: float) -> dict[str, np.ndarray]:
    """Heat maps of frames, by path; none of a model that has no map of places."""
    read = [path for path in paths if Path(path).is_file()]
    if not read:
        return {}
    from deepfake_cli.errors import ModelError
    from deepfake_cli.explain import heat_maps  # Keras, which scores from a file never need
    from deepfake_cli.pipeline import read_image

    # as they were scored: another decoder or scaling moves a score, and a map might explain the other call
    images = [read_image(path, model.input_shape[1]).numpy() for path in read]
    try:
        return dict(zip(read, heat_maps(model, np.stack(images), threshold), strict=True))
    except ModelError:  # a model of dense layers only can be evaluated all the same
        return {}


def _recipe(settings: Evaluate, snapshot: Path | None) -> dict[str, Any]:
    """What repeats the evaluation; the hash is of the same kind as the lists'."""
    found = {"command": command("evaluate", settings), "seed": settings.seed, "versions": recipe.versions()}
    if snapshot is None:
        return found
    with snapshot.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    return found | {"snapshot": digest, "trained": recipe.read(snapshot).get("settings", {})}


def command(name: str, settings: Step) -> str:
    """The command line that gives these settings; what is at its default, or is of this machine's GPUs, is left out."""
    words = ["deepfake", name]
    for key, field in type(settings).model_fields.items():
        value = getattr(settings, key)
        if value == field.default or key in DEVICE:
            continue
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        flag = str(extra.get("flag") or f"--{key.replace('_', '-')}").split(",")[0]
        if extra.get("positional"):
            words += map(str, value if isinstance(value, list) else [value])
        elif isinstance(value, bool):
            words.append(flag if value else f"--no-{key.replace('_', '-')}")
        else:
            words += [text for each in (value if isinstance(value, list) else [value]) for text in (flag, str(each))]
    return shlex.join(words)
