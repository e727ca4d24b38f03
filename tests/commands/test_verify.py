"""``deepfake datasets verify`` on data sets that are complete, and on ones with each fault."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from deepfake_cli.commands.verify import Part, VerifyResult, count_parts, verify
from deepfake_cli.config import Verify
from deepfake_cli.datasets import ADAPTERS
from deepfake_cli.errors import DatasetError
from tests.conftest import tree, truncate, write_video

NAMES = [f"{label}/{number:04d}{end}.mp4" for label, end in (("real", ""), ("fake", "_fake")) for number in range(49)]


@pytest.fixture(scope="module")
def complete(tmp_path_factory, people) -> Path:
    """UADFV with all 98 videos, of one content."""
    root = tmp_path_factory.mktemp("complete")
    first = write_video(root / NAMES[0], next(iter(people.values()))[:3])
    for name in NAMES[1:]:
        (root / name).parent.mkdir(exist_ok=True)
        os.link(first, root / name)
    return root


def settings(folder: Path, tmp_path: Path, **options) -> Verify:
    return Verify(adapter="uadfv", folder=folder, workers=1, record=tmp_path / "verify.csv", **options)


def test_a_complete_set(deepfake, json_of, complete, tmp_path):
    before = tree(complete)
    found = json_of("datasets", "verify", "uadfv", complete, "--workers", 1)
    assert (found["ok"], found["videos"], found["checked"], found["record"]) == (True, 98, 98, "verify.csv")
    assert found["missing"] == [] and found["corrupt"] == found["unexpected"] == found["closed"] == {}
    assert found["parts"] == [
        {"name": name, "found": 49, "published": 49, "status": "complete"} for name in ("fake", "real")
    ]
    assert len(pd.read_csv(tmp_path / "verify.csv")) == 98
    text = deepfake("datasets", "verify", "uadfv", complete, "--workers", 1).stdout
    assert "98 videos, nothing missing, corrupt or unexpected (first and last frames were decoded; all: --full)" in text
    assert "Videos checked: 0; unchanged: 98. Wrote verify.csv" in text
    assert tree(complete) == before


def test_each_fault_is_told(deepfake, complete, tmp_path):
    copy = shutil.copytree(complete, tmp_path / "copy")
    (copy / NAMES[0]).unlink()
    (copy / NAMES[1]).unlink()
    (copy / NAMES[1]).symlink_to("nothing.mp4")
    truncate(complete / NAMES[2], copy / NAMES[2], 0.6)
    for stray in ("extra.mp4", "real/extra.bin", "real/real.zip", "landmarks/1.dat", "real/__MACOSX/._1.mp4"):
        (copy / stray).parent.mkdir(exist_ok=True)
        (copy / stray).write_bytes(b"?")
    (copy / "fake" / "empty").mkdir()
    done = deepfake("datasets", "verify", "uadfv", copy, "--workers", 1, "--json", check=1)
    found = json.loads(done.stdout)
    assert found["ok"] is False
    assert found["missing"] == ["real/0000", "real/0001"]
    assert list(found["corrupt"]) == ["real/0002"]
    unexpected = {Path(path).relative_to(copy).as_posix(): reason for path, reason in found["unexpected"].items()}
    assert set(unexpected) == {"extra.mp4", "real/extra.bin", "real/real.zip", "fake/empty"}
    assert unexpected["real/real.zip"].startswith("an archive")
    assert unexpected["fake/empty"] == "an empty folder"
    assert found["parts"][1] == {"name": "real", "found": 47, "published": 49, "status": "2 missing"}
    done = deepfake("datasets", "verify", "uadfv", copy, "--workers", 1, check=1)
    for text in (
        "Missing: 2\n",
        "  real/0000\n",
        "Corrupt: 1\n",
        "  real/0002: ",
        "Unexpected: 4\n",
        "  real: 2 missing",
    ):
        assert text in done.stderr
    assert "Videos checked: 1; unchanged: 95." in done.stdout, "what is corrupt is always checked again"


def test_a_check_continues_and_full_checks_again(complete, tmp_path):
    def stop(check, done, total):
        if done == 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(settings(complete, tmp_path), stop)
    assert len(pd.read_csv(tmp_path / "verify.csv")) == 40
    assert verify(settings(complete, tmp_path)).checked == 58
    assert verify(settings(complete, tmp_path, full=True)).checked == 98, "more than before"
    assert verify(settings(complete, tmp_path)).checked == 0, "less than before"
    assert verify(settings(complete, tmp_path, overwrite=True)).checked == 98
    copy = shutil.copytree(complete, tmp_path / "copy")
    assert verify(settings(copy, tmp_path)).checked == 98, "other files"
    assert len(pd.read_csv(tmp_path / "verify.csv")) == 196, "of both"
    os.utime(copy / NAMES[5])
    assert verify(settings(copy, tmp_path)).checked == 1


def test_absent_parts(tmp_path, people):
    for top in ("real_train", "fake_test"):
        write_video(tmp_path / "set" / top / "1.mp4", next(iter(people.values()))[:3])
    wild = settings(tmp_path / "set", tmp_path).model_copy(update={"adapter": "wilddeepfake"})
    found = verify(wild)
    assert [part.name for part in found.absent] == ["fake_train", "real_test"]
    assert not found.ok, "other numbers of videos than published"
    result = VerifyResult([Part("a", 5, 5), Part("b", 0, 5)], [], {}, {})
    assert result.ok and not replace(result, complete=True).ok


def test_parts_are_those_of_the_closest_release():
    counts = ADAPTERS["celebdf"].counts
    videos = [f"{top}/{number}" for top, count in counts["v1"].items() for number in range(count)]
    assert count_parts(videos, counts) == (
        "v1",
        [Part(top, count, count) for top, count in sorted(counts["v1"].items())],
    )
    release, parts = count_parts(videos[1:], counts)
    assert release == "v1" and parts[0].wrong
    release, parts = count_parts([f"Celeb-real/{number}" for number in range(590)], counts)
    expected = [Part("Celeb-real", 590, 590), Part("Celeb-synthesis", 0, 5639), Part("YouTube-real", 0, 300)]
    assert (release, parts) == ("v2", expected)
    _, parts = count_parts(["manipulated_sequences/DeepFakeDetection/c23/videos/x"], ADAPTERS["ffpp"].counts)
    assert Part("manipulated_sequences/DeepFakeDetection/c23", 1, 3068) in parts, "the first pattern that fits"
    assert count_parts(["a/b", "a/c"], {}) == ("", [Part("a", 2, None)])


def test_wrong_calls(deepfake, complete, tmp_path):
    (tmp_path / "verify.csv").write_text("path,label\n1.png,1\n")
    with pytest.raises(DatasetError, match=r"verify.csv: not a record of deepfake datasets verify. Move it, or choose"):
        verify(settings(complete, tmp_path))
    assert (tmp_path / "verify.csv").read_text() == "path,label\n1.png,1\n"
    with pytest.raises(DatasetError, match="no such folder"):
        verify(
            settings(tmp_path / "none", tmp_path, overwrite=True).model_copy(update={"record": tmp_path / "new.csv"})
        )
    assert not (tmp_path / "new.csv").exists()
    error = deepfake("datasets", "verify", "uadfv", check=1).stderr
    assert "FOLDER is missing: deepfake datasets verify ADAPTER FOLDER" in error
