"""``deepfake export``: a snapshot to a file that runs without Keras."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepfake_cli.config import Export
from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.metrics.calibration import Calibration
from deepfake_cli.native_output import quiet
from deepfake_cli.runs import recipe
from deepfake_cli.runs.listing import BEST, newest
from deepfake_cli.storage.remote import is_remote, put

IMAGES = 16  # that the file and Keras are compared on
TOLERANCE = {False: 1e-4, True: 5e-3}  # of a probability, to what Keras says: as it is, and compact


@dataclass
class ExportResult:
    """What `export` wrote.

    Attributes:
        path: the file, or the folder of a SavedModel.
        size: in bytes.
        difference: the largest, to Keras' probabilities in float32.
        traits: what the file says of itself.
    """

    path: Path
    size: int
    difference: float
    traits: Traits


def export(settings: Export) -> ExportResult:
    """Export a detector, and compare it with Keras.

    Raises:
        ModelError: the snapshot can't be read, or the file would not agree with it.
    """
    snapshot = settings.snapshot or _newest(settings.runs_dir)
    with quiet():
        from deepfake_cli.models import load_model

        model = load_model(snapshot, settings.model, settings.image_size)
    return export_model(model, snapshot, settings.format, settings.output, compact=settings.compact)


def export_model(
    model: Any, snapshot: Path, format: str = "onnx", output: Path | None = None, *, compact: bool = False
) -> ExportResult:
    """Export a model that is loaded; `snapshot` says where its recipe is."""
    with quiet():
        from deepfake_cli.models.export import EXPORTS, differences, in_float32

        suffix, write = EXPORTS[format]
        path = output or snapshot.with_name(f"{snapshot.stem}{suffix or '_saved_model'}")
        if path.suffix != suffix:
            raise ModelError(f"{path}: a detector as {format} is called {path.stem}{suffix}.")
        traits, model = traits_of(model, snapshot), in_float32(model)
        beside = None if is_remote(path) else path.parent
        if beside:
            beside.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=beside) as folder:
            partial = Path(folder) / path.name
            write(model, partial, traits, **({"compact": True} if compact else {}))
            difference = float(differences(model, partial, _images(traits.image_size)).max())
            if not difference <= TOLERANCE[compact]:
                raise ModelError(
                    f"{path}: its scores would differ from Keras' by {difference:.2g}; nothing was written."
                )
            size = _size(partial)
            _put(partial, path)
    return ExportResult(path, size, difference, traits)


def _put(partial: Path, path: Path) -> None:
    """Give a file, or a folder, its final name; an earlier folder of that name goes only now."""
    if is_remote(path):
        for each in [partial] if partial.is_file() else filter(Path.is_file, partial.rglob("*")):
            put(each, path / each.relative_to(partial))
        return
    if path.is_dir():
        path.replace(partial.with_name("earlier"))
    partial.replace(path)


def traits_of(model: Any, snapshot: Path) -> Traits:
    """What is to be known of a snapshot's detector, from its recipe."""
    known = recipe.read(snapshot)
    settings, own = known.get("settings", {}), known.get("snapshots", {}).get(snapshot.name, {})
    threshold, calibration = float(own.get("threshold", 0.5)), own.get("calibration")
    if calibration and "threshold" in own:  # that was chosen on scores as they are: the same frames are called fake
        threshold = float(Calibration.from_json(calibration).apply([threshold])[0])
    kept = {name: known[name] for name in ("began", "seed", "versions", "data") if name in known}
    return Traits(
        model=str(known.get("model", model.name)),
        image_size=int(model.input_shape[1]),
        margin=float(settings.get("margin", 1.3)),
        threshold=threshold,
        pool=recipe.pool_of(snapshot) or "mean",
        calibration=calibration,
        recipe=kept | {"settings": settings},
    )


def _newest(runs: Path) -> Path:
    run = newest(runs, BEST)
    if run is None:
        raise ModelError(f"No run in {runs} has a {BEST}: name the snapshot, or train one with deepfake train.")
    return run / BEST


def _images(size: int) -> np.ndarray:
    """Faces of the shipped clips, and noise, uint8 RGB (images, size, size, 3)."""
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
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(each.stat().st_size for each in files)
