"""``deepfake doctor``."""

from dataclasses import asdict
from typing import Annotated

import typer

from deepfake_cli.cli.console import console, error_console, next_step, print_json, table, warn
from deepfake_cli.installation import missing


def doctor(json: Annotated[bool, typer.Option("--json", help="Print the result as JSON")] = False) -> None:
    """Check the installation, and show how to fix problems.

    Exits with status 1 if the installation is broken; one that only judges files is not.
    """
    from deepfake_cli.commands.doctor import doctor as run

    with error_console.status("") as status:  # on a terminal only
        findings = run(lambda name: status.update(f"Checking {name} …"))
    if json:
        print_json([asdict(finding) for finding in findings])
    else:
        console.print(table(None, ["", "found"], [(finding.name, finding.found) for finding in findings]))
        for finding in findings:
            if finding.mend:
                warn(f"{finding.name}: fix it with: {finding.mend}")
    if any(finding.fatal for finding in findings):
        raise typer.Exit(1)
    if not json:
        next_step("predict", "FILES") if missing() else next_step("demo")
