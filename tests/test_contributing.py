"""CONTRIBUTING.md matches the package."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "deepfake_cli"
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TASKS = (
    "data set",
    "model",
    "family of published checkpoints",
    "architecture for descriptions in TOML",
    "face detector",
    "forgery",
    "corruption",
    "metric",
    "command",
    "image format",
)
YOURS = "yours"  # stands for a file that is to be made
# Which page tells of everything in which table.
PAGES = {
    ("models/__init__.py", "MODELS"): "docs/train.md",
    ("models/checkpoints/__init__.py", "FAMILIES"): "docs/detectors.md",
    ("forgery/__init__.py", "FORGERIES"): "docs/forgeries.md",
    ("corruptions/__init__.py", "CHANGES"): "docs/evaluation.md",
    ("metrics/names.py", "FIGURES"): "docs/evaluation.md",
}


def tree() -> list[str]:
    """Folders and modules of the tree, by path in the package."""
    block = re.search(r"```\nsrc/deepfake_cli/\n(.*?)```", TEXT, re.DOTALL)[1]
    found, parents = [], []
    for indent, name, comment in re.findall(r"^( +)(\S+)(.*)$", block, re.MULTILINE):
        assert comment.strip(), f"{name} has no comment"
        parents[len(indent) // 2 - 1 :] = [name]
        found.append("".join(parents))
    return found


def tasks() -> dict[str, str]:
    """The tasks of "How to add a thing", with their texts."""
    part = TEXT.split("## How to add a thing")[1].split("\n## ")[0]
    return dict(re.findall(r"^### An? (.+?)\n(.*?)(?=^### |\Z)", part, re.MULTILINE | re.DOTALL))


def steps() -> list[tuple[str, str, list[str]]]:
    """Task, file, and the names in backquotes that the file must have."""
    return [
        (task, path, re.findall(r"`(\w+(?:\.py)?)`", text))
        for task, body in tasks().items()
        for path, text in re.findall(r"^- `([^`]+)`: (.+)$", body, re.MULTILINE)
    ]


def defined(path: Path) -> set[str]:
    """Top-level names of a module."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def keys(path: Path, table: str) -> list[str]:
    """Keys of a dict literal, without importing its module."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if target.id == table:
                return [key.value for key in node.value.keys]
    raise AssertionError(f"{path} has no table {table}")


def test_the_tree_has_every_room_and_nothing_else():
    folders = [f"{path.parent.relative_to(PACKAGE).as_posix()}/" for path in PACKAGE.glob("*/**/__init__.py")]
    modules = [path.name for path in PACKAGE.glob("*.py")]
    assert sorted(tree()) == sorted(folders + modules)


def test_every_folder_of_the_package_is_a_room():
    holders = {path.parent for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert all((folder / "__init__.py").exists() for folder in holders)


def test_contributing_has_all_tasks():
    assert tuple(tasks()) == TASKS
    assert {task for task, _, _ in steps()} == set(TASKS), "each names files"


@pytest.mark.parametrize(("task", "path", "names"), steps())
def test_files_tables_and_tests_of_a_task_are_there(task, path, names):
    file = ROOT / path
    assert file.is_file() != (YOURS in path)
    assert file.parent.is_dir()
    modules = [name for name in names if name.endswith(".py")]
    assert all((file.parent / name).is_file() for name in modules)
    for name in set(names) - set(modules):
        if name.startswith("test_"):
            assert any(
                name in defined(test) for test in ([file] if path.endswith(".py") else (ROOT / "tests").rglob("*.py"))
            )
        elif name.isupper():
            assert name in defined(file)
        else:
            assert re.search(rf"\b{name}\b", file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("module", "table"), PAGES)
def test_docs_cover_all_registry_entries(module, table):
    page = (ROOT / PAGES[module, table]).read_text(encoding="utf-8")
    assert [key for key in keys(PACKAGE / module, table) if f"`{key}`" not in page] == []


LONGEST = 250  # lines of a module
LONGER = {"config/data.py", "config/train.py", "training/fit.py"}  # options of a command; one way through a training


def test_modules_are_short():
    lengths = {
        path.relative_to(PACKAGE).as_posix(): len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")
    }
    assert {name for name, lines in lengths.items() if lines > LONGEST} <= LONGER, "split it along its nouns"


def test_names_are_imported_from_where_they_are_defined():
    """But for packages, whose `__init__` gathers names."""
    imported: dict[
        Path, list[tuple[Path, str]]
    ] = {}  # the modules of this package that a module imports from, and names
    bound: dict[Path, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        nodes = [
            node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom) and node.module
        ]
        bound[path] = {alias.asname or alias.name for node in nodes for alias in node.names}
        imported[path] = [
            (PACKAGE.parent.joinpath(*node.module.split(".")).with_suffix(".py"), alias.name)
            for node in nodes
            for alias in node.names
        ]
    elsewhere = [
        f"{path.relative_to(PACKAGE)}: {name} of {module.relative_to(PACKAGE)}"
        for path, names in imported.items()
        for module, name in names
        if name in bound.get(module, ())
    ]
    assert not elsewhere
