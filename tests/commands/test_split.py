import os
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pandas as pd
import psutil
import pytest

from ..conftest import FULL_DISK, sample_frames, tree, truncate, write_video


def test_every_video_is_read_and_listed(json_of, uadfv, tmp_path):
    found = json_of("split", "uadfv", "--viddir", uadfv)
    assert (found["videos"], found["frames"], found["failed"]) == (12, 96, [])
    table = pd.read_csv(tmp_path / "img" / "manifest.csv")
    assert len(table) == 96
    assert set(table["label"]) == {"real", "fake"}
    assert all((tmp_path / "img" / path).is_file() for path in table["path"].dropna())
    assert cv2.imread(str(tmp_path / "img" / table["path"].dropna().iloc[0])).shape == (256, 256, 3)
    assert set(table["group"].astype(str)) == {"0", "1", "2", "3", "4", "5"} or set(table["group"]) == set(range(6))


def test_timit_pairs_and_reals_are_one_group(json_of, timit, tmp_path):
    fakes, reals = timit
    json_of("split", "timit", "--viddir", fakes, "--realdir", reals, "--crop", "none")
    table = pd.read_csv(tmp_path / "img" / "manifest.csv")
    assert set(table["group"]) == {"fadg0-fram1", "mccs0-mmdm2"}
    assert table.groupby("label")["video"].nunique().to_dict() == {"fake": 8, "real": 8}
    assert set(table.loc[table["label"] == "real", "frame"]) == set(range(1, 9))  # VidTIMIT counts from 001
    again = json_of("split", "timit", "--viddir", fakes, "--realdir", reals, "--crop", "none")
    assert again["skipped"] == again["videos"] == 16


@pytest.mark.parametrize("crop", ["face", "none"])
def test_any_number_of_workers_writes_the_same_bytes(json_of, uadfv, tmp_path, crop):
    for workers in (1, 2):
        json_of("split", "uadfv", "--viddir", uadfv, "--crop", crop, "--workers", workers, "--imgdir", str(workers))
    assert tree(tmp_path / "1") == tree(tmp_path / "2")


@pytest.mark.slow
def test_finished_videos_are_skipped_until_settings_or_source_change(json_of, uadfv, tmp_path):
    root = tmp_path / "raw"
    for path in uadfv.rglob("*.mp4"):
        target = root / path.relative_to(uadfv)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    assert json_of("split", "uadfv", "--viddir", root)["skipped"] == 0
    assert json_of("split", "uadfv", "--viddir", root)["skipped"] == 12
    assert json_of("split", "uadfv", "--viddir", root, "--margin", "1.5")["skipped"] == 0
    (root / "real" / "0000.mp4").write_bytes((root / "real" / "0001.mp4").read_bytes())
    assert json_of("split", "uadfv", "--viddir", root, "--margin", "1.5")["skipped"] == 11
    assert json_of("split", "uadfv", "--viddir", root, "--margin", "1.5", "--overwrite")["skipped"] == 0


@pytest.mark.slow
def test_killed_and_repeated_split_equals_uninterrupted(json_of, tmp_path, people):
    raw = tmp_path / "raw"
    for number in range(8):
        write_video(raw / "real" / f"{number}.mp4", people["man_a"] * 8)
    json_of("split", "folder", "--viddir", raw, "--imgdir", "whole")
    command = [sys.executable, "-m", "deepfake_cli", "split", "folder", "--viddir", "raw", "--imgdir", "killed"]
    for wait in (0.9, 1.3, 1.8):
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
        process.wait()
        _, alive = psutil.wait_procs(children, timeout=10)
        assert not alive, "workers end with their parent"
        for folder in (tmp_path / "killed").glob("real/[0-9]*"):
            assert tree(folder) == tree(tmp_path / "whole" / "real" / folder.name), "whole under its final name"
    json_of("split", "folder", "--viddir", raw, "--imgdir", "killed")
    assert tree(tmp_path / "killed") == tree(tmp_path / "whole")


