"""Config files: read them, merge them with flags and defaults; print a template, the JSON schema and the docs table."""

import configparser
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from deepfake_cli.config.base import Step, extra, local
from deepfake_cli.config.sections import FLAGS_ONLY, STEPS
from deepfake_cli.errors import ConfigError
from deepfake_cli.storage.disk import reason
from deepfake_cli.storage.files import read_regular
from deepfake_cli.storage.near import hint

QUOTED = re.compile(r"""(["'])(.*)\1\s*([#;].*)?""")  # a value of an ini file in quotes
COMMENT = re.compile(r"\s[#;].*")
S = TypeVar("S", bound=Step)
SHOWN = 200  # characters of a value in a message


def resolve(
    step: type[S], flags: dict[str, Any], file: Path | None = None, *, assume: dict[str, Any] | None = None
) -> tuple[S, dict[str, str]]:
    """Merge the settings of a step: flag, then config file, then default.

    Args:
        step: the settings model.
        flags: values from the command line; None means not given.
        file: a ``.toml`` or ``.ini`` file with sections named as in `STEPS`.
        assume: values for required settings that are not given.

    Returns:
        The settings, and for each field its origin: ``"flag"``, the file's name or ``"default"``.

    Raises:
        ConfigError: an unknown key, a wrong type or a value out of range, one per line; or a key under both its names.
    """
    section = next(name for name, model in (STEPS | FLAGS_ONLY).items() if model is step)
    given = _renamed(step, {name: value for name, value in flags.items() if value is not None})
    sections = read(file) if file else {}
    filed = _renamed(step, sections.get(section, {}), f"{file}: {section}.")
    if "train_config" in step.model_fields and "train" in sections:  # matrix trains as the same file says
        filed.setdefault("train_config", str(file))
    origins = {name: str(file) for name in filed} | dict.fromkeys(given, "flag")
    try:
        settings = step.model_validate((assume or {}) | filed | given)
    except ValidationError as error:
        faults = error.errors()
        missing = [str(fault["loc"][0]) for fault in faults if fault["type"] == "missing"]
        told = [_message(step, section, fault, origins) for fault in faults if fault["type"] != "missing"]
        raise ConfigError("\n".join([*([_missing(step, section, missing)] if missing else []), *told])) from None
    return settings, {name: origins.get(name, "default") for name in step.model_fields}


def _renamed(step: type[Step], values: dict[str, Any], where: str = "") -> dict[str, Any]:
    """Replace former names of options by their current ones; `where` is the prefix of keys in a file."""
    current = {former: name for name, field in step.model_fields.items() if (former := extra(field).get("former"))}
    for former in current.keys() & values.keys():
        if current[former] in values:
            names = [f"{where}{key}" if where else f"--{key.replace('_', '-')}" for key in (former, current[former])]
            raise ConfigError(f"{names[0]} is the former name of {names[1]}: remove one of them.")
    return {current.get(name, name): value for name, value in values.items()}


def read(file: Path) -> dict[str, dict[str, Any]]:
    """Read the sections of a ``.toml`` or ``.ini`` file, without checking values.

    Raises:
        ConfigError: the file is missing, malformed, of another format, or has an unknown section.
    """
    sections = parsed(
        file, tomllib.loads if file.suffix.lower() == ".toml" else _read_ini, " Write one with deepfake config init."
    )
    for name, section in sections.items():
        if name not in STEPS:
            raise ConfigError(f"{file}: {name}: unknown section; allowed: {', '.join(STEPS)}.")
        if not isinstance(section, dict):
            raise ConfigError(f"{file}: {name}: found {section!r}, expected a section [{name}].")
    return sections


def parsed(file: Path, parse: Callable[[str], dict[str, Any]] = tomllib.loads, mend: str = "") -> dict[str, Any]:
    """Read a file as TOML, or by another parser, without checking keys and values.

    Raises:
        ConfigError: the file is missing or malformed.
    """
    file = local(file)
    try:
        return parse(read_regular(file).decode("utf-8-sig"))
    except RecursionError:
        raise ConfigError(f"{file}: nested too deep; expected sections with keys and plain values.") from None
    except (OSError, ValueError, configparser.Error) as error:
        if str(error).startswith("Exceeds the limit"):  # Python's own, for an integer of more than 4,300 digits
            raise ConfigError(f"{file}: an integer has thousands of digits; correct it.") from None
        if isinstance(error, FileNotFoundError):
            raise ConfigError(f"{file}: no such file.{hint(file)}{mend}") from None
        raise ConfigError(f"{file}: cannot be read as {file.suffix or 'ini'}: {reason(error)}") from None


