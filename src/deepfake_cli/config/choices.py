"""The choices of an option, read from its registry.

``--help`` must not import what the values of a registry need, such as Keras; so the keys are parsed from its source.
"""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
OWN = "or your own as module:function"


def choices(module: str, table: str) -> tuple[str, ...]:
    """The keys of a registry, in order.

    Args:
        module: its file, relative to the package: ``"forgery/__init__.py"``.
        table: its name; a dict literal whose first and last line are not indented.
    """
    text = (PACKAGE / module).read_text(encoding="utf-8")
    start = text.index(f"\n{table}")
    (statement,) = ast.parse(text[start : text.index("\n}", start) + 2]).body
    assert isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(statement.value, ast.Dict)
    return tuple(ast.literal_eval(key) for key in statement.value.keys if key)


ADAPTERS = choices("datasets/__init__.py", "ADAPTERS")
CHANGES = choices("corruptions/__init__.py", "CHANGES")
DEGRADATIONS = choices("forgery/__init__.py", "DEGRADATIONS")
FACE_DETECTORS = choices("faces/__init__.py", "FACE_DETECTORS")
FAMILIES = choices("models/checkpoints/__init__.py", "FAMILIES")
FORGERIES = choices("forgery/__init__.py", "FORGERIES")
MODELS = choices("models/__init__.py", "MODELS")
RUNTIMES = choices("inference/runtimes/__init__.py", "RUNTIMES")


def either(names: tuple[str, ...]) -> str:
    """Join names for a help text: ``a, b or c``."""
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
