"""Print error rates by condition, of ``deepfake evaluate --conditions`` and ``deepfake predict``."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from deepfake_cli.cli.console import console, table

if TYPE_CHECKING:
    from deepfake_cli.inference.result import Verdict

HEAD = ("reals called fake", "fakes called real")
ABOUT = "Shares of whole files, with 95 % intervals over groups; none below ten groups."


def print_conditions(found: Mapping[str, Any]) -> None:
    """Print the measured error rates by encoding and by each property."""
    from deepfake_cli.inference.condition import PROPERTIES, words
    from deepfake_cli.inference.error_rates import cell

    console.print(f"Error rates by condition: {found['on']}.")
    rows = [(each["encoding"], "", *(cell(each[label]) for label in ("real", "fake"))) for each in found["encodings"]]
    for each in found["slices"]:
        if len(each["where"]) == 1:
            ((name, part),) = each["where"].items()
            rows.append((PROPERTIES[name].name, words(name, part), *(cell(each[label]) for label in ("real", "fake"))))
    console.print(table(None, ["", "", *HEAD], rows))
    console.print(ABOUT)


def print_card(verdict: "Verdict", *, verbal: bool) -> None:
    """Print what the card of the detector says of a file like this: likelihood ratio and error rates."""
    if verdict.support:
        console.print(f"{verdict.path.name}: likelihood ratio")
        for line in verdict.support.lines(verbal=verbal):
            console.print(f"  {line}")
    if verdict.errors:
        rows = [(row.name, row.part, row.real, row.fake) for row in verdict.errors.rows()]
        console.print(f"{verdict.path.name}: error rates on files like this, of {verdict.errors.on}")
        console.print(table(None, ["", "", *HEAD], rows))
        console.print(ABOUT if verdict.errors.measured else f"{verdict.errors.none} {ABOUT}")
