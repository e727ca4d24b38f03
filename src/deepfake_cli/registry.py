"""Look up a name in a registry, or import a user's ``module:function``."""

import difflib
import importlib
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from deepfake_cli.errors import DeepfakeError

T = TypeVar("T")


def lookup(table: Mapping[str, T], name: str, kind: str, spelled: Mapping[str, str] = MappingProxyType({})) -> T:
    """Look up a name.

    Args:
        table: the registry.
        name: a key of `table`, or ``module:function``; modules may be in the current directory.
        kind: for error messages: ``"model"``, ``"data set"``, …
        spelled: other spellings that people may write, in small letters, and the key that each stands for.

    Raises:
        DeepfakeError: the name is unknown or cannot be imported.
    """
    if name in table:
        return table[name]
    if ":" in name:
        return _import(name, kind)
    known = {**{key: key for key in table}, **spelled}
    close = difflib.get_close_matches(name.lower(), known, n=1)
    hint = f" Did you mean {known[close[0]]}?" if close else ""
    raise DeepfakeError(
        f"Unknown {kind} {name!r}.{hint} Choose one of: {', '.join(table)}; or your own as module:function."
    )


def _import(name: str, kind: str) -> T:  # type: ignore[type-var]
    module, _, attribute = name.partition(":")
    sys.path.insert(0, "")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise DeepfakeError(f"The {kind} {name!r} cannot be imported: {error}.") from error
    finally:
        sys.path.remove("")
