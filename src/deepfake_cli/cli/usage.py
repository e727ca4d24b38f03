"""Errors in the arguments of a command, each in one line."""

import difflib
from typing import Any

import typer

UsageError: Any = typer.BadParameter.__base__  # Typer's own or Click's, as its version has it


def usage(error: Any) -> str:
    """What is wrong, what was probably meant, and where all options are listed; empty if the help was printed instead."""
    given, known = getattr(error, "option_name", None), getattr(error, "possibilities", None)
    if known:
        said = f"{error.message}.{_nearest(given, known)}"
    else:
        said = error.format_message().replace("Value error, ", "").replace("Input should be", "expected")
    context = error.ctx
    if not said or context is None:
        return str(said)
    return f"{said if said.endswith(('.', '?')) else f'{said}.'} See {context.command_path} --help."


def _nearest(given: str | None, known: list[str]) -> str:
    """The options like the one given; Click's own list also has those that share hardly a letter."""
    name = (given or "").lstrip("-")
    close = difflib.get_close_matches(name, [each.lstrip("-") for each in known], n=2, cutoff=0.7)
    close += sorted(each.lstrip("-") for each in known if name and each.lstrip("-").startswith(name))
    meant = " or ".join(f"--{each}" for each in dict.fromkeys(close))
    return f" Did you mean {meant}?" if meant else ""
