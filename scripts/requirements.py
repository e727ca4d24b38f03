"""Write requirements/judge.txt and requirements/measure.txt, the lean installations, from pyproject.toml.

    python scripts/requirements.py

The groups `judge` and `measure` name the packages; their versions are those of the dependencies and of the extra `app`.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
GROUPS = {
    "judge": "Judge files: predict and app. No TensorFlow, pandas or scikit-learn.",
    "measure": "Everything but training: all commands that need no TensorFlow.",
}


def main() -> None:
    for group, text in written().items():
        (ROOT / "requirements" / f"{group}.txt").write_text(text, encoding="utf-8")


def written() -> dict[str, str]:
    """The text of each file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    stated = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["app"]
    versions = {name_of(requirement): requirement for requirement in stated}
    return {
        group: f"# {purpose}\n# Written by scripts/requirements.py from pyproject.toml; then: pip install --no-deps .\n"
        + "".join(f"{versions[name]}\n" for name in sorted(names(project["dependency-groups"], group)))
        for group, purpose in GROUPS.items()
    }


def names(groups: dict[str, list[Any]], group: str) -> list[str]:
    """The names in a group and in those it includes (PEP 735)."""
    entries = [names(groups, entry["include-group"]) if isinstance(entry, dict) else [entry] for entry in groups[group]]
    return [name for entry in entries for name in entry]


def name_of(requirement: str) -> str:
    """The package's name: ``onnx`` of ``onnx>=1.17``."""
    return re.match(r"[\w.-]+", requirement)[0]


if __name__ == "__main__":
    main()
