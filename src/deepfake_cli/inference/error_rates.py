"""How often a detector errs on files like the one at hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from deepfake_cli.inference.condition import PROPERTIES, Condition, rounded, words

EVERY, ALL = "all files", "all of these"
NONE = "not measured"


class Row(NamedTuple):
    """The error rates of a part of the measured files, as text.

    Attributes:
        name: the property.
        part: the part that this file is in.
        real: share of reals called fake, with its interval and counts.
        fake: share of fakes called real.
        undecided: share of all that is undecided, real and fake.
    """

    name: str
    part: str
    real: str
    fake: str
    undecided: str


@dataclass(frozen=True)
class Errors:
    """The error rates of a detector in the condition of a file.

    Attributes:
        on: the files that they were measured on.
        condition: of the file.
        slices: all measured files, under `EVERY`; the part for each property that was measured; and that for all of these
            together, under `ALL`. None where no file was measured.
    """

    on: str
    condition: Condition
    slices: dict[str, Mapping[str, Any] | None]

    @classmethod
    def of(cls, stored: Mapping[str, Any], condition: Condition) -> "Errors":
        """Look up the condition of a file.

        Args:
            stored: measured rates of a detector, see `deepfake_cli.inference.card.Conditions`.
            condition: of the file.
        """
        measured = {name for each in stored["slices"] for name in each["where"]}  # older cards have no turn
        known = [name for name in PROPERTIES if name in measured]
        found: dict[str, Mapping[str, Any] | None] = dict.fromkeys((EVERY, *known, ALL))
        for each in stored["slices"]:
            where = each["where"]
            if condition.within(where):
                found[ALL if len(where) > 1 else next(iter(where), EVERY)] = each
        return cls(stored["on"], condition, found)

    @property
    def measured(self) -> bool:
        """Whether files like this one in all properties were measured."""
        return self.slices[ALL] is not None

    @property
    def none(self) -> str:
        """The sentence shown if no file like this one was measured."""
        return "No file like this one in all of these was measured."

    def rows(self) -> list[Row]:
        """A row for all files, for each measured property, and for all properties together."""
        return [self._row(name, each) for name, each in self.slices.items()]

    def _row(self, name: str, found: Mapping[str, Any] | None) -> Row:
        title = PROPERTIES[name].name if name in PROPERTIES else name
        if found is None:
            value = getattr(self.condition, name, "")
            part = NONE if name == ALL else "not known" if value in (None, "") else f"{NONE}: {rounded(value)}"
            return Row(title, part, "", "", "")
        part = words(name, found["where"][name]) if name in PROPERTIES else ""
        undecided = " / ".join(_share(found[label], "undecided") for label in ("real", "fake"))
        return Row(title, part, cell(found["real"]), cell(found["fake"]), undecided)

    def lines(self) -> list[str]:
        """The rates as text, a line for each property."""
        said = [
            f"{row.name} {row.part}".rstrip()
            + (
                f": reals called fake {row.real}; fakes called real {row.fake}; undecided, reals / fakes: {row.undecided}"
                if row.real
                else ""
            )
            for row in self.rows()
        ]
        return said if self.measured else [*said, self.none]

    def facts(self) -> dict[str, Any]:
        """The rates as a JSON object; null where none like this file was measured."""
        return {"on": self.on, **{name.replace(" ", "_"): each for name, each in self.slices.items()}}


def cell(label: Mapping[str, Any]) -> str:
    """A share with interval and counts: ``0.06 (0.01–0.20), 2 of 34, 13 groups``."""
    files, groups = label["files"], label["groups"]
    if not files:
        return "no files"
    return f"{_share(label, 'wrong')}, {label['wrong']['count']:,} of {files:,}, {groups:,} group{'s' * (groups != 1)}"


def _share(label: Mapping[str, Any], call: str) -> str:
    rate, files = label[call], label["files"]
    if not files:
        return "–"
    ends = "" if rate.get("low") is None else f" ({rate['low']:.2f}–{rate['high']:.2f})"
    return f"{rate['count'] / files:.2f}{ends}"
