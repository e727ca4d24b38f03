"""``deepfake demo``: split, make-csv, train and evaluate on the clips in the package."""

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from deepfake_cli.cli.console import console, next_step
from deepfake_cli.cli.evaluate import evaluate
from deepfake_cli.cli.make_csv import make_csv
from deepfake_cli.cli.split import split
from deepfake_cli.cli.train import train
from deepfake_cli.config import RUNS, Evaluate, MakeCsv, Split, Step, Train
from deepfake_cli.config.base import extra
from deepfake_cli.installation import require

STEPS: tuple[tuple[Callable[[Any], None], type[Step], dict[str, Any]], ...] = (
    (split, Split, {"adapter": "uadfv", "viddir": Path("raw"), "every": 2}),
    (make_csv, MakeCsv, {"adapter": "uadfv", "ratio": 0.67}),
    (train, Train, {"model": "efficientnet_lite0", "epochs": 2}),
    (evaluate, Evaluate, {}),
)


def demo(
    folder: Annotated[Path, typer.Argument(help="Output folder")] = Path("deepfake-demo"),
) -> None:
    """Run all steps on clips in this package; needs no network.

    The steps are split, make-csv, train and evaluate, on three people. The fakes are made by warping faces. Nobody in the
    validation list is in the training list.
    """
    from deepfake_cli.demo.make_set import make_set
    from deepfake_cli.evaluation.folders import newest_of_all
    from deepfake_cli.runs.find import newest

    require("deepfake demo")
    folder = folder.expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    console.print(f"Made a real and a fake video of each of three people in {folder / 'raw'}")
    make_set(Path("raw"))
    for command, step, values in STEPS:
        console.print(f"\n$ {equivalent(step, values)}", style="bold")
        command(step.model_validate(values))
    run, evaluation = newest(RUNS), newest_of_all(RUNS)
    made = (
        "img/manifest.csv",
        "csv",
        f"{run}/best.keras",
        f"{run}/best.onnx",
        f"{run}/recipe.json",
        f"{run}/events",
        f"{evaluation}/metrics.json",
        f"{evaluation}/report.html",
    )
    console.print("\nWrote:", *(f"  {folder / path}" for path in made), sep="\n")
    console.print(f"\nTo repeat this, run the commands above in {folder}. They work on your own videos, too.")
    next_step("split", "folder", "YOUR_FOLDER")


def equivalent(step: type[Step], values: dict[str, Any]) -> str:
    """The command line for these settings."""
    words = [step.__name__.lower().replace("makecsv", "make-csv")]
    for name, value in values.items():
        positional = extra(step.model_fields[name]).get("positional")
        words += [str(value)] if positional else [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join(["deepfake", *words])
