"""The docs match the commands."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
import typer

from deepfake_cli.cli import app
from deepfake_cli.config import options_table
from deepfake_cli.data.manifest import MANIFEST_COLUMNS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = typer.main.get_command(app).commands


def documented() -> list[tuple[str, str]]:
    """All ``deepfake …`` lines in code blocks and backquotes, with their page."""
    pattern = re.compile(r"(?:^\$? ?|`)(deepfake [^`\n>|#]+)", re.MULTILINE)
    return [(page.name, line.strip()) for page in PAGES for line in pattern.findall(page.read_text())]


def test_docs_have_the_printed_option_table():
    assert options_table() in (ROOT / "docs" / "options.md").read_text()


def test_every_column_is_documented():
    text = (ROOT / "docs" / "manifest.md").read_text()
    assert all(f"`{name}`" in text for name in MANIFEST_COLUMNS)


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_every_command_is_in_the_readme():
    text = (ROOT / "README.md").read_text()
    assert all(f"deepfake {name}" in text for name in COMMANDS)


@pytest.mark.parametrize(("page", "line"), documented())
def test_documented_commands_and_options_exist(page, line):
    words = line.split()
    assert words[1] in COMMANDS or words[1].startswith(("-", "STEP", "…")), f"{page}: {line}"
    known = {
        flag for command in COMMANDS.values() for each in command.params for flag in (*each.opts, *each.secondary_opts)
    }
    known |= {"--help", "--version", "--install-completion", "--force", "--json", "--config"}
    for word in words:
        flag = word.split("=")[0].rstrip(".,;)")
        assert not re.fullmatch(r"--[a-z][a-z-]+", flag) or flag in known, f"{page}: {flag} in {line}"


def test_links_between_pages_exist():
    for page in [*PAGES, ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.skipif(not shutil.which("ldd") or sys.platform != "linux", reason="needs ldd")
def test_opencv_needs_no_libgl_and_no_x11():
    """Bare GPU machines and containers have neither."""
    library = next(Path(cv2.__file__).parent.glob("cv2*.so"))
    linked = subprocess.run(["ldd", library], capture_output=True, text=True, check=True).stdout
    assert "libc.so" in linked
    assert not re.search(r"libGL|libX11|libEGL|libgthread", linked)


def test_the_film_shows_each_user_and_no_path_of_a_machine():
    spec = importlib.util.spec_from_file_location("film", ROOT / "scripts" / "film.py")
    film = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(film)
    page = (ROOT / "docs" / "film.md").read_text()
    parts = film._parts(page)
    assert list(parts) == [*film.TITLES.values()], "one can be recorded anew, and the others stay"
    for user, title in film.TITLES.items():
        shown = [command for command in film.USERS[user] if not command.startswith(film.HIDDEN)]
        said = [command.lstrip(film.ALONE).format(root="…") for command in shown]
        assert [line[2:].split("   # ")[0] for line in parts[title].splitlines() if "   # " in line] == said
    assert not re.search(r"/(tmp|home|root|work|opt)/", page + (ROOT / "docs" / "walkthrough.md").read_text())
