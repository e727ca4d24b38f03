"""A step's pydantic model becomes the options of its command: nothing is stated twice."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Optional, get_args

import typer
from pydantic.fields import FieldInfo

from deepfake_cli.cli.datasets import names
from deepfake_cli.config import Step, resolve
from deepfake_cli.config.base import extra


def settled(step: type[Step], flags: dict[str, Any], file: Path | None) -> Step:
    """The settings alone, without where each came from."""
    return resolve(step, flags, file)[0]


def options(
    step: type[Step], settle: Callable[..., Any] = settled
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command ``command(settings, …)`` the arguments and options of `step`, and ``--config``.

    The command's own parameters after `settings` stay options of their own (``--json`` and the like).
    """

    def wrap(command: Callable[..., Any]) -> Callable[..., Any]:
        own = [
            each.replace(kind=each.KEYWORD_ONLY) for each in list(inspect.signature(command).parameters.values())[1:]
        ]

        def run(**given: Any) -> None:
            others = {parameter.name: given.pop(parameter.name) for parameter in own}
            file = given.pop("config")
            command(settle(step, given, file), **others)

        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__signature__ = inspect.Signature(list(_parameters(step)) + own)  # type: ignore[attr-defined]
        return run

    return wrap


def _parameters(step: type[Step]) -> list[inspect.Parameter]:
    fields = sorted(step.model_fields.items(), key=lambda item: not extra(item[1]).get("positional"))
    stated = [_parameter(name, field) for name, field in fields]
    stated += [_parameter(former, field, hidden=True) for _, field in fields if (former := extra(field).get("former"))]
    config = Annotated[Path | None, typer.Option(help="Settings from this .toml or .ini file; flags win over it.")]
    return [*stated, inspect.Parameter("config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=config)]


def _parameter(name: str, field: FieldInfo, *, hidden: bool = False) -> inspect.Parameter:
    """None stands for "not given", so that a config file can fill it."""
    help = _help(field).replace("[", r"\[")  # rich takes a bracket for markup
    if extra(field).get("positional"):
        choices = names if name == "adapter" else None
        info = typer.Argument(help=help, show_default=False, metavar=name.upper(), autocompletion=choices)
    else:
        flags = extra(field).get("flag") or f"--{name.replace('_', '-')}"
        flags = flags if "/" in flags or field.annotation is not bool else f"{flags}/--no-{name.replace('_', '-')}"
        info = typer.Option(*flags.split(","), help=help, show_default=False, hidden=hidden, **_bounds(field))
    annotation = Annotated[Optional[field.annotation], info]  # type: ignore[name-defined]  # noqa: UP045
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _help(field: FieldInfo) -> str:
    """The description, with the default where there is a plain one."""
    if field.is_required():
        return f"{field.description} [required]"
    if field.default is None or field.default is False or field.default == []:
        return str(field.description)
    shown = " ".join(str(item) for item in field.default) if isinstance(field.default, list) else str(field.default)
    return f"{field.description} [default: {'yes' if shown == 'True' else shown}]"


def _bounds(field: FieldInfo) -> dict[str, Any]:
    """Bounds that the help text can show: inclusive ones, of numbers."""
    numeric = {int, float} & {field.annotation, *get_args(field.annotation)}
    limits = {key: getattr(rule, key) for rule in field.metadata for key in ("ge", "le") if hasattr(rule, key)}
    return {{"ge": "min", "le": "max"}[key]: value for key, value in limits.items()} if numeric else {}
