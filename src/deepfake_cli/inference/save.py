"""Save verdicts as JSON, CSV or a plot, by the suffix of the file."""

from pathlib import Path
from typing import Any

from deepfake_cli.errors import ConfigError
from deepfake_cli.storage.csv_cells import quoted_table
from deepfake_cli.storage.files import whole, write_text
from deepfake_cli.storage.json_files import json_text

PLOTS = (".png", ".svg", ".pdf")
DPI = 150


def save_verdicts(verdicts: Any, path: str | Path) -> Path:
    """Save a verdict, or several without a plot; see `deepfake_cli.inference.result.Verdict.save`."""
    path = Path(path)
    suffix, plots = path.suffix.lower(), PLOTS if hasattr(verdicts, "plot") else ()
    if suffix == ".json":
        write_text(path, json_text(verdicts.to_dict(), indent=2) + "\n")
    elif suffix == ".csv":
        write_text(path, quoted_table(verdicts.to_df()).to_csv(index=False))
    elif suffix in plots:
        with whole(path) as partial:
            verdicts.plot().savefig(partial, format=suffix[1:], dpi=DPI)
    else:
        raise ConfigError(f"{path}: expected a file named {', '.join(('.json', '.csv', *plots))}.")
    return path
