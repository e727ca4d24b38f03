"""The site of the docs: its navigation and its links; and the tutorials' commands, on small sets."""

import re
import runpy
import shlex
import shutil
import tomllib
from pathlib import Path

import cv2
import pytest

from deepfake_cli import __version__
from deepfake_cli.assets import CLIPS, FOLDER

from .conftest import write_video

ROOT = Path(__file__).parents[1]
SITE = runpy.run_path(str(ROOT / "scripts" / "site.py"))
QUICK = ("datasets", "split", "make-csv", "audit", "predict")  # the others train, or need what they trained


def test_every_page_is_in_the_navigation_once():
    placed = [page for section in SITE["navigation"]() for pages in section.values() for page in pages]
    assert len(placed) == len({*placed})
    assert {*placed} >= {page.name for page in (ROOT / "docs").glob("*.md")} | {
        "index.md",
        "commands.md",
        "api/index.md",
    }


def test_links_of_a_page_lead_to_its_place_in_the_site():
    places = {"docs/a.md": "a.md", "README.md": "index.md"}
    text = "[A](docs/a.md#x) ![P](docs/images/p.webp) [folder](configs/cluster) [web](https://example.org) [here](#y)"
    expected = "[A](a.md#x) ![P](images/p.webp) folder (`configs/cluster`) [web](https://example.org) [here](#y)"
    assert SITE["moved"](text, Path(), places) == expected
    assert SITE["moved"]("[home](../README.md)", Path("docs"), places) == "[home](index.md)"


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ('<a href="b.html#there">b</a> <a href="https://example.org">out</a> <img src="b.html">', None),
        ('<a href="c.html">c</a>', "c.html leads nowhere"),
        ('<a href="b.html#elsewhere">b</a>', "b.html#elsewhere leads nowhere"),
        ('<img src="p.png">', "p.png leads nowhere"),
        ('<script src="https://example.org/x.js"></script>', "loads https://example.org/x.js"),
        ('<link rel="stylesheet" href="//fonts.example.org/x.css">', "loads //fonts.example.org/x.css"),
    ],
)
def test_the_check_finds_dead_links_and_what_a_network_would_be_needed_for(part, fault, tmp_path):
    (tmp_path / "a.html").write_text(f"<html><body>{part}</body></html>")
    (tmp_path / "b.html").write_text('<h2 id="there">There</h2>')
    found = [*SITE["broken"](tmp_path)]
    assert any(fault in each for each in found) if fault else not found


def test_the_citation_is_of_this_version_and_urls_exist_or_are_not_given():
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert "urls" not in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["judge", "own-data", "timit-uadfv"])
def test_the_commands_of_a_tutorial_run(name, tmp_path, deepfake, people, timit, uadfv):
    for link, target in (("DeepfakeTIMIT", timit[0]), ("VidTIMIT", timit[1]), ("UADFV", uadfv)):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / link).symlink_to(target)
    (tmp_path / "FILES").mkdir()
    shutil.copy(FOLDER / CLIPS[0][0], tmp_path / "FILES" / "clip.mp4")
    for number, images in enumerate([*people.values(), *([each[:, ::-1] for each in one] for one in people.values())]):
        for label, sigma in (("real", 0.1), ("fake", 2)):
            blurred = [cv2.GaussianBlur(image, (9, 9), sigma) for image in images]
            write_video(tmp_path / "videos" / label / f"person{number}" / "1.mp4", blurred)
    text = (ROOT / "docs" / f"tutorial-{name}.md").read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"```bash\n(.*?)```", text, re.DOTALL)).replace("\\\n", "")
    lines = [shlex.split(line, comments=True) for line in blocks.splitlines() if line.startswith("deepfake ")]
    run = [words[1:] for words in lines if words[1] in QUICK and "--detector" not in words]
    assert len(run) >= 2
    for words in run:
        deepfake(*words)
