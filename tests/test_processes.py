"""Commands as processes: forked ones do what fresh ones do, and each command runs in a fresh one."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deepfake_cli.assets import CLIPS, FOLDER, STARTER
from tests import processes
from tests.training.test_train import FAST, TINY

CLIP = FOLDER / CLIPS[0][0]


@pytest.mark.parametrize(
    "words",
    [("--help",), ("nonsense",), ("predict", "none.mp4"), ("config", "show", "train", "--lr", "x"), ("split", "uadfv")],
    ids=" ".join,
)
def test_a_forked_command_says_what_a_fresh_one_says(tmp_path, words):
    forked, fresh = (processes.run(*words, cwd=tmp_path, check=None, fresh=fresh) for fresh in (False, True))
    assert (forked.returncode, forked.stdout, forked.stderr) == (fresh.returncode, fresh.stdout, fresh.stderr)


def test_a_script_is_started_as_python_does(tmp_path):
    (folder := tmp_path / "scripts").mkdir()
    (script := folder / "mine.py").write_text("import sys; print(__name__, sys.argv, sys.path[0]); sys.exit(3)")
    forked, fresh = (processes.run(script, "a", 1, cwd=tmp_path, check=3, fresh=fresh) for fresh in (False, True))
    assert forked.stdout == fresh.stdout == f"__main__ {[str(script), 'a', '1']} {folder}\n"


@pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux only")
def test_a_forked_command_has_its_own_folder_environment_and_signals(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import os, sys, threading, time\nassert 'tensorflow' in sys.modules\n"
        "def make(least):\n    print(os.getpid(), os.environ['HERE'], len(os.listdir('/proc/self/fd')), file=sys.stderr)\n"
        "    sys.stderr.flush()\n    time.sleep(60)\n"
    )
    (tmp_path / "raw" / "real").mkdir(parents=True)
    (tmp_path / "raw" / "fake").mkdir()
    (tmp_path / "raw" / "real" / "a.mp4").write_bytes(CLIP.read_bytes())
    words = ("split", "folder", "--viddir", "raw", "--face-detector", "mine:make")
    for number, code in ((signal.SIGKILL, -9), (signal.SIGTERM, -15), (signal.SIGINT, 130)):
        process = processes.start(*words, cwd=tmp_path, HERE="there")
        assert isinstance(process, processes.Forked)
        pid, here, descriptors = process.stderr.readline().split()
        assert (int(pid), here) == (process.pid, "there") and int(descriptors) < 12, "none of the server's are left"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        assert process.poll() is None
        process.send_signal(number)
        process.communicate(timeout=60)
        assert process.returncode == code
        with pytest.raises(ProcessLookupError):
            os.kill(process.pid, 0)


@pytest.mark.slow
def test_what_libraries_read_while_they_load_makes_a_process_fresh(tmp_path):
    for environment in ({"CUDA_VISIBLE_DEVICES": ""}, {"PYTHONPATH": "x"}, {"TF_XLA_FLAGS": "x"}, {"KERAS_HOME": "x"}):
        process = processes.start("--version", cwd=tmp_path, **environment)
        assert isinstance(process, subprocess.Popen)
        process.communicate()
    process = processes.start("--version", cwd=tmp_path, TF_CONFIG="{}", COLUMNS="99", AWS_REGION="x")
    assert isinstance(process, processes.Forked) == (sys.platform == "linux")
    assert process.communicate()[0].startswith("deepfake ") and process.returncode == 0


# tests/test_notebook.py runs the first five in fresh processes; what the other two load is what these and predict load
ELSEWHERE = {"doctor", "split", "make-csv", "train", "evaluate", "matrix", "report"}


def unwritten(output: str, folder: Path) -> list[str]:
    """The files that a command says it wrote and that are not there."""
    found = []
    for line in re.findall(r"^Wrote (.+)$", output, re.M):
        place, colon, names = line.rpartition("/: ")
        found += [folder / place / name for name in (names if colon else line).split(", ")]
    return [str(path) for path in found if not path.exists()]


@pytest.mark.slow
def test_every_command_runs_in_a_process_of_its_own(tmp_path, uadfv):
    """One after the other, from videos to a verdict; `demo` and `app` do so in tests of their own.

    Each ends with the command to run next, and the files that it says it wrote are there.
    """
    (tmp_path / "tiny.py").write_text(TINY)
    found = "runs/r/evaluations/validation"
    for words in (
        ("split", "uadfv", "--viddir", uadfv, "--size", 96),
        ("make-csv", "uadfv", "--ratio", 0.67),
        ("audit", "--sample", 20, "--figures", "svg"),
        ("forge", FOLDER, "--count", 3, "--size", 96),
        ("train", *FAST, "--epochs", 1, "--steps", 2, "--run", "r"),
        ("evaluate", "--resamples", 9, "--robustness-changes", "blur"),
        ("calibrate",),
        ("matrix", "--snapshots", "r", "--test", "csv/val/validation.csv", "--figures", "svg"),
        ("compare", found, found, "--resamples", 9, "--output", "compared"),
        ("report",),
        ("export",),
        ("predict", CLIP, "--detector", STARTER, "--every", 25, "--report", "v.html", "--csv", "v.csv"),
        ("runs",),
        ("doctor",),
        ("datasets",),
        ("config", "show", "predict"),
    ):
        refused = words[0] == "calibrate"  # three people are too few
        done = processes.run(*words, cwd=tmp_path, fresh=words[0] not in ELSEWHERE, check=int(refused))
        assert refused or done.stdout.splitlines()[-1].startswith("Next: deepfake "), words
        assert not unwritten(done.stdout, tmp_path), words
