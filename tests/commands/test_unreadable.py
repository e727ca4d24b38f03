"""What cannot be read beside what can: each is listed with its reason, the rest is done, and the exit status says so."""

import json
import os
import shutil

import cv2
import pytest

from deepfake_cli.runs import recipe
from tests.conftest import tree, write_video

DENIED = "permission denied"
LINK = "a link to a folder that is read already"


@pytest.fixture
def half_open(tmp_path, people):
    """Videos in folders, of which one is closed, one can be listed but not entered, and one video cannot be read."""
    images = next(iter(people.values()))
    good = write_video(tmp_path / "raw" / "real" / "ann" / "1.mp4", images[:4])
    for name in ("real/bob/1", "real/cid/1", "real/eve/1", "fake/ann/1", "fake/bob/1"):
        path = tmp_path / "raw" / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(good, path)
    (tmp_path / "raw" / "real" / "bob").chmod(0)
    (tmp_path / "raw" / "real" / "eve").chmod(0o400)
    (tmp_path / "raw" / "real" / "cid" / "1.mp4").chmod(0)
    yield tmp_path / "raw"
    for name in ("bob", "eve"):
        (tmp_path / "raw" / "real" / name).chmod(0o700)


@pytest.mark.parametrize("workers", [1, 2])
def test_split(deepfake, half_open, workers):
    done = deepfake(
        "split", "folder", "--viddir", half_open, "--size", 64, "--workers", workers, "--json", rights=False, check=1
    )
    found = json.loads(done.stdout)
    assert found["closed"] == {str(half_open / "real" / "bob"): DENIED}
    failed = {item["video"]: item["reason"] for item in found["failed"]}
    assert set(failed) == {"real/cid/1", "real/eve/1"} and all(DENIED in reason for reason in failed.values())
    assert found["frames"] == 12  # of three videos that can be read
    assert done.stderr.rstrip().endswith("Error: Folders that could not be listed: 1. None of their videos was read.")


def test_split_of_another_data_set(json_of, tmp_path, timit):
    """Each adapter lists folders its own way."""
    fakes = shutil.copytree(timit[0], tmp_path / "fakes")
    (fakes / "higher_quality" / "fram1").chmod(0)
    found = json_of(
        "split",
        "timit",
        "--viddir",
        fakes,
        "--realdir",
        timit[1],
        "--max-frames",
        1,
        "--size",
        64,
        rights=False,
        check=1,
    )
    assert found["closed"] == {str(fakes / "higher_quality" / "fram1"): DENIED}
    assert (found["videos"], found["failed"]) == (15, [])


def test_predict(deepfake, half_open):
    done = deepfake("predict", half_open, "--json", rights=False, check=1)
    found = json.loads(done.stdout)
    verdicts = {os.path.relpath(each["path"], half_open): each for each in found["verdicts"]}
    assert set(verdicts) == {
        *("real/ann/1.mp4", "real/bob", "real/cid/1.mp4", "real/eve/1.mp4", "fake/ann/1.mp4", "fake/bob/1.mp4")
    }
    undecided = {name for name, each in verdicts.items() if each["score"] is None}
    assert undecided == {"real/bob", "real/cid/1.mp4", "real/eve/1.mp4"}
    assert all(DENIED in verdicts[name]["reason"] for name in undecided)
    assert found["unread"] == {str(half_open / "real" / "bob"): DENIED}


def test_links(json_of, deepfake, tmp_path, people):
    """Circles end, and are told; so are links to nowhere."""
    images = next(iter(people.values()))[:3]
    for name in ("real/a/1", "real/b/1", "fake/c/1"):
        write_video(tmp_path / "raw" / f"{name}.mp4", images)
    real = tmp_path / "raw" / "real"
    (real / "a" / "to_b").symlink_to(real / "b")
    (real / "b" / "to_a").symlink_to(real / "a")
    (real / "a" / "up").symlink_to(real)
    (real / "a" / "gone.mp4").symlink_to("nowhere.mp4")
    (real / "a" / "self").symlink_to("self")
    (real / "a" / "lost").symlink_to("nowhere")
    found = json_of("split", "folder", "--viddir", "raw", "--size", 64)
    failed = [each["video"] for each in found["failed"]]
    assert found["videos"] == 5 + len(failed)  # a/1, b/1, c/1; and through links a/to_b/1, b/to_a/1
    assert failed == ["real/a/gone", "real/b/to_a/gone"]
    reasons = found["ignored_reasons"]
    told = {"lost": "a broken link", "self": "a broken link", "up": LINK}
    assert reasons == {f"raw/real/{a}/{name}": why for a in ("a", "b/to_a") for name, why in told.items()}
    found = json_of("predict", "raw")
    assert {path.split("raw/")[1] for path in found["unread"]} == {"real/a/to_b", "real/a/up", "real/b/to_a"}
    verdicts = {each["path"]: each["reason"] for each in found["verdicts"]}
    assert len(verdicts) == 4 and "broken link" in verdicts["raw/real/a/gone.mp4"]


