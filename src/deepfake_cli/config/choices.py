"""The names that an option may have, read from the table that gives them their meaning.

Help is shown by processes that must not load what a table's values need, such as Keras: so its keys are read from its source.
"""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def choices(module: str, table: str) -> tuple[str, ...]:
    """The keys of a table, in its order.

    Args:
        module: its file, from the package's folder on: ``"forgery/__init__.py"``.
        table: its name; it is a dict literal at the start of a line, and its closing brace is too.
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
FORGERIES = choices("forgery/__init__.py", "FORGERIES")
MODELS = choices("models/__init__.py", "MODELS")
RUNTIMES = choices("inference/runtimes/__init__.py", "RUNTIMES")


def either(names: tuple[str, ...]) -> str:
    """Names as a help text lists them, where one is to be chosen: ``a, b or c``."""
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
