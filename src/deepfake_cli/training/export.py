"""Export a snapshot with its recipe's metadata, and compare the file with Keras. Loads TensorFlow when called."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepfake_cli.data.crops import USUAL
from deepfake_cli.errors import DeepfakeError, ModelError
from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.metrics.calibration import Calibration
from deepfake_cli.native_output import quiet
from deepfake_cli.runs import recipe
from deepfake_cli.runs.files import BEST_ONNX
from deepfake_cli.storage.disk import sentence, writing
from deepfake_cli.storage.exchange import exchange
from deepfake_cli.storage.remote import put
from deepfake_cli.storage.urls import is_remote

IMAGES = 16  # images for the comparison with Keras
TOLERANCE = {False: 1e-4, True: 5e-3}  # maximum difference of scores to Keras, by compact


@dataclass
class ExportResult:
    """Result of `export`.

    Attributes:
        path: the file, or the folder of a SavedModel.
        size: in bytes.
        difference: largest difference to the scores of Keras in float32.
        traits: the metadata of the file.
    """

    path: Path
    size: int
    difference: float
    traits: Traits


def export_model(
    model: Any,
    snapshot: Path,
    format: str = "onnx",
    output: Path | None = None,
    *,
    compact: bool = False,
    traits: Traits | None = None,
) -> ExportResult:
    """Export a loaded model; its recipe is next to `snapshot`, unless its metadata are given as `traits`."""
    with quiet():
        from deepfake_cli.models.export import EXPORTS, differences, in_float32

        suffix, write = EXPORTS[format]
        path = output or snapshot.with_name(f"{snapshot.stem}{suffix or '_saved_model'}")
        if path.suffix != suffix:
            raise ModelError(f"{path}: expected the name {path.stem}{suffix} for the format {format}.")
        traits, model = traits or traits_of(model, snapshot), in_float32(model)
        parent = None if is_remote(path) else path.parent
        if parent:
            parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=parent) as folder, writing(path, Path(folder)):
            partial = Path(folder) / path.name
            write(model, partial, traits, **({"compact": True} if compact else {}))
            difference = float(differences(model, partial, _images(traits.image_size)).max())
            if not difference <= TOLERANCE[compact]:
                raise ModelError(f"{path}: not written, since its scores differ from Keras by {difference:.2g}.")
            size = _size(partial)
            _put(partial, path)
    return ExportResult(path, size, difference, traits)


def _put(partial: Path, path: Path) -> None:
    """Move a file or folder to its final path, in one step."""
    if is_remote(path):
        for file in [partial] if partial.is_file() else filter(Path.is_file, partial.rglob("*")):
            put(file, path / file.relative_to(partial))
        return
    if path.is_dir():
        exchange(partial, path)
    else:
        partial.replace(path)


def traits_of(model: Any, snapshot: Path) -> Traits:
    """The metadata of a snapshot, from its recipe."""
    known = recipe.read(snapshot)
    settings, own = known.get("settings", {}), known.get("snapshots", {}).get(snapshot.name, {})
    threshold, calibration = own.get("threshold"), own.get("calibration")
    if calibration and threshold is not None:  # the threshold is for uncalibrated scores
        threshold = float(Calibration.from_json(calibration).apply([threshold])[0])
    kept = {name: known[name] for name in ("began", "seed", "versions", "data") if name in known}
    return Traits(
        model=str(known.get("model", model.name)),
        image_size=int(model.input_shape[1]),
        margin=float(settings.get("margin") or USUAL),
        threshold=0.5 if threshold is None else float(threshold),
        pool=recipe.pool_of(snapshot) or "mean",
        calibration=calibration,
        conditions=own.get("conditions"),
        likelihood_ratio=own.get("likelihood_ratio"),
        recipe=kept | {"settings": settings},
    )


def export_best(best: Path) -> str:
    """Export a run's best snapshot as ``best.onnx``, on the CPU; return why that failed, or an empty string.

    A file that is there already is kept. A model that cannot be exported, such as one with a custom operation, is no reason to
    lose a run.
    """
    path = best.with_name(BEST_ONNX)
    if path.is_file():
        return ""
    try:
        with quiet():
            import tensorflow as tf

            from deepfake_cli.models import load_model

            with tf.device("/CPU:0"):  # a GPU rounds convolutions to TF32
                export_model(load_model(best), best, output=path)
    except DeepfakeError as error:
        return str(error)
    except OSError as error:
        return sentence(error)
    except Exception as error:  # noqa: BLE001, tf2onnx raises many kinds
        return f"{type(error).__name__}: {error}"
    return ""


def _images(size: int) -> np.ndarray:
    """Noise and frames of the clips in this package, uint8 RGB (images, size, size, 3)."""
    import cv2

    from deepfake_cli.assets import CLIPS, FOLDER
    from deepfake_cli.media.video import FrameSampler, FrameSource

    noise = np.random.default_rng(0).integers(0, 256, (IMAGES // 4, size, size, 3), dtype=np.uint8)
    pictures = [
        cv2.cvtColor(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
        for name, _ in CLIPS
        for _, image in FrameSource(FOLDER / name).frames(FrameSampler(most=IMAGES // 4, total=70))
        if image is not None
    ]
    return np.concatenate([noise, np.stack(pictures)])


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)