def test_bad_videos_do_not_stop_others(deepfake, json_of, uadfv, tmp_path, people):
    raw = tmp_path / "raw"
    good = write_video(raw / "real" / "good.mp4", people["man_a"])
    truncate(good, raw / "real" / "cut.mp4", 0.6)
    (raw / "real" / "empty.mp4").touch()
    (raw / "fake").mkdir()
    (raw / "fake" / "text.mp4").write_text("not a video")
    (raw / "fake" / "sound.mp4").write_bytes(b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 100)
    write_video(raw / "fake" / "faceless.mp4", [image * 0 + 90 for image in people["man_a"]])
    folder = raw / "fake" / "frames"
    folder.mkdir()
    cv2.imwrite(str(folder / "0.jpg"), people["man_a"][0])
    (folder / "1.jpg").write_bytes(b"\xff\xd8\xff garbage")
    found = json_of("split", "folder", "--viddir", raw)
    assert {item["video"] for item in found["failed"]} == {"real/cut", "real/empty", "fake/text", "fake/sound"}
    assert {item["video"] for item in found["notes"]} == {"fake/faceless", "fake/frames"}
    table = pd.read_csv(tmp_path / "img" / "manifest.csv")
    assert table["reason"].value_counts().to_dict() == {"no face": 8, "unreadable": 1}
    assert table["path"].notna().sum() == 9
    deepfake("split", "folder", "--viddir", raw, "--strict", check=1)
    (raw / "real" / "good.mp4").unlink()
    for path in (raw / "fake" / "faceless.mp4", *folder.iterdir()):
        path.unlink()
    failed = deepfake("split", "folder", "--viddir", raw, "--imgdir", "none", check=1)
    assert "None of the 4 videos" in failed.stderr