def test_forge(deepfake, half_open):
    done = deepfake("forge", half_open, "--count", 2, "--forgery", "self_blend", rights=False, check=1)
    assert f"{half_open / 'real' / 'bob'}: {DENIED}" in done.stderr and "2 rows\nWrote forge.png" in done.stdout
    assert "Folders that could not be listed: 1. The rows are without their images." in done.stderr


def test_an_unreadable_recipe_is_named(deepfake, tmp_path):
    """Not taken for a run without one."""
    run = tmp_path / "runs" / "a"
    run.mkdir(parents=True)
    (run / "best.keras").write_bytes(b"x")
    recipe.write(run, {"snapshots": {"best.keras": {"epoch": 1}}})
    (run / "recipe.json").chmod(0)
    assert f"broken: recipe.json: {DENIED}" in deepfake("runs", rights=False).stdout
    (tmp_path / "p.csv").write_text("path,dataset,group,video,label,score\na,d,g,v,real,0.5\n")
    for command in (("calibrate", "p.csv", "runs/a/best.keras"), ("train", "--resume", "a")):
        error = deepfake(*command, rights=False, check=1).stderr
        assert error.startswith(f"Error: runs/a/recipe.json: {DENIED}. Change the permissions"), error


def test_make_csv_reads_single_images_and_tells_the_rest(json_of, deepfake, tmp_path, people):
    """A tree without a manifest."""
    for name in ("real", "fake"):
        (tmp_path / "img" / name).mkdir(parents=True)
        for number, images in enumerate(people.values()):
            cv2.imwrite(str(tmp_path / "img" / name / f"person{number}.png"), images[0])
    write_video(tmp_path / "img" / "real" / "film.mp4", images[:2])
    (tmp_path / "img" / "real" / "drawing.svg").write_text("<svg/>")
    closed = tmp_path / "img" / "real" / "closed"
    closed.mkdir(mode=0)
    found = json_of("make-csv", "folder", "--ratio", 0.5, rights=False, check=1)
    assert sum(row["frames"] for row in found["counts"]) == 2 * len(people)
    assert found["unread"] == {
        "img/real/film.mp4": "a video, which deepfake split has to cut into frames first",
        "img/real/drawing.svg": "not a format that is read",
        "img/real/closed": DENIED,
    }


@pytest.mark.slow
@pytest.mark.parametrize("mine", ["train/train.csv", "val/validation.csv", "test/test.csv", "fold3/train/train.csv"])
def test_make_csv_replaces_its_own_lists_only(deepfake, frames_of_uadfv, tmp_path, mine):
    command = ("make-csv", "uadfv", "--imgdir", frames_of_uadfv, "--csvdir", tmp_path / "csv")
    (tmp_path / "csv" / mine).parent.mkdir(parents=True)
    (tmp_path / "csv" / mine).write_text("path,label\nmine.jpg,real\n")
    error = deepfake(*command, check=1).stderr
    assert f"{tmp_path / 'csv' / mine} is no list of make-csv, and would be replaced: move it, or choose" in error
    assert tree(tmp_path / "csv") == {mine: b"path,label\nmine.jpg,real\n"}
    (tmp_path / "csv" / mine).unlink()
    deepfake(*command)
    deepfake(*command, "--folds", 2)
    first = tree(tmp_path / "csv")
    assert "train/train.csv" not in first and ".make-csv" not in first
    with (tmp_path / "csv" / "fold1" / "train" / "train.csv").open("a") as file:
        file.write("mine.jpg,real\n")
    assert "has changed since protocol.json was written" in deepfake(*command, check=1).stderr


def test_make_csv_goes_on_after_it_was_killed(deepfake, frames_of_uadfv, tmp_path):
    """Between its lists and their record: the lists are its own still."""
    command = ("make-csv", "uadfv", "--imgdir", frames_of_uadfv, "--csvdir", tmp_path / "csv")
    deepfake(*command)
    whole = tree(tmp_path / "csv")
    (tmp_path / "csv" / "protocol.json").unlink()
    (tmp_path / "csv" / ".make-csv").write_text("train/train.csv\nval/validation.csv\n")
    deepfake(*command)
    assert tree(tmp_path / "csv") == whole
