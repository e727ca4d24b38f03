"""Write JSON for people, and read what others may have changed: bounded, checked, with one error that names file and field."""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, ValidationError

from deepfake_cli.errors import DeepfakeError
from deepfake_cli.storage.disk import sentence
from deepfake_cli.storage.downloads import local_path
from deepfake_cli.storage.escapes import encodable_json

MOST_BYTES = 2**28  # of a file: the frames of a video of ten hours fit
DEEPEST = 32  # objects and lists in one another
MOST_DIGITS = 20  # of an integer: 64 bits
SHOWN = 60  # characters of a value in a message


class Part(BaseModel):
    """An object in a file of this package; keys of other versions are kept."""

    model_config = ConfigDict(strict=True, extra="allow")


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("expected text without NUL")
    return text


Text = Annotated[str, AfterValidator(_no_nul)]  # a path or a name: the system takes no NUL in it


def json_text(value: Any, indent: int | None = None) -> str:
    """A value as JSON that UTF-8 can encode; bytes of a name that are not UTF-8 become escapes that read back as they were."""
    return encodable_json(json.dumps(value, indent=indent, ensure_ascii=False, default=str))


def read_json(path: Path, model: Any, error: type[DeepfakeError], mend: str, *, required: bool = True) -> Any:
    """Read a JSON file and check it.

    Args:
        path: of the file, local or remote.
        model: the type of the content: a pydantic model, or any type that pydantic checks.
        error: raised for every fault.
        mend: last sentence of each error: what to do.
        required: if False, a missing file gives None.

    Returns:
        The content, checked but not converted. All numbers are finite, and integers have 64 bits.

    Raises:
        DeepfakeError: of the class `error`; the message has the path, the field and the value found.
        StorageError: the file is remote and cannot be read.
    """
    try:
        local = local_path(path)
        if not required and not local.exists():
            return None
        if not local.is_file():
            raise error(f"{path}: {'not a file' if local.exists() else 'no such file'}. {mend}".rstrip())
        with local.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as fault:
        fault.filename = str(path)  # not that of a local copy
        raise error(sentence(fault)) from None
    return parse_json(data, model, str(path), error, mend)


def parse_json(data: bytes | str, model: Any, name: str, error: type[DeepfakeError], mend: str = "") -> Any:
    """Parse JSON and check it, as `read_json` does; `name` says in errors where it is from."""
    try:
        value = _parsed(data)
        TypeAdapter(model).validate_python(value)
    except ValidationError as fault:
        raise error(f"{name}: {worded(fault)} {mend}".rstrip()) from None
    except ValueError as fault:
        raise error(f"{name}: {fault}. {mend}".rstrip()) from None
    return value


def worded(error: ValidationError) -> str:
    """The first error of a pydantic validation as text: the field, the value, and what was expected."""
    fault = error.errors()[0]
    where = ".".join(map(str, fault["loc"]))
    said = fault["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    if fault["type"] == "missing":
        return f"{where}: missing."
    if fault["type"] in ("model_type", "dict_type"):
        said = "expected an object"
    found = repr(fault["input"])
    short = found if len(found) <= SHOWN else f"{found[:SHOWN]}…"
    return f"{where + ': ' if where else ''}found {short}; {said}."


def _parsed(data: bytes | str) -> Any:
    """The value of a JSON text; all faults are a `ValueError` without a full stop."""
    if len(data) > MOST_BYTES:
        raise ValueError(f"larger than {MOST_BYTES >> 20} MiB")
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        value = json.loads(
            text, object_pairs_hook=_once, parse_int=_integer, parse_float=_finite, parse_constant=_finite
        )
    except UnicodeDecodeError as fault:
        raise ValueError(f"not UTF-8 text: {fault.reason} at byte {fault.start}") from None
    except json.JSONDecodeError as fault:
        raise ValueError(f"invalid JSON in line {fault.lineno}: {fault.msg}") from None
    except RecursionError:
        raise ValueError("nested too deep") from None
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
    if level:
        raise ValueError(f"nested too deep: more than {DEEPEST} levels")
    return value


def _inside(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = Counter(key for key, _ in pairs)
    if len(keys) < len(pairs):
        raise ValueError(f"lists {keys.most_common(1)[0][0]} twice; keep one")
    return dict(pairs)


def _integer(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"found a number of {len(digits):,} digits; expected {MOST_DIGITS} at most")
    return int(digits)


def _finite(number: str) -> float:
    if not math.isfinite(float(number)):
        raise ValueError(f"found {number[:SHOWN]}; expected a finite number")
    return float(number)
