"""The ``deepfake`` command; only this package uses Typer and rich, prints, and sets exit codes."""

import errno
import os
import sys
from typing import Annotated, NoReturn

import typer

from deepfake_cli import __version__
from deepfake_cli.cli.app import app as local_page
from deepfake_cli.cli.audit import audit
from deepfake_cli.cli.calibrate import calibrate
from deepfake_cli.cli.compare import compare
from deepfake_cli.cli.config import config
from deepfake_cli.cli.console import error_console
from deepfake_cli.cli.datasets import datasets
from deepfake_cli.cli.demo import demo
from deepfake_cli.cli.doctor import doctor
from deepfake_cli.cli.evaluate import evaluate
from deepfake_cli.cli.export import export
from deepfake_cli.cli.forge import forge
from deepfake_cli.cli.help import Command, Group
from deepfake_cli.cli.make_csv import make_csv
from deepfake_cli.cli.matrix import matrix
from deepfake_cli.cli.models import models
from deepfake_cli.cli.options import options
from deepfake_cli.cli.predict import predict
from deepfake_cli.cli.report import report
from deepfake_cli.cli.runs import runs
from deepfake_cli.cli.split import split
from deepfake_cli.cli.train import train
from deepfake_cli.cli.usage import UsageError, usage
from deepfake_cli.cli.verify import verify
from deepfake_cli.config import (
    App,
    Audit,
    Calibrate,
    Compare,
    Evaluate,
    Export,
    Forge,
    MakeCsv,
    Matrix,
    Predict,
    Report,
    Split,
    Train,
    Verify,
)
from deepfake_cli.errors import DeepfakeError
from deepfake_cli.installation import explained
from deepfake_cli.native_output import LEVEL
from deepfake_cli.storage.disk import sentence

INTERRUPTED = 130  # exit status after Ctrl-C

JUDGE, DATA, TRAIN, MEASURE, TOOLS = "Judge", "Data", "Train", "Measure", "Tools"  # panels of --help

app = typer.Typer(
    name="deepfake",
    cls=Group,
    help="Detect face deepfakes: split videos, make lists without leakage, train, evaluate, predict.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(cls=Command, rich_help_panel=JUDGE)(options(Predict)(predict))
app.command(cls=Command, rich_help_panel=JUDGE)(options(App)(local_page))
app.command(cls=Command, rich_help_panel=DATA)(options(Split)(split))
app.command(cls=Command, rich_help_panel=DATA)(options(MakeCsv)(make_csv))
app.command(cls=Command, rich_help_panel=DATA)(options(Audit)(audit))
app.command(cls=Command, rich_help_panel=DATA)(options(Forge)(forge))
datasets.command("verify", cls=Command)(options(Verify)(verify))
app.add_typer(datasets, name="datasets", rich_help_panel=DATA)
app.command(cls=Command, rich_help_panel=TRAIN)(options(Train)(train))
app.command(cls=Command, rich_help_panel=TRAIN)(runs)
app.command(cls=Command, rich_help_panel=TRAIN)(options(Export)(export))
app.command(cls=Command, rich_help_panel=MEASURE)(options(Evaluate)(evaluate))
app.command(cls=Command, rich_help_panel=MEASURE)(options(Compare)(compare))
app.command(cls=Command, rich_help_panel=MEASURE)(options(Report)(report))
app.command(cls=Command, rich_help_panel=MEASURE)(options(Calibrate)(calibrate))
app.command(cls=Command, rich_help_panel=MEASURE)(options(Matrix)(matrix))
app.command(cls=Command, rich_help_panel=TOOLS)(models)
app.command(cls=Command, rich_help_panel=TOOLS)(demo)
app.command(cls=Command, rich_help_panel=TOOLS)(doctor)
app.add_typer(config, name="config", rich_help_panel=TOOLS)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"deepfake {__version__}")
        raise typer.Exit


@app.callback()
def every_command(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show the log messages of TensorFlow and the decoders")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit")
    ] = False,
) -> None:
    """Detect face deepfakes: split videos, make lists without leakage, train, evaluate, predict."""
    os.environ["KERAS_BACKEND"] = "tensorflow"  # overrides ~/.keras/keras.json: the commands need TensorFlow
    if not verbose:
        os.environ[LEVEL] = "3"  # overrides the environment: importing Keras sets it to 1 if JAX is installed
        os.environ["OPENCV_LOG_LEVEL"] = "FATAL"  # errors of damaged images are reported by us


def main() -> None:
    """Run the command; print errors as a red line. The exit status is 1 for a `DeepfakeError`, 2 for a usage error."""
    try:
        command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
        try:
            with explained(f"deepfake {command}"):
                sys.exit(app(prog_name=app.info.name, standalone_mode=False))
        finally:
            _flush()
    except UsageError as error:
        if said := usage(error):
            error_console.print(f"Error: {said}", style="bold red", soft_wrap=True)
        sys.exit(error.exit_code)
    except DeepfakeError as error:
        _fail(str(error))
    except OSError as error:  # such as a full disk or a read-only folder
        if error.filename is None and error.errno is None:
            raise
        _fail(sentence(error))
    except SystemExit as end:
        if end.code == INTERRUPTED:
            error_console.print("Stopped. Finished work is kept.", style="yellow")
        raise


def _flush() -> None:
    """Flush stdout now, since an error while Python exits gets no message of ours."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python tries again at its end
        if error.errno == errno.EPIPE:  # such as head, which has seen enough
            sys.exit(1)
        raise


def _fail(message: str) -> NoReturn:
    error_console.print(f"Error: {message}", style="bold red", soft_wrap=True)
    sys.exit(1)
