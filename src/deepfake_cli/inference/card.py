"""What the card of a detector, its metadata and recipe, may hold of measured error rates and likelihood ratios."""

from typing import Annotated

from pydantic import Field, model_validator

from deepfake_cli.metrics.likelihood_ratio import LARGEST, MOST_KNOTS, valid
from deepfake_cli.storage.json_files import Part, Text

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=10**9)]
Short = Annotated[Text, Field(max_length=200)]
Curve = Annotated[list[Annotated[float, Field(ge=-100, le=100)]], Field(min_length=2, max_length=MOST_KNOTS)]
End = float | None
Range = Annotated[list[End], Field(min_length=2, max_length=2)]
Ends = Annotated[list[float], Field(min_length=2, max_length=2)]
Words = Annotated[list[Short], Field(min_length=1, max_length=100)]


class Rate(Part):
    """A share of files, with its 95 % interval over groups: none below ten groups."""

    count: Count
    low: Share | None = None
    high: Share | None = None


class OfLabel(Part):
    """The files of one label in a part: how many were called the other one, and how many are undecided."""

    files: Count
    groups: Count
    wrong: Rate
    undecided: Rate


class Slice(Part):
    """The error rates of the files in a part of the conditions; see `deepfake_cli.inference.condition.Where`."""

    where: Annotated[dict[Short, Range | Short], Field(max_length=20)]
    real: OfLabel
    fake: OfLabel


class Conditions(Part):
    """Error rates by condition."""

    on: Short
    threshold: Share
    slices: Annotated[list[Slice], Field(max_length=5000)]


class Data(Part):
    """The files that likelihood ratios were fitted on."""

    on: Short
    real: Count
    fake: Count
    groups: Count
    ranges: Annotated[dict[Short, Ends | Words], Field(max_length=20)] = {}


class Costs(Part):
    """The costs of likelihood ratios, on videos of other groups."""

    cllr: Annotated[float, Field(ge=0)]
    cllr_min: Annotated[float, Field(ge=0)]


class Ratios(Part):
    """Likelihood ratios; see `deepfake_cli.metrics.likelihood_ratio`."""

    method: Short
    logits: Curve
    log10: Annotated[list[Annotated[float, Field(ge=-LARGEST, le=LARGEST)]], Field(max_length=MOST_KNOTS)]
    low: Curve
    high: Curve
    data: Data
    costs: Costs

    @model_validator(mode="after")
    def _is_a_map(self) -> "Ratios":
        valid({name: getattr(self, name) for name in ("method", "logits", "log10", "low", "high")})
        return self
