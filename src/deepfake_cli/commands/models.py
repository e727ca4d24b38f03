"""``deepfake models``: the architectures, and detectors with their cards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepfake_cli.assets import STARTER
from deepfake_cli.config.choices import FAMILIES, MODELS
from deepfake_cli.errors import MissingModelError, ModelError
from deepfake_cli.inference import runtimes
from deepfake_cli.inference.runtimes.metadata import ONNX, Traits
from deepfake_cli.storage.near import hint

OWN = {
    "name": "Starter detector",
    "licence": "Apache-2.0",
    "commercial": True,
    "trained_on": "public-domain portraits and free stills, and pseudo-fakes made of them",
}


@dataclass(frozen=True)
class Listed:
    """An exported detector.

    Attributes:
        name: ``starter``, or its path.
        traits: its metadata.
        size: of the file, in bytes.
    """

    name: str
    traits: Traits
    size: int

    def facts(self) -> dict[str, Any]:
        """Name, architecture, sizes, card and measured error rates, for JSON."""
        card = self.traits.card or (OWN if self.name == "starter" else None)
        facts = {"name": self.name, "architecture": self.traits.model, "image_size": self.traits.image_size}
        calibrated = self.traits.calibration is not None
        facts |= {"bytes": self.size, "calibrated": calibrated, "card": card, "measured": self.traits.measured}
        return facts | {"conditions": self.traits.conditions}


@dataclass(frozen=True)
class ModelsResult:
    """Result of `models`.

    Attributes:
        architectures: that ``deepfake train --model`` takes.
        families: of checkpoints that ``deepfake export --from`` takes.
        detectors: the one in the package, and those found.
        faults: .onnx files that are no detectors, with the reason.
    """

    architectures: tuple[str, ...]
    families: tuple[str, ...]
    detectors: list[Listed]
    faults: dict[Path, str]


def models(paths: Sequence[Path] = (Path(),)) -> ModelsResult:
    """List architectures, families of checkpoints, and detectors.

    Args:
        paths: exported detectors, or folders with such.

    Raises:
        MissingModelError: a path does not exist.
    """
    found, faults = [Listed("starter", runtimes.load(STARTER).traits, STARTER.stat().st_size)], {}
    for path in _files(paths):
        try:
            found.append(Listed(str(path), runtimes.load(path).traits, path.stat().st_size))
        except ModelError as error:
            faults[path] = str(error)
    return ModelsResult(MODELS, FAMILIES, found, faults)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise MissingModelError(
                f"{path}: no such file or folder.{hint(path)} Give .onnx files, or folders with such."
            )
        inside = sorted(each for each in path.iterdir() if each.suffix.lower() == ONNX) if path.is_dir() else [path]
        yield from inside