def test_full_disk_leaves_no_partial_output(json_of, deepfake, uadfv, tmp_path):
    """A file size limit fails writes like a full disk."""
    command = f"exec {sys.executable} -m deepfake_cli split uadfv --viddir {uadfv} --crop none --json"
    done = subprocess.run(["bash", "-c", f"{FULL_DISK} 8; {command}"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*.jpg"))


def test_layout_errors_give_hints(deepfake, uadfv, tmp_path):
    (tmp_path / "wrong" / "videos").mkdir(parents=True)
    assert "expected UADFV" in deepfake("split", "uadfv", "--viddir", "wrong", check=1).stderr
    assert "use its parent" in deepfake("split", "uadfv", "--viddir", uadfv / "real", check=1).stderr.replace("\n", " ")
    assert "no such folder" in deepfake("split", "timit", "--viddir", "nowhere", check=1).stderr
    assert "Did you mean uadfv" in deepfake("split", "uadvf", "--viddir", uadfv, check=1).stderr


def test_uadfv_nested_and_as_frames(json_of, uadfv, tmp_path, people):
    nested = tmp_path / "zip" / "fake_videos" / "fake_videos"
    nested.parent.mkdir(parents=True)
    nested.symlink_to(uadfv)
    assert json_of("split", "uadfv", "--viddir", "zip", "--imgdir", "a")["videos"] == 12
    for name in ("real/frames/0000", "fake/frames/0000_fake"):
        folder = tmp_path / "frames" / name
        folder.mkdir(parents=True)
        for index in (0, 7, 23):
            cv2.imwrite(str(folder / f"{index:03d}.png"), people["man_a"][0])
    json_of("split", "uadfv", "--viddir", "frames", "--imgdir", "b")
    table = pd.read_csv(tmp_path / "b" / "manifest.csv")
    assert sorted(set(table["frame"])) == [0, 7, 23]
    json_of("split", "uadfv", "--viddir", "frames", "--imgdir", "c", "--max-frames", 2)
    assert sorted(set(pd.read_csv(tmp_path / "c" / "manifest.csv")["frame"])) == [0, 23]


def test_every_and_max_frames(json_of, tmp_path, people):
    write_video(tmp_path / "raw" / "real" / "a.mp4", people["man_a"] * 5)
    (tmp_path / "raw" / "fake").mkdir()
    for options, indices in {
        ("--every", "10"): [0, 10, 20, 30],
        ("--max-frames", "3"): [0, 20, 39],
        ("--every", "2", "--max-frames", "2"): [0, 38],
    }.items():
        json_of("split", "folder", "--viddir", "raw", "--crop", "none", *options, "--overwrite")
        assert pd.read_csv(tmp_path / "img" / "manifest.csv")["frame"].tolist() == indices


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "wait4"), reason="needs wait4")
def test_split_memory_is_independent_of_length(tmp_path, people):
    """With 40 times the frames, the peak memory of a worker grows by less than 30 MB."""
    peaks = []
    for times in (2, 80):
        raw = tmp_path / f"raw{times}"
        write_video(raw / "real" / "a.mp4", people["woman_b"] * times)
        (raw / "fake").mkdir()
        command = [
            sys.executable,
            "-m",
            "deepfake_cli",
            "split",
            "folder",
            "--viddir",
            raw,
            "--imgdir",
            tmp_path / f"i{times}",
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        peaks.append(os.wait4(process.pid, 0)[2].ru_maxrss / 1024)
    assert peaks[1] - peaks[0] < 30


def test_the_larger_of_two_faces_is_kept(json_of, tmp_path):
    """A small copy of the face next to the large one does not replace it."""
    images = []
    for image in sample_frames("man_c.mp4", 10):
        small = cv2.resize(image, None, fx=0.4, fy=0.4)
        wide = cv2.copyMakeBorder(image, 0, 0, 0, small.shape[1], cv2.BORDER_CONSTANT)
        wide[: small.shape[0], -small.shape[1] :] = small
        images.append(wide)
    write_video(tmp_path / "raw" / "real" / "two.mp4", images)
    (tmp_path / "raw" / "fake").mkdir()
    json_of("split", "folder", "--viddir", "raw")
    boxes = pd.read_csv(tmp_path / "img" / "manifest.csv")["box"].str.split(expand=True).astype(float)
    assert len(boxes) == 10
    assert (boxes[2] < 640).all()


@pytest.mark.slow
def test_a_crashed_worker_loses_one_video(json_of, tmp_path, people):
    """A user's own face detector that crashes its process on one video."""
    (tmp_path / "deadly.py").write_text(
        "import os\nfrom deepfake_cli.faces import rfb320\n"
        "def make(least):\n    detect = rfb320(least)\n"
        "    return lambda image: os._exit(9) if image.shape[1] == 400 else detect(image)\n"
    )
    for person, images in people.items():  # only man_a's frames are 400 pixels wide
        for copy in range(3 if person != "man_a" else 1):
            write_video(tmp_path / "raw" / "real" / f"{person}{copy}.mp4", images)
    (tmp_path / "raw" / "fake").mkdir()
    found = json_of("split", "folder", "--viddir", "raw", "--face-detector", "deadly:make", "--workers", 2)
    assert [item["video"] for item in found["failed"]] == ["real/man_a0"]
    assert found["written"] == 6 * 8


def grey(path, *levels: int):
    """A grey image, or a lossless video of several."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [np.full((64, 64, 3), level, np.uint8) for level in levels]
    if path.suffix in (".mp4", ".avi", ".mkv"):
        return write_video(path, images)
    assert cv2.imwrite(str(path), images[0])
    return path


def test_unequal_sources_never_share_an_output(json_of, tmp_path):
    """Same numbers, same names but for the suffix or the case, and names inside others: every image comes through."""
    levels = {
        "real/a/0001.png": 10, "real/a/0001.bmp": 20, "real/a/1.png": 30, "real/a/01.tif": 40, "real/a/10.png": 50,
        "real/twin.mp4": 60, "real/twin.avi": 70, "real/twin/0.png": 80, "real/twin.png": 90,
        "real/anna.mp4": 100, "real/anna/1.mp4": 110, "real/p.png": 120, "real/p.bmp": 130, "real/Q.png": 140,
        "real/q.bmp": 150, "fake/p.png": 160, "fake/anna/1.mkv": 170,
    }  # fmt: skip
    for name, level in levels.items():
        grey(tmp_path / "raw" / name, level)
    found = json_of("split", "folder", "--viddir", "raw", "--crop", "none", "--format", "png", "--workers", "1")
    rows = pd.read_csv(tmp_path / "img" / "manifest.csv")
    files = [path for path in (tmp_path / "img").rglob("*.png") if path.is_file()]
    assert found["written"] == found["frames"] == len(rows) == rows["path"].nunique() == len(files) == len(levels)
    got = [float(cv2.imread(str(tmp_path / "img" / path)).mean()) for path in rows["path"]]
    assert sorted(got) == pytest.approx(sorted(levels.values()), abs=4), "each source once"
    assert not rows.duplicated(["video", "frame"]).any()
    assert [note["note"] for note in found["notes"] if note["video"] == "real/a"] == [
        "two images have the same number, so all are numbered from 0; no face in any frame"
    ]
    groups = rows.set_index("video")["group"]
    assert groups["real/p.png"] == groups["real/p.bmp"] == groups["fake/p"], "twins and their fake are one group"
    lists = json_of("make-csv", "folder", "--by", "video", "--ratio", "0.5")
    (tmp_path / "img" / "manifest.csv").unlink()
    again = json_of("make-csv", "folder", "--by", "video", "--ratio", "0.5")
    assert again["counts"] == lists["counts"], "the tree alone gives the same lists"


def test_split_replaces_nothing_of_others(deepfake, json_of, tmp_path):
    """Neither frames of another video, in whichever order, nor files of the user."""
    grey(tmp_path / "one" / "real" / "anna.mp4", 50)
    grey(tmp_path / "two" / "real" / "anna" / "1.mp4", 90)
    for side in ("one", "two"):
        grey(tmp_path / side / "fake" / f"{side}.mp4", 10)
    for first, then, said in (
        ("one", "two", "would be inside the frames in"),
        ("two", "one", "frames of another video"),
    ):
        options = ("--crop", "none", "--workers", "1", "--imgdir", first + then)
        json_of("split", "folder", "--viddir", first, *options)
        before = tree(tmp_path / (first + then))
        found = json_of("split", "folder", "--viddir", then, *options, "--overwrite")
        assert len(found["failed"]) == 1 and said in found["failed"][0]["reason"]
        after = tree(tmp_path / (first + then))
        assert {name: after[name] for name in before if name != "manifest.csv"}.items() <= before.items()
    frames = grey(tmp_path / "one" / "real" / "own" / "0.png", 30)
    found = json_of("split", "folder", "--viddir", "one", "--imgdir", "one", "--crop", "none", "--workers", "1")
    assert [item["video"] for item in found["failed"]] == ["real/own"]
    assert "files that split has not written" in found["failed"][0]["reason"]
    assert cv2.imread(str(frames)).mean() == 30, "the source is still there"
    (tmp_path / "mine").mkdir()
    for text in ("my,own,table\n1,2,3\n", "caf\xe9,path\n1,2\n"):
        (tmp_path / "mine" / "manifest.csv").write_text(text, encoding="latin-1")
        said = deepfake("split", "folder", "--viddir", "one", "--imgdir", "mine", check=1).stderr
        assert "mine/manifest.csv" in said and "choose another --imgdir" in said
        assert (tmp_path / "mine" / "manifest.csv").read_text(encoding="latin-1") == text


def test_a_later_twin_does_not_list_a_video_twice(deepfake, json_of, tmp_path):
    for name, level in (("real/1.mp4", 20), ("fake/1.mp4", 30)):
        grey(tmp_path / "raw" / name, level)
    json_of("split", "folder", "--viddir", "raw", "--crop", "none", "--workers", "1")
    grey(tmp_path / "raw" / "real" / "1.avi", 40)
    said = deepfake("split", "folder", "--viddir", "raw", "--crop", "none", check=1).stderr
    assert "img/manifest.csv: lists real/1, a name that real/1.avi and another file would share now" in said
    assert json_of("split", "folder", "--viddir", "raw", "--crop", "none", "--imgdir", "new")["videos"] == 3
