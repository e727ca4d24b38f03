"""``deepfake report``."""

from deepfake_cli.cli.console import console
from deepfake_cli.config import Report


def report(settings: Report) -> None:
    """Write an evaluation as one page for a browser: report.html.

    Made from metrics.json and predictions.csv, without the model and without a network; evaluate does it too.
    """
    from deepfake_cli.commands.report import report as run

    console.print(f"Wrote {run(settings)}", highlight=False, markup=False)
