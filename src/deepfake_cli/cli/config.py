"""``deepfake config``: show the effective settings, write a commented file, print the schema."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from deepfake_cli.cli.console import console, next_step, print_json, table, wrote
from deepfake_cli.cli.help import Command, Group
from deepfake_cli.cli.options import options
from deepfake_cli.config import STEPS, Step, options_table, resolve, schema, template
from deepfake_cli.errors import ConfigError
from deepfake_cli.storage.files import write_text

config = typer.Typer(
    cls=Group, help="Show the effective settings; write a commented config file.", no_args_is_help=True
)
show_steps = typer.Typer(
    cls=Group,
    help="Show the settings of a command and their origin; takes the command's options.",
    no_args_is_help=True,
)
config.add_typer(show_steps, name="show")


def lenient(step: type[Step], flags: dict[str, Any], file: Path | None) -> tuple[Step, dict[str, str]]:
    """Merge the settings; show missing required ones instead of failing."""
    return resolve(
        step,
        flags,
        file,
        assume={name: "(required)" for name, field in step.model_fields.items() if field.is_required()},
    )


def show(
    settled: tuple[Step, dict[str, str]], json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False
) -> None:
    """Print the settings of a command, with the origin of each."""
    settings, origins = settled
    values = settings.model_dump(mode="json")
    if json:
        return print_json({name: {"value": value, "from": origins[name]} for name, value in values.items()})
    rows = [(name, "" if value is None else value, origins[name]) for name, value in values.items()]
    console.print(table(None, ["setting", "value", "from"], rows))
    return next_step(next(name for name, step in STEPS.items() if isinstance(settings, step)).replace("_", "-"))


for name, step in STEPS.items():
    show_steps.command(name.replace("_", "-"), cls=Command, help=step.__doc__)(options(step, settle=lenient)(show))


@config.command(cls=Command)
def init(
    file: Annotated[Path, typer.Argument(help="File to write")] = Path("deepfake.toml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists")] = False,
) -> None:
    """Write a .toml file with every setting, its default and its description."""
    file = file.expanduser()
    if file.exists() and not force:
        raise ConfigError(f"{file} exists; overwrite it with --force.")
    write_text(file, template())
    wrote(file)
    next_step("config", "show", "train", "--config", file)


@config.command(cls=Command, name="schema")
def print_schema() -> None:
    """Print the JSON schema of a config file."""
    print_json(schema())


@config.command(cls=Command, name="options")
def print_options() -> None:
    """Print every option as Markdown tables, as in docs/options.md."""
    sys.stdout.write(options_table())
