"""What the other side would ask: files that change or vanish, odd names, a changed clock, cases in folders and in cases."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from threading import Thread

import cv2
import pytest

from deepfake_cli import Detector
from deepfake_cli.assets import CLIPS, FOLDER
from deepfake_cli.case import signature, sums
from deepfake_cli.case.verify import verify
from deepfake_cli.commands.predict import predict
from deepfake_cli.config import Predict
from deepfake_cli.errors import CaseError
from deepfake_cli.inference.recording import CHANGED, CLOCK
from deepfake_cli.inference.sources import files
from deepfake_cli.media.video import FrameSource
from tests.case.test_case import record_of

CLIP = FOLDER / CLIPS[0][0]
ODD = ("a b\n.mp4", "-rf.mp4", "back\\slash.mp4", b"\xff.mp4".decode("utf-8", "surrogateescape"), "e\u0301.mp4")


@pytest.fixture(scope="module")
def exhibits(tmp_path_factory) -> Path:
    """A folder of files that change or vanish while they are examined, an empty one and ones with odd names."""
    root = tmp_path_factory.mktemp("exhibits")
    for name in ("changed.mp4", "vanished.mp4", "whole.mp4"):
        shutil.copy(CLIP, root / name)
    (root / "empty.mp4").touch()
    for name in ODD:
        (root / name).write_text("no video")
    return root


@pytest.fixture(scope="module")
def made(exhibits) -> Path:
    """The case of these files, in their folder."""

    def interfere(path: Path, done: int, total: int) -> None:
        if path.name == "changed.mp4":
            path.write_bytes(CLIP.read_bytes() + b"x")

    def vanish(path: Path, number: int, count: int) -> None:
        """Between the examination of a file and the look for its frames."""
        if path.name == "vanished.mp4":
            monkeypatch.setattr(Detector, "judge", judged_and_gone)

    def judged_and_gone(detector, path, **options):
        verdict = judge(detector, path, **options)
        path.unlink()
        monkeypatch.setattr(Detector, "judge", judge)
        return verdict

    judge = Detector.judge
    with pytest.MonkeyPatch.context() as monkeypatch:
        predict(Predict(paths=[exhibits, exhibits / ODD[3]], max_frames=3, case=exhibits / "case"), interfere, vanish)
    return exhibits / "case"


def entries(case: Path) -> dict[str, dict]:
    return {entry["path"].rpartition("/")[2]: entry for entry in record_of(case)["files"]}


@pytest.mark.slow
def test_of_a_file_that_changed_nothing_is_stated(made):
    entry = entries(made)["changed.mp4"]
    assert (entry["verdict"], entry["reason"]) == ("undecided", CHANGED)
    assert entry["error_rates"] is None and entry["likelihood_ratio"] is None and entry["shown"] == []


def test_a_file_that_vanished_keeps_its_verdict_without_frames(made):
    found = entries(made)
    assert found["vanished.mp4"]["score"] == found["whole.mp4"]["score"] and found["whole.mp4"]["shown"]
    assert found["vanished.mp4"]["shown"] == [] and found["vanished.mp4"]["verdict"] == found["whole.mp4"]["verdict"]
    (note,) = found["vanished.mp4"]["notes"]
    assert note.startswith("frames cannot be shown: no such file")
    assert note in (made / "report.html").read_text()


def test_a_file_that_changes_after_it_was_judged_is_noted(tmp_path, monkeypatch):
    from deepfake_cli.case import folder

    clip = Path(shutil.copy(CLIP, tmp_path))

    def changing(*parts):
        shown = write_frames(*parts)
        clip.write_bytes(CLIP.read_bytes() + b"x")
        return shown

    write_frames = folder.write_frames
    monkeypatch.setattr(folder, "write_frames", changing)
    predict(Predict(paths=[clip], max_frames=2, case=tmp_path / "case"))
    assert record_of(tmp_path / "case")["files"][0]["notes"] == [folder.CHANGED_SINCE]
    assert folder.CHANGED_SINCE in (tmp_path / "case" / "report.html").read_text()


def test_odd_names_and_empty_files_are_in_the_record(made):
    found = entries(made)
    assert len(found) == 4 + len(ODD) and verify(made).wrong == {}
    assert found["empty.mp4"]["verdict"] == "undecided" and found["empty.mp4"]["record"]["file"]["bytes"] == 0
    assert {"-rf.mp4", "back\\slash.mp4", "e\u0301.mp4"} <= set(found)
    assert all(entry["reason"] for name, entry in found.items() if name not in ("whole.mp4", "vanished.mp4"))
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--check", "--strict", "--quiet", sums.NAME], cwd=made, check=True)


def test_a_second_run_over_a_folder_does_not_judge_the_pictures_of_the_first(made, exhibits):
    unread: dict[Path, str] = {}
    found = list(files([exhibits], unread=unread))
    assert found and not [path for path in found if made in path.parents]
    assert "predict --case wrote" in unread[made]
    assert [path for path in files([made]) if path.suffix == ".png"], "named, it is judged"


def test_a_case_is_not_written_into_another(made):
    with pytest.raises(CaseError, match="is in the case"):
        predict(Predict(paths=[CLIP], case=made / "frames" / "case"))
    assert verify(made).wrong == {}


def test_a_renamed_file_is_missing_and_added(made, tmp_path):
    case = shutil.copytree(made, tmp_path / "case")
    (case / "report.pdf").rename(case / "Report.pdf")
    assert verify(case).wrong == {"Report.pdf": "added", "report.pdf": "missing"}


def test_a_clock_that_is_set_during_the_examination_is_noted(tmp_path, monkeypatch):
    path, true = tmp_path / "photo.png", time.time
    cv2.imwrite(str(path), next(image for _, image in FrameSource(CLIP).frames()))

    def set_back(done: int, total: int) -> None:
        monkeypatch.setattr("time.time", lambda: true() - 3600)

    detector = Detector.load()
    assert CLOCK not in detector.judge(path).notes
    assert CLOCK in detector.judge(path, progress=set_back).notes


def test_the_log_of_a_case_names_each_file(made):
    lines = [json.loads(line) for line in (made / "log.jsonl").read_text().split("\n")[:-1]]
    assert [line["path"] for line in lines if line["event"] == "judged"] == [
        entry["path"] for entry in record_of(made)["files"]
    ]


def test_a_key_of_ssh_keygen_signs_and_standard_programs_name_it(tmp_path):
    """As docs/forensics.md says."""
    if not (shutil.which("ssh-keygen") and shutil.which("openssl") and shutil.which("sha256sum")):
        pytest.skip("needs ssh-keygen, openssl and sha256sum")
    key, photo = tmp_path / "key", tmp_path / "photo.png"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    cv2.imwrite(str(photo), next(image for _, image in FrameSource(CLIP).frames()))
    predict(Predict(paths=[photo], case=tmp_path / "case", sign=key))
    found = verify(tmp_path / "case", tmp_path / "key.pub")
    line = "openssl pkey -pubin -in signer.pem -outform DER | tail -c 32 | sha256sum"
    told = subprocess.run(line, shell=True, cwd=tmp_path / "case", check=True, capture_output=True, text=True).stdout
    assert found.wrong == {} and told.split()[0] == found.signer
    assert line in (Path(__file__).parents[2] / "docs" / "forensics.md").read_text()
    checked = "openssl pkeyutl -verify -rawin -pubin -inkey signer.pem -in SHA256SUMS -sigfile SHA256SUMS.sig"
    subprocess.run(checked.split(), cwd=tmp_path / "case", check=True, capture_output=True)


def test_pipes_in_a_case_do_not_block_its_verification(made, tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("needs pipes")
    for name in (sums.NAME, sums.SIGNATURE, signature.SIGNER, "log.jsonl"):
        case = shutil.copytree(made, tmp_path / name)
        (case / name).unlink(missing_ok=True)
        os.mkfifo(case / name)
        found = Thread(target=check, args=(case, faults := []), daemon=True)
        found.start()
        found.join(30)
        assert faults and faults[0], name


def check(case: Path, faults: list[str]) -> None:
    """What the verification finds."""
    try:
        faults.append(str(verify(case).wrong or ""))
    except CaseError as error:
        faults.append(str(error))


def test_of_two_runs_that_write_one_case_the_first_wins(tmp_path):
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), next(image for _, image in FrameSource(CLIP).frames()))
    settings = Predict(paths=[photo], case=tmp_path / "case")
    with pytest.raises(CaseError, match="exists already"):
        predict(settings, begin=lambda *file: (file[1] == 1) and predict(settings) and None)
    assert verify(tmp_path / "case").wrong == {} and sorted(tmp_path.iterdir()) == [tmp_path / "case", photo]
