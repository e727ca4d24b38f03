"""The base of all settings models: how an option is declared, and shared defaults."""

import re
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.fields import FieldInfo

from deepfake_cli.config.panels import Panel
from deepfake_cli.storage.disk import check_output
from deepfake_cli.storage.urls import is_remote, url

IMAGES, LISTS = Path("img"), Path("csv")  # output of split and of make-csv
RUNS = Path("runs")  # output of train
EVALUATION = Path("evaluation")  # output of evaluate, if the detector is in no run
PLOT_FORMATS = ("png", "svg", "pdf")
NO_PAGES = (".pdf", ".csv", ".json")  # suffixes of other documents, which a page would be taken for
VARIABLE = re.compile(r"(\$\w+|\$\{\w+\}|%\w+%)([/\\]|$)")  # as in $HOME/runs
BY = ("person", "pair", "video")  # what the videos of a group share; strictest first


def option(
    default: Any,
    help: str,
    *,
    more: str = "",
    choices: str = "",
    panel: Panel = Panel.MAIN,
    metavar: str | None = None,
    flag: str | None = None,
    former: str | None = None,
    remote: bool = False,
    writes: Literal["file", "page", "folder"] | None = None,
    **bounds: Any,
) -> Any:
    """Declare an option as a pydantic field.

    Args:
        default: its default value.
        help: its help text, without a full stop; it fits on a line of ``--help``.
        more: details, without a full stop; in the docs and in config files, not in ``--help``.
        choices: the names that it takes, as text, if they are many; in ``--help`` on lines of their own.
        panel: where ``--help`` shows it.
        metavar: what ``--help`` calls its value, if there is no default; by default after its type.
        flag: the flag, if it is not ``--the-name``.
        former: a former name, still accepted on the command line and in config files, but hidden.
        remote: whether the path may be remote (``s3://…``).
        writes: what the command writes to the path, so that this is tested before the work.
        bounds: numeric bounds, as for pydantic's ``Field``.
    """
    stated: dict[str, Any] = {"flag": flag, "former": former, "remote": remote, "writes": writes, "panel": panel}
    stated |= {"metavar": metavar, "help": help if more or choices else None, "choices": choices}
    return Field(
        default,
        description=_text(help, more, choices),
        json_schema_extra={key: value for key, value in stated.items() if value},
        **bounds,
    )


def _text(help: str, more: str, choices: str) -> str:
    """The whole text of an option, as the docs show it."""
    return ". ".join(filter(None, (f"{help}: {choices}" if choices else help, more)))


def argument(
    default: Any, help: str, *, more: str = "", choices: str = "", flag: str | None = None, remote: bool = False
) -> Any:
    """Declare a positional argument as a pydantic field; in a config file it is an ordinary key. `flag` gives it as well."""
    stated: dict[str, Any] = {"positional": True, "remote": remote, "flag": flag, "choices": choices}
    stated["help"] = help if more or choices else None
    return Field(
        default,
        description=_text(help, more, choices),
        json_schema_extra={key: value for key, value in stated.items() if value is not None},
    )


def extra(field: FieldInfo) -> dict[str, Any]:
    """The extra attributes of an option: those of `option` and `argument`, and positional."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def local(value: Any) -> Any:
    """A path with ``~`` replaced by the home folder, as a shell does in most places; another value as it is.

    Raises:
        ValueError: it begins with a variable, which only a shell replaces, or with the home folder of nobody.
    """
    if not isinstance(value, str | Path):
        return value
    if VARIABLE.match(str(value)) and not Path(value).exists():
        raise ValueError("variables are not replaced; write the path itself")
    try:
        return Path(value).expanduser() if str(value).startswith("~") else value
    except RuntimeError:
        raise ValueError("there is no such home folder; write ./~ for a folder of that name") from None


def _formats(text: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip().lower() for name in text.split(","))) if text else ()


class Step(BaseModel):
    """Base of all settings: frozen, and unknown keys are errors."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=(), defer_build=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _from_text(cls, value: Any, info: Any) -> Any:
        """Parse the text of an ini file: empty is None, a list has one item per line."""
        field = cls.model_fields[info.field_name]
        if any("\0" in str(item) for item in (value if isinstance(value, list) else [value])):
            raise ValueError("expected text without NUL")
        if isinstance(value, bool) and bool not in (field.annotation, *get_args(field.annotation)):
            raise ValueError("expected a value, not true or false")
        if value == "" and type(None) in get_args(field.annotation):
            return None
        if isinstance(value, str) and str(field.annotation).startswith("list"):
            value = [line.strip() for line in value.splitlines() if line.strip()]
        if "Path" in str(field.annotation):
            return [local(item) for item in value] if isinstance(value, list) else local(value)
        return value

    @field_validator("figures", check_fields=False)
    @classmethod
    def _known_formats(cls, value: str | None) -> str | None:
        odd = [name for name in _formats(value) if name not in PLOT_FORMATS]
        if odd:
            raise ValueError(f"choose from {', '.join(PLOT_FORMATS)}, comma-separated")
        return value

    @property
    def plot_formats(self) -> tuple[str, ...]:
        """The formats that ``--figures`` names; empty without it."""
        return _formats(getattr(self, "figures", None))

    @model_validator(mode="after")
    def _fit_their_use(self) -> "Step":
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            for path in value if isinstance(value, list) else [value]:
                if isinstance(path, Path) and is_remote(path) and not extra(field).get("remote"):
                    raise ValueError(f"{name} {url(path)} must be a local path, not an object store")
                if isinstance(path, Path) and extra(field).get("writes") == "page" and path.suffix.lower() in NO_PAGES:
                    raise ValueError(f"{name} {path} is an HTML page: name it {path.stem}.html")
        return self

    def check_outputs(self) -> None:
        """Test, before the work, that the outputs can be written.

        Raises:
            OSError: one cannot be written; ``filename`` is its path.
        """
        for name, field in type(self).model_fields.items():
            path, kind = getattr(self, name), extra(field).get("writes")
            if kind and path is not None:
                check_output(path, folder=kind == "folder")


class Device(Step):
    """The devices that a model runs on."""

    gpu: str | None = option(
        None, "GPUs to use, such as 0 or 0,1; or cpu [default: the first GPU, if any]", metavar="GPUS"
    )
    multi_gpu: int = option(0, "Number of GPUs to use; 0: as --gpu says", panel=Panel.SPEED, ge=0)
    multi_gpu_force: bool = option(
        False, "With fewer GPUs than --multi-gpu, run that many replicas on the CPU", panel=Panel.SPEED
    )
