"""The pages of ``--help``: commands and options in panels by theme, a line each."""

import inspect
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup

from deepfake_cli.cli.console import console, print_panel
from deepfake_cli.config.panels import Panel

if TYPE_CHECKING:
    from rich.text import Text

ARGUMENTS = "Arguments"
NAME, VALUE, LESS = "bold cyan", "cyan", "dim"  # styles
SWITCHES = "--[no-]NAME stands for --NAME and --no-NAME."
MORE = "All details of the options: deepfake config options"


class Command(TyperCommand):
    """A command whose help shows its options by theme."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        _print_head(self, ctx)
        panels: dict[str, list[tuple[Text, Text]]] = defaultdict(list)
        switches = False
        for parameter in self.get_params(ctx):
            if not getattr(parameter, "hidden", False):
                row = _row(parameter)
                panels[_panel(parameter)].append(row)
                switches = switches or "[no-]" in row[0].plain
        for panel in (ARGUMENTS, *Panel):
            print_panel(panel, panels[panel])
        if len(panels) > 2:
            console.print(f"{SWITCHES} {MORE}" if switches else MORE, style=LESS, soft_wrap=False)


class Group(TyperGroup):
    """A group of commands, in panels in the order in which they were added; its own options come last."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read ``help train`` as ``train --help``."""
        return super().parse_args(ctx, [*args[1:], "--help"] if args[:1] == ["help"] else args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        from rich.text import Text

        _print_head(self, ctx)
        panels: dict[str, list[tuple[Text, Text]]] = defaultdict(list)
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command and not command.hidden:
                about = " ".join(inspect.cleandoc(command.help or "").split("\n\n")[0].split())
                panels[getattr(command, "rich_help_panel", None) or "Commands"].append((Text(name, NAME), Text(about)))
        panels[Panel.MAIN] += [_row(each) for each in self.get_params(ctx) if not getattr(each, "hidden", False)]
        width = max(len(name) for rows in panels.values() for name, _ in rows if not name.plain.startswith("-"))
        for panel, rows in panels.items():
            print_panel(panel, rows, 0 if panel == Panel.MAIN else width)


def _print_head(command: Any, ctx: Any) -> None:
    """Print the usage and the docstring."""
    console.print(f"{command.get_usage(ctx)}\n", style="bold", soft_wrap=False)
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        console.print(" ".join(paragraph.split()) + "\n", soft_wrap=False)


def _panel(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return ARGUMENTS
    return getattr(parameter, "rich_help_panel", None) or Panel.GENERAL


def _row(parameter: Any) -> "tuple[Text, Text]":
    """The name, with a placeholder for a value without a default; and the help, with choices on further lines."""
    from rich.text import Text

    about, _, choices = (parameter.help or "").partition("\n")
    if parameter.show_default and parameter.default not in (None, False):
        about += rf" \[default: {parameter.default}]"
    text = Text.from_markup(about)
    start = text.plain.find(" [default")
    if start >= 0:
        text.stylize(LESS, start)
    if choices:
        text.append(f"\n{choices}", LESS)
    if parameter.param_type_name == "argument":
        return Text((parameter.metavar or parameter.name.upper()) + " …" * (parameter.nargs != 1), NAME), text
    name = Text(", ".join(sorted(_names(parameter), key=len)), NAME)
    if parameter.metavar:
        name.append(f" {parameter.metavar}", VALUE)
    return name, text


def _names(parameter: Any) -> list[str]:
    """The flags; ``--[no-]NAME`` for a switch that is on by default, since its other form is the one to use."""
    on, off = parameter.opts, parameter.secondary_opts
    if not off or not _is_on(parameter):
        return list(on)
    if off == [f"--no-{on[0].removeprefix('--')}"]:
        return [f"--[no-]{on[0].removeprefix('--')}"]
    return [f"{on[0]}/{off[0]}"]


def _is_on(parameter: Any) -> bool:
    return getattr(parameter, "default", None) is True or "[default" in (parameter.help or "")