def _read_ini(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    parser.read_string(text)
    return {name: {key: _plain(name, key, value) for key, value in parser.items(name)} for name in parser.sections()}


def _plain(section: str, key: str, value: str) -> str:
    """The value of an ini file, line by line without quotes and comments.

    Raises:
        ValueError: it is not clear what a ``#`` or ``;`` or a quote in a text means, or a single value has several lines.
    """
    field = STEPS[section].model_fields.get(key) if section in STEPS else None
    kind = str(field.annotation) if field else ""
    text = "str" in kind or "Path" in kind
    lines = []
    for line in value.splitlines():
        quoted, comment = QUOTED.fullmatch(line.strip()), COMMENT.search(line)
        if not quoted and text and (comment or line.strip()[:1] in ("'", '"')):
            raise ValueError(
                f"{section}.{key}: found {line.strip()!r}; put it in quotes if all of it is the value, and a comment on "
                "a line of its own"
            )
        lines.append(quoted[2] if quoted else COMMENT.sub("", line))
    if field and not kind.startswith("list") and len(lines) > 1:
        raise ValueError(f"{section}.{key}: found {len(lines)} lines, expected one")
    return "\n".join(lines)


def _missing(step: type[Step], section: str, keys: list[str]) -> str:
    """Name the required settings that are not given, with the command that gives them."""
    words = {
        key: key.upper() if extra(field).get("positional") else f"--{key.replace('_', '-')} {key.upper()}"
        for key, field in step.model_fields.items()
        if field.is_required()
    }
    names = " and ".join(words[key].split()[0] for key in keys)
    line = " ".join(["deepfake", section.replace("_", "-"), *words.values()])
    filed = " and ".join(f"{section}.{key}" for key in keys)
    return f"{names} {'is' if len(keys) == 1 else 'are'} missing: {line}" + (
        f", or {filed} in a --config file" if section in STEPS else ""
    )


def _message(step: type[Step], section: str, fault: Any, origins: dict[str, str]) -> str:
    """Format a validation error: file, section.key, the value found, what is allowed."""
    key = str(fault["loc"][0]) if fault["loc"] else ""
    origin = origins.get(key, "")
    where = (
        f"{origin}: {section}.{key}" if origin not in ("", "flag") else f"--{key.replace('_', '-')}" if key else section
    )
    if fault["type"] == "extra_forbidden":
        return f"{where}: unknown key; allowed: {', '.join(step.model_fields)}."
    message = fault["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    if not key:  # two settings that cannot be combined
        files = sorted(set(origins.values()) - {"flag"})
        return ": ".join([*files, section, f"{message}."])
    found = repr(fault["input"])
    return f"{where}: found {found if len(found) <= SHOWN else found[:SHOWN] + '…'}; {message}."


def schema() -> dict[str, Any]:
    """The JSON schema of a config file, with all sections."""
    sections = {name: step.model_json_schema() for name, step in STEPS.items()}
    for section in sections.values():
        section.pop("required", None)  # a flag may give what a file does not
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "deepfake --config FILE",
        "type": "object",
        "additionalProperties": False,
        "properties": sections,
    }


def template() -> str:
    """A commented ``.toml`` file with every key at its default."""
    blocks = []
    for section, step in STEPS.items():
        lines = [f"# {step.__doc__}", f"[{section}]"]
        for name, field in step.model_fields.items():
            lines += [f"# {field.description}", f"# {name} = {_toml(None if field.is_required() else field.default)}"]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def options_table() -> str:
    """Every option as Markdown tables, for the docs."""
    lines = []
    for section, step in (STEPS | FLAGS_ONLY).items():
        lines += [f"| `deepfake {section.replace('_', '-')}` | default | |", "|---|---|---|"]
        for name, field in step.model_fields.items():
            flag = (
                name.upper()
                if extra(field).get("positional")
                else extra(field).get("flag") or f"--{name.replace('_', '-')}"
            )
            default = (
                "required" if field.is_required() else "" if field.default is None else f"`{_toml(field.default)}`"
            )
            text = str(field.description).replace("|", "\\|")
            lines.append(f"| `{flag}` | {default} | {text} |")
        lines.append("")
    return "\n".join(lines)


def _toml(value: Any) -> str:
    """A value in TOML: JSON has the same notation for all defaults; None becomes an empty string."""
    return json.dumps("" if value is None else value, default=str, ensure_ascii=False)
