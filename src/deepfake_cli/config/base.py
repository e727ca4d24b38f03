"""What all options share: how one is stated, common defaults, and the model that others extend."""

from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.fields import FieldInfo

from deepfake_cli.storage.remote import is_remote, url

IMAGES, LISTS = Path("img"), Path("csv")  # what split writes, make-csv reads
RUNS = Path("runs")  # what train writes, evaluate and runs read
EVALUATION = Path("evaluation")  # what evaluate writes, report reads
CLUSTER = "Run on the Ray cluster at this HOST:PORT or ray://HOST:PORT, or on the one of this machine: auto."
BY = ("person", "pair", "video")  # what groups are formed over, the strictest first


def option(
    default: Any,
    help: str,
    *,
    flag: str | None = None,
    former: str | None = None,
    remote: bool = False,
    **bounds: Any,
) -> Any:
    """A pydantic field that is an option.

    Args:
        default: its value where it is not given.
        help: its description.
        flag: replaces ``--the-name``.
        former: a name that it had: still accepted, on the command line and in config files, and shown nowhere.
        remote: it may be ``s3://…``.
        bounds: of numbers, as pydantic's ``Field`` takes them.
    """
    stated: dict[str, Any] = {"flag": flag, "former": former, "remote": remote}
    return Field(
        default, description=help, json_schema_extra={key: value for key, value in stated.items() if value}, **bounds
    )


def argument(default: Any, help: str, *, remote: bool = False) -> Any:
    """A pydantic field that is a positional argument on the command line, and a key like any other in a config file."""
    return Field(default, description=help, json_schema_extra={"positional": True, "remote": remote})


def extra(field: FieldInfo) -> dict[str, Any]:
    """What an option has beside its type, default and help."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


class Step(BaseModel):
    """Settings of one step: frozen, and no key that is not stated."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=(), defer_build=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _from_text(cls, value: Any, info: Any) -> Any:
        """An ini file knows only text: nothing is None, and a list has one item a line."""
        field = cls.model_fields[info.field_name]
        if isinstance(value, bool) and bool not in (field.annotation, *get_args(field.annotation)):
            raise ValueError("allowed is no true or false")
        if value == "" and type(None) in get_args(field.annotation):
            return None
        if isinstance(value, str) and str(field.annotation).startswith("list"):
            return [line.strip() for line in value.splitlines() if line.strip()]
        return value

    @model_validator(mode="after")
    def _on_a_disk(self) -> "Step":
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            for path in value if isinstance(value, list) else [value]:
                if isinstance(path, Path) and is_remote(path) and not extra(field).get("remote"):
                    raise ValueError(f"{name} {url(path)} has to be on a disk of this machine, or one that it shares")
        return self


class Device(Step):
    """Where a model runs."""

    gpu: str | None = option(
        None, "GPUs to use, by index: 0 or 0,1; 'cpu' for none. [default: the first, if there is one]"
    )
    multi_gpu: int = option(0, "Use this many GPUs at once; 0 leaves the choice to --gpu.", ge=0)
    multi_gpu_force: bool = option(
        False, "With fewer GPUs than --multi-gpu asks for, run that many replicas on the CPU."
    )
