"""``deepfake report``."""

from deepfake_cli.cli.console import next_step, wrote
from deepfake_cli.config import Report


def report(settings: Report) -> None:
    """Write an evaluation as an HTML page.

    Needs only metrics.json and predictions.csv, no model and no network. evaluate writes this page, too.
    """
    from deepfake_cli.commands.report import report as run

    page = run(settings)
    wrote(page)
    next_step("compare", settings.evaluation or page.parent, "OTHER")
