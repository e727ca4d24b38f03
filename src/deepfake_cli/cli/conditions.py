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
    rows = [(each["encoding"], cell(each["real"]), cell(each["fake"])) for each in found["encodings"]]
    for each in found["slices"]:
        if len(each["where"]) == 1:
            ((name, part),) = each["where"].items()
            named = f"{PROPERTIES[name].name} {words(name, part)}"
            rows.append((named, cell(each["real"]), cell(each["fake"])))
    _print_rates("", rows)
    console.print(ABOUT)


def _print_rates(head: str, rows: Sequence[tuple[str, str, str]]) -> None:
    """A table of error rates: below each share the counts, so that it fits in 80 columns."""
    cells = [(name, *(rate.replace(", ", "\n", 1) for rate in rates)) for name, *rates in rows]
    console.print(table(None, [head, *HEAD], cells))


def print_cards(verdicts: "Sequence[Verdict]", *, verbal: bool) -> bool:
    """Print what the card of the detector says of a file like this; of several files, where to read it.

    Returns:
        Whether error rates were printed.
    """
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
    return len(verdicts) == 1 and any(verdict.errors for verdict in said)


def _print_card(verdict: "Verdict", *, verbal: bool) -> None:
    if verdict.support:
        console.print("Likelihood ratio:")
        for line in verdict.support.lines(verbal=verbal):
            console.print(f"  {line}")
    if verdict.errors:
        rows = [(f"{row.name}\n{row.part}".rstrip(), row.real, row.fake) for row in verdict.errors.rows()]
        console.print(f"Error rates on files like this, of {verdict.errors.on}:")
        _print_rates("this file", rows)
        console.print(ABOUT if verdict.errors.measured else f"{verdict.errors.none} {ABOUT}")
