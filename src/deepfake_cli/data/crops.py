"""How the images of a list were cut: its column ``crop``, as `split` writes it."""

from typing import TYPE_CHECKING, NamedTuple

from deepfake_cli.config import Split
from deepfake_cli.datasets.clip import LABELS
from deepfake_cli.errors import ConfigError, ManifestError

if TYPE_CHECKING:
    import pandas as pd

WHOLE, ALIGNED, OF = "whole frame", " aligned", " of "
FACES = Split.model_fields["face_detector"].default  # which finds the faces for predict, too
NARROWEST, WIDEST = 1.0, 4.0  # margins that split cuts
USUAL: float = Split.model_fields["margin"].default


class Cut(NamedTuple):
    """How the images of a list were cut.

    Attributes:
        margin: side of the crops, relative to the longer side of the face box; None if unknown.
        notes: what a detector may judge wrongly because of the crops.
    """

    margin: float | None
    notes: list[str]


def cell(settings: Split) -> str:
    """The cell of images that `split` cuts: ``1.3``, ``1.3 aligned``, ``1.3 of own:detector`` or ``whole frame``."""
    if settings.crop == "none":
        return WHOLE
    found = "" if settings.face_detector == FACES else f"{OF}{settings.face_detector}"
    return f"{settings.margin:g}{ALIGNED * settings.align}{found}"


def cut_of(table: "pd.DataFrame", given: float | None, name: str) -> Cut:
    """How the images of a list were cut.

    Args:
        table: a list as `deepfake_cli.data.manifest.read` returns it.
        given: ``--margin``, for images whose list does not say it.
        name: of the list, for messages.

    Raises:
        ManifestError: a cell cannot be read.
        ConfigError: `given` is another margin than that of the list.
    """
    counts = table["crop"].value_counts()
    counts = counts[(counts > 0) & (counts.index != "")]
    margins = {text: _margin(text, name) for text in map(str, counts.index)}
    known = sorted({margin for margin in margins.values() if margin})
    if given and known and known != [given]:
        raise ConfigError(
            f"--margin {given:g}: the crops of {name} have {' and '.join(f'{margin:g}' for margin in known)}, as the column "
            "crop says. Leave --margin out."
        )
    notes = []
    if len(margins) > 1:
        notes.append(
            f"{name}: images are cut differently: {_listed(table, list(margins))}. Run split again, alike for all."
        )
    others = sorted({text.partition(OF)[2] for text in margins} - {""})
    if others:
        notes.append(
            f"{name}: the faces were found by {', '.join(others)} (split --face-detector); predict finds them with {FACES}, so "
            "it may cut them differently."
        )
    if any(text.partition(OF)[0].endswith(ALIGNED) for text in margins):
        notes.append(
            f"{name}: the faces were rotated (split --align), which predict does not do: its scores may differ."
        )
    if WHOLE in margins and given is None:
        notes.append(
            f"{name}: the images were not cut to faces (split --crop none), as predict cuts them. If they are face crops, give "
            "their --margin."
        )
    most = next((margin for margin in margins.values() if margin), None)  # of the most images
    return Cut(given or most, notes)


def _margin(text: str, name: str) -> float | None:
    """The margin that a cell states; None for whole frames."""
    if text == WHOLE:
        return None
    try:
        margin = float(text.partition(OF)[0].removesuffix(ALIGNED))
    except ValueError:
        margin = 0
    if not NARROWEST <= margin <= WIDEST:
        raise ManifestError(
            f"{name}: crop {text!r}; allowed: a margin from {NARROWEST:g} to {WIDEST:g}, such as 1.3 or 1.3{ALIGNED}; {WHOLE}; "
            "or nothing, if unknown."
        )
    return margin


def _listed(table: "pd.DataFrame", cuts: list[str]) -> str:
    """The cuts with their numbers of reals and fakes, as text; the most frequent first."""
    counts = table.groupby("crop", observed=True)["label"].value_counts().to_dict()
    shown = (
        f"{cut} ({', '.join(f'{counts[cut, label]:,} {word}' for label, word in enumerate(LABELS) if (cut, label) in counts)})"
        for cut in cuts
    )
    return "; ".join(shown)
