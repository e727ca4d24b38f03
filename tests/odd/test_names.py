"""Names that a terminal would obey, that look like markup, or that are not UTF-8, through every command."""

import json
import os
import re
import sys
from pathlib import Path

import cv2
import pandas as pd
import pytest

from deepfake_cli.assets import CLIPS, FOLDER, STARTER
from deepfake_cli.storage.escapes import visible
from deepfake_cli.storage.files import write_text
from tests import processes
from tests.conftest import write_video
from tests.metrics.test_calibration import predictions
from tests.training.test_train import TINY

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="names that Windows refuses")

LATIN = os.fsdecode(b"caf\xe9")  # as in ISO 8859-1
SIX = (
    "\x1b]0;title\x07",
    "[red]x[bold]",
    "My video [dQw4w9WgXcQ]",
    LATIN,
    "\x9b2Jclear",
    "\u202egpj \u00b2\u00b3",
)
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
TRAIN = ("--model", "tiny:build", "--image-size", 32, "--batch-size", 8, "--epochs", 1, "--steps", 2)


@pytest.fixture(scope="module")
def project(tmp_path_factory, people) -> Path:
    """A folder with a video of each name, real and fake, cut and listed, and a run."""
    folder = tmp_path_factory.mktemp("names")
    for name, images in zip(SIX, [*people.values(), *people.values()], strict=True):
        plain = write_video(folder / "plain.mp4", images)
        fake = write_video(folder / "fake.mp4", [cv2.GaussianBlur(image, (9, 9), 0) for image in images])
        for label, source in (("real", plain), ("fake", fake)):
            (folder / "raw" / label / name).mkdir(parents=True)
            source.rename(folder / "raw" / label / name / f"{name}.mp4")
    (folder / "tiny.py").write_text(TINY)
    printed(folder, "split", "folder", "--viddir", "raw", "--size", 64)
    printed(folder, "make-csv", "folder", "--ratio", 0.67)
    predictions(folder / "p[b].csv")
    printed(folder, "train", *TRAIN, "--no-onnx", "--run", "r[b]")
    return folder


def printed(folder: Path, *words, status: int = 0) -> str:
    """What a command prints, all of it free of hidden characters."""
    done = processes.run(*words, cwd=folder, check=status)
    text = done.stdout + done.stderr
    assert not RAW.search(text), repr(RAW.search(text))
    return text


def no_page_has_hidden_characters(folder):
    """They would turn the direction of a name, and HTML forbids most of them."""
    for page in folder.rglob("*.html"):
        found = RAW.search(page.read_text())
        assert not found, (page, found)


def test_visible_is_what_it_was_without_hidden_characters():
    assert visible("café 中 [x]\t\n") == "café 中 [x]\t\n"
    assert [visible(name) for name in SIX] == [
        r"\x1b]0;title\x07", "[red]x[bold]", "My video [dQw4w9WgXcQ]", r"caf\xe9", r"\x9b2Jclear", r"\u202egpj ²³",
    ]  # fmt: skip


def test_split_and_lists_keep_each_name(project):
    for path in ("img/manifest.csv", "csv/train/train.csv", "csv/val/validation.csv"):
        assert (project / path).is_file()
    table = pd.read_csv(project / "img" / "manifest.csv")
    kept = {f"{label}/{name}/{name}" for label in ("real", "fake") for name in SIX if name != LATIN}
    assert set(table["video"]) == kept
    assert all((project / "img" / path).is_file() for path in table["path"])
    told = json.loads(processes.run("split", "folder", "--viddir", "raw", "--size", 64, "--json", cwd=project).stdout)
    assert told["skipped"] == 10
    assert {each["video"]: "not valid UTF-8" in each["reason"] for each in told["failed"]} == {
        f"{label}/{LATIN}/{LATIN}": True for label in ("real", "fake")
    }


