"""How much a score supports one hypothesis against the other, and what that rests on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deepfake_cli.inference.condition import PROPERTIES, Condition, rounded
from deepfake_cli.metrics.likelihood_ratio import LikelihoodRatio, Ratio
from deepfake_cli.metrics.verbal_scale import NO_SUPPORT, words

FAKE = "the face is a fake, made in one of the ways of the calibration data's fakes"
REAL = "the face is real, and was recorded and encoded as the calibration data's reals were"


@dataclass(frozen=True)
class Support:
    """The likelihood ratio of a score: how many times more probable this score is if one hypothesis is true than the other.

    It is not how probable a hypothesis is.

    Attributes:
        ratio: log10 of the ratio, with its 95 % interval.
        data: the files that it was fitted on, see `deepfake_cli.inference.card.Data`.
        differences: in which conditions the file is unlike them.
    """

    ratio: Ratio
    data: Mapping[str, Any]
    differences: list[str]

    @classmethod
    def of(cls, stored: Mapping[str, Any], score: float, condition: Condition | None) -> "Support":
        """The support of the score of a file.

        Args:
            stored: likelihood ratios of a detector, see `deepfake_cli.inference.card.Ratios`.
            score: of the deciding face, in 0..1.
            condition: of the file.
        """
        found = LikelihoodRatio.from_json(dict(stored)).of(score)
        return cls(found, stored["data"], differences(stored["data"].get("ranges", {}), condition))

    @property
    def hypotheses(self) -> tuple[str, str]:
        """The two hypotheses; the first is the one that the score supports."""
        return (FAKE, REAL) if self.ratio.log10 >= 0 else (REAL, FAKE)

    @property
    def times(self) -> tuple[float, float, float]:
        """The ratio in favour of the first of `hypotheses`, at least 1, with the ends of its interval."""
        found = self.ratio
        low, high = (found.low, found.high) if found.log10 >= 0 else (-found.high, -found.low)
        return 10 ** abs(found.log10), 10**low, 10**high

    @property
    def verbal(self) -> str:
        """The ratio in the words of ENFSI's scale."""
        return words(abs(self.ratio.log10))

    def lines(self, *, verbal: bool = False) -> list[str]:
        """The statement, a sentence each.

        Args:
            verbal: whether to say the ratio in the words of ENFSI's scale, too.
        """
        value, low, high = (f"{number:.2g}" for number in self.times)
        first, second = self.hypotheses
        said = self.verbal if self.verbal == NO_SUPPORT else f"{self.verbal} for H1"
        data = self.data
        return [
            f"H1: {first}. H2: {second}.",
            f"The score is {value} times (95 % interval {low} to {high}) more probable if H1 is true than if H2 is true."
            + (f" In the words of ENFSI's scale: {said}." if verbal else ""),
            f"Calibrated on {data['fake']:,} fake and {data['real']:,} real files of {data['groups']:,} groups: {data['on']}.",
            f"This file is unlike them: {'; '.join(self.differences)}."
            if self.differences
            else "This file is like them in all conditions measured.",
            "How probable it is that the file is fake depends on the rest of the case, too, and is not stated.",
        ]

    def facts(self) -> dict[str, Any]:
        """The statement as a JSON object; ratios above 1 support fake."""
        return {
            "hypotheses": {"fake": FAKE, "real": REAL},
            **{name: rounded(10**value) for name, value in zip(("ratio", "low", "high"), self.ratio, strict=True)},
            **{
                name: rounded(value)
                for name, value in zip(("log10", "log10_low", "log10_high"), self.ratio, strict=True)
            },
            "verbal": self.verbal,
            "supports": "fake" if self.ratio.log10 >= 0 else "real",
            "data": dict(self.data),
            "differences": self.differences,
        }


def differences(ranges: Mapping[str, Any], condition: Condition | None) -> list[str]:
    """How a file differs from data: its values outside of the ranges of the data, in words."""
    if condition is None or not ranges:
        return ["the conditions of the calibration data are not known"]
    found = []
    for name, about in PROPERTIES.items():
        value, seen = getattr(condition, name), ranges.get(name, [])
        comparable = all(isinstance(end, str) != bool(about.edges) for end in seen)  # a card may come from anywhere
        if not seen or not comparable or value is None or value == "":
            found.append(f"{about.name} not known")
        elif not about.edges:
            if value not in seen:
                found.append(f"{about.name} {value}, theirs {', '.join(seen)}")
        elif not seen[0] <= value <= seen[1]:
            found.append(f"{about.name} {value:.3g}, theirs {seen[0]:.3g} to {seen[1]:.3g} {about.unit}".rstrip())
    return found
