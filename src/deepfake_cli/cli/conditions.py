"""Print error rates by condition, of ``deepfake evaluate --conditions`` and ``deepfake predict``."""

from collections.abc import Mapping, Sequence
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


def print_cards(verdicts: "Sequence[Verdict]", *, verbal: bool) -> None:
    """Print what the card of the detector says of a file like this; of several files, where to read it."""
    said = [verdict for verdict in verdicts if verdict.support or verdict.errors]
    if len(verdicts) == 1 and said:
        _print_card(said[0], verbal=verbal)
    elif said:
        what = " and ".join(
            name
            for name, has in (
                ("likelihood ratio", any(verdict.support for verdict in said)),
                ("error rates on files like it", any(verdict.errors for verdict in said)),
            )
            if has
        )
        console.print(f"Of each file, --report and --json also have: {what}.")


def _print_card(verdict: "Verdict", *, verbal: bool) -> None:
    if verdict.support:
        console.print("Likelihood ratio:")
        for line in verdict.support.lines(verbal=verbal):
            console.print(f"  {line}")
    if verdict.errors:
        rows = [(row.name, row.part, row.real, row.fake) for row in verdict.errors.rows()]
        console.print(f"Error rates on files like this, of {verdict.errors.on}:")
        console.print(table(None, ["", "this file", *HEAD], rows))
        console.print(ABOUT if verdict.errors.measured else f"{verdict.errors.none} {ABOUT}")
