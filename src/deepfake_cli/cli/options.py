"""Generate the options of a command from its settings model."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Optional, get_args

import typer
from pydantic.fields import FieldInfo

from deepfake_cli.cli.datasets import names
from deepfake_cli.config import STEPS, Step, resolve
from deepfake_cli.config.base import extra


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
            command(settle(step, given, file), **others)

        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__signature__ = inspect.Signature(list(_parameters(step)) + own)  # type: ignore[attr-defined]
        return run

    return wrap


def _parameters(step: type[Step]) -> list[inspect.Parameter]:
    fields = sorted(step.model_fields.items(), key=lambda item: not extra(item[1]).get("positional"))
    stated = [_parameter(name, field) for name, field in fields]
    stated += [_parameter(former, field, hidden=True) for _, field in fields if (former := extra(field).get("former"))]
    if step not in STEPS.values():
        return stated
    config = Annotated[
        Path | None,
        typer.Option(
            help="Read settings from this .toml or .ini file, with paths relative to the current folder; flags override it",
            readable=False,
        ),
    ]
    return [*stated, inspect.Parameter("config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=config)]


def _parameter(name: str, field: FieldInfo, *, hidden: bool = False) -> inspect.Parameter:
    """The default is None for "not given", so that a config file can set it. Whether a path can be read, the command tells."""
    help = _help(field).replace("[", r"\[")  # rich would read it as markup
    if extra(field).get("positional"):
        choices = names if name == "adapter" else None
        info = typer.Argument(
            help=help, show_default=False, metavar=name.upper(), autocompletion=choices, readable=False
        )
    else:
        flags = extra(field).get("flag") or f"--{name.replace('_', '-')}"
        flags = flags if "/" in flags or field.annotation is not bool else f"{flags}/--no-{name.replace('_', '-')}"
        info = typer.Option(
            *flags.split(","), help=help, show_default=False, hidden=hidden, readable=False, **_bounds(field)
        )
    annotation = Annotated[Optional[field.annotation], info]  # type: ignore[name-defined]  # noqa: UP045
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _help(field: FieldInfo) -> str:
    """The description, with the default if there is one."""
    if field.is_required():
        return f"{field.description} [required]"
    if field.default is None or field.default is False or field.default == []:
        return str(field.description)
    shown = " ".join(str(item) for item in field.default) if isinstance(field.default, list) else str(field.default)
    return f"{field.description} [default: {'yes' if shown == 'True' else shown}]"


def _bounds(field: FieldInfo) -> dict[str, Any]:
    """Inclusive numeric bounds, which the help text shows."""
    numeric = {int, float} & {field.annotation, *get_args(field.annotation)}
    limits = {key: getattr(rule, key) for rule in field.metadata for key in ("ge", "le") if hasattr(rule, key)}
    return {{"ge": "min", "le": "max"}[key]: value for key, value in limits.items()} if numeric else {}
