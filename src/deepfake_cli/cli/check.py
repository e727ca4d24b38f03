"""``deepfake make-csv --check``."""

from dataclasses import asdict

import typer

from deepfake_cli.cli.console import console, error_console, next_step, print_json, progress, table
from deepfake_cli.config import MakeCsv


def check(settings: MakeCsv, json: bool) -> None:
    """Check the lists against protocol.json and each other; exit with status 1 if they are unreliable."""
    from deepfake_cli.commands.check_lists import check as run

    with progress("images") as bar:
        task = bar.add_task("", total=None, note="")
        result = run(
            settings.csvdir,
            settings.check_frames,
            lambda what, done, total: bar.update(task, description=what, completed=done, total=total),
        )
    if json:
        print_json(asdict(result) | {"ok": not result.wrong})
    else:
        rows = [(name, f"{count:,}") for name, count in result.lists.items()]
        console.print(table(None, ["list", "images"], rows))
        for finding in result.findings:
            error_console.print(
                f"{'Error' if finding.wrong else 'Note'}: {finding.what}: {finding.count:,} in {finding.where}",
                style="red" if finding.wrong else "yellow",
            )  # fmt: skip
            for example in finding.some:
                error_console.print(f"  {example}")
        if not result.wrong:
            console.print(
                f"The lists are unchanged and share no group. {result.compared:,} images compared by perceptual hash."
            )
            next_step("train")
    if result.wrong:
        raise typer.Exit(1)
