"""``deepfake forge``."""

from deepfake_cli.cli.console import console, error_console, next_step, wrote
from deepfake_cli.config import Forge
from deepfake_cli.errors import DatasetError


def forge(settings: Forge) -> None:
    """Preview pseudo-fakes and degradations as an image."""
    from deepfake_cli.commands.forge import forge as run

    result = run(settings)
    for name, reason in [*result.bad, *result.closed.items()]:
        error_console.print(f"{name}: {reason}", style="red")
    console.print(f"{result.rows} rows")
    wrote(result.sheet)
    if result.closed:
        raise DatasetError(
            f"Folders that could not be listed: {len(result.closed)}. The rows are without their images."
        )
    next_step("train", "--forgery", settings.forgery)
