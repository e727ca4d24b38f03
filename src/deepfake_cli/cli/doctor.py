"""``deepfake doctor``."""

from dataclasses import asdict
from typing import Annotated

import typer

from deepfake_cli.cli.console import console, print_json, table, warn


def doctor(json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False) -> None:
    """Show what is installed and what would be used; for each fault, what mends it. Exit 1 if training can't run."""
    from deepfake_cli.commands.doctor import doctor as run

    findings = run()
    if json:
        print_json([asdict(finding) for finding in findings])
    else:
        console.print(table(None, ["", "found"], [(each.name, each.found) for each in findings]))
        for finding in findings:
            if finding.mend:
                warn(f"{finding.name}: mend it with: {finding.mend}")
    if any(finding.fatal for finding in findings):
        raise typer.Exit(1)