def test_predict_names_each_file(project):
    files = ("--csv", "v[x].csv", "--frames-csv", "f[x].csv", "--report", "m[/x].html", "--explain", "e[/x]")
    text = printed(project, "predict", *sorted((project / "raw").rglob("*.mp4")), "--max-frames", 2, *files)
    for name in SIX:
        assert visible(name)[:8] in text
    told = json.loads(
        printed(project, "predict", *(project / "raw" / "real").rglob("*.mp4"), "--max-frames", 2, "--json")
    )
    assert {Path(each["path"]).stem for each in told["verdicts"]} == set(SIX)
    table = pd.read_csv(project / "v[x].csv")
    assert {Path(path).stem for path in table["path"]} == {name if name != LATIN else r"caf\xe9" for name in SIX}
    assert len(list((project / "e[/x]").rglob("*.png"))) == len(list((project / "e[/x]").rglob("*.mp4"))) == 12
    assert (project / "m[/x].html").stat().st_size > 10_000
    assert "cannot be read" not in (project / "m[/x].html").read_text()
    no_page_has_hidden_characters(project)


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("split", "folder", "--viddir", "raw", "--imgdir", "x[/x]", "--size", 64, "--every", 4),
        ("split", "folder", "--viddir", "raw", "--imgdir", "packed", "--size", 64, "--every", 4, "--pack"),
        ("make-csv", "--check"),
        ("make-csv", "folder", "--ratio", 0.5, "--csvdir", "lists[/b]"),
        ("audit", "--output", "audit[/b]"),
        ("forge", "img", "--output", "forged[/b].png"),
        ("evaluate", "--output", "e1[/b]"),
        ("evaluate", "csv/val/validation.csv", STARTER, "--output", "e2"),
        ("calibrate", "p[b].csv", "runs/r[b]/best.keras", "--output", "c[/b]"),
        ("matrix", "--snapshots", "m[b]=r[b]", "--test", "a[b]=csv/val/validation.csv", "--output", "m[/b]"),
        ("runs",),
        ("export", "runs/r[b]/best.keras", "--output", "d[/b].onnx"),
        ("train", "--resume", "r[b]", "--epochs", 2),
        ("doctor",),
    ],
    ids=lambda words: words[0],
)
def test_no_command_prints_or_obeys_a_name(project, words):
    printed(project, *words, status=1 if words == ("make-csv", "--check") else 0)  # the clips are alike
    no_page_has_hidden_characters(project)


def test_an_error_line_shows_the_name(project):
    name = " ".join(SIX)
    for words in (
        ("split", name, "--viddir", name), ("make-csv", name), ("train", name), ("evaluate", name), ("predict", name),
        ("export", name), ("audit", name), ("compare", name, name), ("report", name), ("train", "--resume", name),
        ("forge", name), ("calibrate", name), ("predict", FOLDER / CLIPS[0][0], "--detector", name),
        ("config", "show", "train", "--config", name),
    ):  # fmt: skip
        done = processes.run(*words, cwd=project, check=None)
        assert done.returncode, words
        assert not RAW.search(done.stdout + done.stderr), words
        assert r"\x1b" in done.stderr or r"'\x1b" in done.stderr, words


def test_what_is_not_unicode_is_written_as_an_escape(tmp_path):
    write_text(tmp_path / "x", f"{LATIN} \ud800")
    assert (tmp_path / "x").read_bytes() == rb"caf\xe9 \ud800"


def test_nothing_is_printed_but_through_the_console():
    """Else a name could reach the terminal as it is."""
    folder = Path(processes.__file__).parents[1] / "src" / "deepfake_cli"
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text().replace("def print(", "")
        assert not re.search(r"(?<![.\w])print\(|markup=True", text), path
        if path.name != "console.py":
            assert not re.search(r"from rich\.(console|table) |import rich", text), path


def test_a_folder_may_be_called_like_a_tar(tmp_path, people, json_of):
    (tmp_path / "x.tar" / "y.tar").mkdir(parents=True)
    plain = json_of("predict", write_image(tmp_path / "plain.png", people))["verdicts"][0]
    for name in ("x.tar/photo.png", "x.tar/y.tar/photo.png"):
        (told,) = json_of("predict", write_image(tmp_path / name, people))["verdicts"]
        assert (told["score"], told["verdict"]) == (plain["score"], plain["verdict"])
    names = ("plain.png", "x.tar/photo.png", "x.tar/y.tar/photo.png")
    rows = [f"{tmp_path}/{name},{label}\n" for name, label in zip(names, ("real", "fake", "fake"), strict=True)]
    (tmp_path / "list.csv").write_text("path,label\n" + "".join(rows))
    processes.run("evaluate", "list.csv", STARTER, "--no-report", cwd=tmp_path)
    assert pd.read_csv(tmp_path / "evaluation" / "predictions.csv")["score"].nunique() == 1


def test_videos_called_like_a_tar_are_skipped_once_finished(tmp_path, people, json_of):
    for label in ("real", "fake"):
        write_video(tmp_path / "raw" / label / "clip.tar.mp4", next(iter(people.values())))
    for skipped in (0, 2):
        assert json_of("split", "folder", "--viddir", "raw")["skipped"] == skipped
    assert (tmp_path / "img" / "real" / "clip.tar" / "00000.jpg").is_file()


def test_superscripts_are_no_numbers(tmp_path, people, deepfake):
    for label in ("real", "fake"):
        for person in ("a", "b"):
            for name in ("²³", "١", "7" * 30):
                write_image(tmp_path / "img" / label / person / f"{name}.png", people)
    deepfake("make-csv", "folder", "--imgdir", "img", "--ratio", 0.5)
    table = pd.read_csv(tmp_path / "csv" / "train" / "train.csv")
    assert sorted(table["frame"].unique()) == [0, 1, 2]


def write_image(path: Path, people) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", next(iter(people.values()))[0])[1].tobytes())
    return path
