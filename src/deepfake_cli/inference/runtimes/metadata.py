"""Metadata inside an exported detector."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from deepfake_cli.errors import ModelError
from deepfake_cli.inference.card import Conditions, Ratios
from deepfake_cli.metrics.calibration import rising
from deepfake_cli.storage.json_files import Part, Text, parse_json

AGAIN = "Export the snapshot again."
ONNX = ".onnx"  # of an exported detector
KEY = "deepfake"  # metadata key in an .onnx file; file name in the archive appended to a .tflite file


Share = Annotated[float, Field(ge=0, le=1)]


class OfReals(Part):
    """Shares of real clips by verdict."""

    __pydantic_extra__: dict[str, Share]
    fake: Share
    undecided: Share


class OfFakes(Part):
    """Shares of fakes by verdict."""

    __pydantic_extra__: dict[str, Share]
    real: Share
    undecided: Share


class Measured(Part):
    """Error rates on real deepfakes."""

    on: str
    real: OfReals
    fake: OfFakes


class Card(Part):
    """Where a detector of another project is from, and what its licence allows."""

    name: Text
    authors: Text
    paper: Text
    source: Text
    licence: Text
    commercial: bool
    trained_on: Text
    file: Text
    sha256: Text


def terms(card: dict[str, Any] | None) -> str:
    """What the licence on a card forbids, as text; empty without a card, or if it forbids no use."""
    if not card or card["commercial"]:
        return ""
    return f"The licence of {card['name']} forbids commercial use: {card['licence']}, {card['source']}."


class Checked(Part):
    """What the metadata may hold; see `Traits`."""

    model: str
    image_size: Annotated[int, Field(ge=8, le=4096)]
    margin: Annotated[float, Field(ge=1, le=4)] = 1.3
    threshold: Share = 0.5
    real_below: Share | None = None
    photo_threshold: Share | None = None
    resize: Literal["linear", "bicubic"] = "linear"
    pool: Literal["mean", "median", "top", "confident"] = "mean"
    calibration: Annotated[dict[str, Any], AfterValidator(rising)] | None = None
    recipe: dict[str, Any] = {}
    measured: Measured | None = None
    card: Card | None = None
    conditions: Conditions | None = None
    likelihood_ratio: Ratios | None = None


@dataclass(frozen=True)
class Traits:
    """How to use a detector as it was trained.

    Attributes:
        model: its architecture.
        image_size: input size, in pixels.
        margin: side of a crop, relative to the longer side of the face box.
        threshold: calibrated scores at or above this, in 0..1, are fake.
        real_below: scores below this are real; scores between it and `threshold` are inconclusive. None: `threshold`.
        photo_threshold: replaces `threshold` for a single image. None: `threshold`.
        resize: how crops are resized, as in `deepfake_cli.faces.crop.crop`.
        pool: how frame scores become a video score.
        calibration: maps scores to probabilities, see `deepfake_cli.metrics.calibration`; None if uncalibrated.
        recipe: how it was trained: settings, versions, hashes of the lists.
        measured: error rates on real deepfakes, see `rates`; None if not measured.
        card: of a detector of another project: name, authors, paper, source, licence, whether that allows commercial use, what
            it was trained on, file and its SHA-256; None for one of this package.
        conditions: error rates by condition, see `deepfake_cli.inference.card.Conditions`; None if not measured.
        likelihood_ratio: see `deepfake_cli.inference.card.Ratios`; None if not calibrated.
    """

    model: str
    image_size: int
    margin: float = 1.3
    threshold: float = 0.5
    real_below: float | None = None
    photo_threshold: float | None = None
    resize: str = "linear"
    pool: str = "mean"
    calibration: dict[str, Any] | None = None
    recipe: dict[str, Any] = field(default_factory=dict)
    measured: dict[str, Any] | None = None
    card: dict[str, Any] | None = None
    conditions: dict[str, Any] | None = None
    likelihood_ratio: dict[str, Any] | None = None

    @property
    def title(self) -> str:
        """Its architecture; of a detector of another project, also the name on its card, and what it was trained on."""
        card = self.card
        return f"{card['name']} ({self.model}), trained on {card['trained_on']}" if card else self.model

    @property
    def terms(self) -> str:
        """What the licence of a detector of another project forbids, as text; empty if it forbids no use."""
        return terms(self.card)

    @property
    def rates(self) -> str:
        """The measured error rates on all files, as text: `measured`, else those of `conditions`; empty if not measured."""
        found = self.measured or _of_all_files(self.conditions)
        if not found:
            return ""
        real, fake = ({call: round(100 * share) for call, share in found[label].items()} for label in ("real", "fake"))
        return (
            f"Measured on {found['on']}: of real clips {real['fake']} % were called fake and "
            f"{real['undecided']} % undecided; of fakes {fake['real']} % were called real and {fake['undecided']} % undecided."
        )

    @property
    def text(self) -> str:
        """The metadata as JSON, for `parse`."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def parse(cls, text: str | None, path: object) -> "Traits":
        """Parse the metadata of an exported file; unknown keys, from later versions of this package, are ignored.

        Raises:
            ModelError: there are no metadata, or they are invalid.
        """
        if not text:
            raise ModelError(f"{path} has no metadata: it was not written by deepfake export. {AGAIN}")
        values = parse_json(text, Checked, f"{path} has no valid metadata", ModelError, AGAIN)
        return cls(**{key.name: values[key.name] for key in fields(cls) if key.name in values})


def _of_all_files(conditions: dict[str, Any] | None) -> dict[str, Any] | None:
    """The error rates of all files, as in `Measured`, of those by condition; None if a class has no file."""
    whole = next((each for each in (conditions or {}).get("slices", ()) if not each["where"]), None)
    if not conditions or not whole or not all(whole[label]["files"] for label in ("real", "fake")):
        return None
    shares = {
        label: {
            call: whole[label][kind]["count"] / whole[label]["files"]
            for call, kind in ((other, "wrong"), ("undecided", "undecided"))
        }
        for label, other in (("real", "fake"), ("fake", "real"))
    }
    return {"on": conditions["on"], **shares}
