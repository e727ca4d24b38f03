"""Generate the options of a command from its settings model."""

import inspect
from collections.abc import Callable
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, Optional, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from deepfake_cli.cli.datasets import names
from deepfake_cli.config import STEPS, Step, resolve
from deepfake_cli.config.base import extra
from deepfake_cli.config.panels import Panel
from deepfake_cli.errors import ConfigError

FLAG = "_as_flag"  # suffix of the parameter of an argument that may be given as a flag
METAVARS = {int: "N", float: "X", Path: "FILE", str: "NAME"}


def settled(step: type[Step], flags: dict[str, Any], file: Path | None) -> Step:
    """The merged settings, without their origins; their outputs can be written."""
    settings = resolve(step, flags, file)[0]
    settings.check_outputs()
    return settings


def options(
    step: type[Step], settle: Callable[..., Any] = settled
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate ``command(settings, …)`` with the arguments and options of `step`, and ``--config`` if files have a section of it.

    The parameters after `settings`, such as ``--json``, stay options of the command itself.
    """

    def wrap(command: Callable[..., Any]) -> Callable[..., Any]:
        own = [
            parameter.replace(kind=parameter.KEYWORD_ONLY)
            for parameter in list(inspect.signature(command).parameters.values())[1:]
        ]

        def run(**given: Any) -> None:
            others = {parameter.name: given.pop(parameter.name) for parameter in own}
            file = given.pop("config", None)
            _take_flags(given)
            command(settle(step, given, file), **others)

        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__signature__ = inspect.Signature(list(_parameters(step)) + own)  # type: ignore[attr-defined]
        return run

    return wrap


def _take_flags(given: dict[str, Any]) -> None:
    """Take the values of arguments that are given as flags.

    Raises:
        ConfigError: an argument is given in both ways.
    """
    for name in [name.removesuffix(FLAG) for name in given if name.endswith(FLAG)]:
        value = given.pop(name + FLAG)
        if value is not None and given[name] is not None:
            flag = f"--{name.replace('_', '-')}"
            raise ConfigError(
                f"{name.upper()} is given twice: {given[name]}, and {value} as {flag}. Remove one of them."
            )
        given[name] = given[name] if value is None else value


def _parameters(step: type[Step]) -> list[inspect.Parameter]:
    own = set(step.__annotations__)  # before the inherited ones of the same panel
    fields = sorted(
        step.model_fields.items(), key=lambda item: (not extra(item[1]).get("positional"), item[0] not in own)
    )
    stated = [_parameter(name, field) for name, field in fields]
    stated += [_parameter(former, field, hidden=True) for _, field in fields if (former := extra(field).get("former"))]
    stated += [
        _parameter(name + FLAG, field, hidden=True)
        for name, field in fields
        if extra(field).get("positional") and extra(field).get("flag")
    ]
    if step not in STEPS.values():
        return stated
    config = Annotated[
        Path | None,
        typer.Option(
            help="Read settings from this .toml or .ini file; flags override it", metavar="FILE", readable=False
        ),
    ]
    return [*stated, inspect.Parameter("config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=config)]


def _parameter(name: str, field: FieldInfo, *, hidden: bool = False) -> inspect.Parameter:
    """An option or argument. Its default is None, "not given", so that a config file can set it; the command checks paths."""
    help = _help(field).replace("[", r"\[")  # rich would read it as markup
    if extra(field).get("positional") and not hidden:
        choices = names if name == "adapter" else None
        info = typer.Argument(
            help=help, show_default=False, metavar=name.upper(), autocompletion=choices, readable=False
        )
    else:
        flags = extra(field).get("flag") or f"--{name.replace('_', '-')}"
        flags = flags if "/" in flags or field.annotation is not bool else f"{flags}/--no-{name.replace('_', '-')}"
        info = typer.Option(
            *flags.split(","),
            help=help,
            show_default=False,
            hidden=hidden,
            readable=False,
            metavar=_metavar(field),
            rich_help_panel=extra(field).get("panel", Panel.MAIN),
            **_bounds(field),
        )
    annotation = Annotated[Optional[_read_as(field)], info]  # type: ignore[valid-type]  # noqa: UP045
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _read_as(field: FieldInfo) -> Any:
    """The type that Typer parses: text for a number or a word, which the settings model tells apart."""
    words = [each for each in get_args(field.annotation) if get_origin(each) is Literal]
    return str if words and get_origin(field.annotation) is not Literal and len(_kinds(field)) > 1 else field.annotation


def _kinds(field: FieldInfo) -> list[Any]:
    return [each for each in get_args(field.annotation) if each is not NoneType]


def _metavar(field: FieldInfo) -> str | None:
    """The placeholder of a value that has no default: its choices, if they are few."""
    if field.default not in (None, []) or bool in get_args(field.annotation):
        return None
    if metavar := extra(field).get("metavar"):
        return str(metavar)
    kind = next(each for each in (*get_args(field.annotation), field.annotation) if each is not NoneType)
    return "|".join(get_args(kind)) if get_origin(kind) is Literal else METAVARS[kind]


def _help(field: FieldInfo) -> str:
    """The short text, with the default if there is one; the choices on a second line."""
    text, choices = extra(field).get("help", field.description), extra(field).get("choices")
    if field.is_required():
        text = f"{text} [required]"
    elif (value := field.default) is not None and value is not False and value != []:
        shown = " ".join(str(item) for item in value) if isinstance(value, list) else str(value)
        text = f"{text} [default: {'yes' if shown == 'True' else shown}]"
    return f"{text}\n{choices}" if choices else str(text)


def _bounds(field: FieldInfo) -> dict[str, Any]:
    """Inclusive numeric bounds, which the help text shows."""
    numeric = {int, float} & {field.annotation, *get_args(field.annotation)}
    limits = {key: getattr(rule, key) for rule in field.metadata for key in ("ge", "le") if hasattr(rule, key)}
    return {{"ge": "min", "le": "max"}[key]: value for key, value in limits.items()} if numeric else {}
