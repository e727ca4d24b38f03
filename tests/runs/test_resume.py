"""Killed, stopped and failed runs: what was saved is kept, and resuming gives the same result."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests import processes
from tests.conftest import FULL_DISK, tree
from tests.training.test_train import FAST, TINY, weights_of

STEPS = 40
RECIPE = ("--forgery", "self_blend", "--ema", 0.9, "--warmup", 0.5, "--weight-decay", 0.01, "--label-smoothing", 0.1)
SETTINGS = (*FAST, "--steps", STEPS, "--epochs", 3, "--reduce-lr-patience", 1, *RECIPE)


@pytest.fixture(scope="module")
def project(tmp_path_factory, frames_of_uadfv) -> Path:
    """A folder with lists, a model, and an uninterrupted run."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "tiny.py").write_text(TINY)
    for words in (
        ("make-csv", "uadfv", "--imgdir", frames_of_uadfv, "--ratio", 0.67),
        ("train", *SETTINGS, "--run", "whole"),
    ):
        process = start(folder, *words)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    return folder


def start(folder: Path, *words, prefix: str = "") -> subprocess.Popen:
    """Start the real command; with `prefix`, in a shell, after it, which may set limits."""
    if not prefix:
        return processes.start(*words, cwd=folder)
    command = ["bash", "-c", f'{prefix} exec "$@"', "bash", sys.executable, "-m", "deepfake_cli", *map(str, words)]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def listed(folder: Path, name: str) -> dict:
    process = start(folder, "runs", "--json")
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return next(row for row in json.loads(out) if row["name"] == name)


def read_until(process: subprocess.Popen, word: str) -> None:
    while word not in (line := process.stdout.readline()):
        assert line, process.communicate()


def wait_for(path: Path, process: subprocess.Popen) -> None:
    while not path.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.001)


def recipe_of(run: Path) -> dict:
    return json.loads((run / "recipe.json").read_text())


@pytest.mark.slow
def test_resume_equals_uninterrupted(project):
    cut = project / "runs" / "cut"
    process = start(project, "train", *SETTINGS, "--run", "cut", "--save-steps", STEPS)
    wait_for(cut / "state.keras", process)
    process.kill()  # after the last step of the first epoch, before its validation
    process.communicate()
    row = listed(project, "cut")
    assert (row["state"], row["epochs"], row["step"]) == ("interrupted", 0, STEPS)
    process = start(project, "train", "--resume", "cut", "--save-steps", 7)
    read_until(process, "validation")
    time.sleep(delay := random.uniform(0, 2))
    process.kill()
    process.communicate()
    assert listed(project, "cut")["state"] in ("interrupted", "finished"), f"killed after {delay} s"
    process = start(project, "train", "--resume", "last")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    one, other = recipe_of(project / "runs" / "whole"), recipe_of(cut)
    assert one["history"] == other["history"]
    assert one["snapshots"]["best.keras"] == other["snapshots"]["best.keras"]
    for name in ("results.csv", "results.png"):
        assert (project / "runs" / "whole" / name).read_bytes() == (cut / name).read_bytes(), name
    for name in one["snapshots"]:
        pairs = zip(weights_of(project / "runs" / "whole" / name), weights_of(cut / name), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs), name
    assert not list(cut.glob("*partial*")) and not (cut / "state.keras").exists()
    log = (cut / "train.log").read_text()
    assert all(log.count(f"\nepoch {epoch}/3") in (1, 2) for epoch in (2, 3))  # two, if the kill came after the line
    assert log.count("Resuming runs/cut from") == 2


HELD = """
import signal, sys
from deepfake_cli.training.interrupt import hold_first_signal

number, raised = int(sys.argv[1]), False
with hold_first_signal() as received:
    assert not received()
    signal.raise_signal(number)
    assert received()
    try:
        signal.raise_signal(number)
    except KeyboardInterrupt:
        raised = True
assert raised and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_is_held_and_second_raises(number):
    """In a process of its own: a worker of the tests may run them in another thread than the main one."""
    subprocess.run([sys.executable, "-c", HELD, str(int(number))], check=True, timeout=60)


@pytest.mark.slow
def test_ctrl_c_saves_the_current_step_and_a_running_run_is_locked(project):
    name = "stopped"
    process = start(project, "train", *SETTINGS, "--steps", 100_000, "--run", name, "--save-steps", 1)
    wait_for(project / "runs" / name / "state.keras", process)
    assert listed(project, name)["state"] == "running"
    second = start(project, "train", "--resume", name)
    assert f"process {process.pid} " in second.communicate(timeout=60)[1] and second.returncode == 1
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors and "kept" in errors and f"--resume {name}" in errors
    row = listed(project, name)
    assert (row["state"], row["epochs"]) == ("interrupted", 0) and 0 < row["step"] < 100_000
    assert weights_of(project / "runs" / name / "state.keras")
    assert not list((project / "runs" / name).glob(".*"))


@pytest.mark.slow
def test_full_disk_keeps_the_last_state_and_says_how_to_resume(project):
    run = project / "runs" / "full"
    shutil.copytree(project / "runs" / "whole", run)
    before = {path.name: path.read_bytes() for path in run.glob("*.keras")}
    history = recipe_of(run)["history"]
    process = start(project, "train", "--resume", "full", "--epochs", 5, prefix=f"{FULL_DISK} 20;")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1 and "Traceback" not in errors
    assert "csv_04.keras: the file is larger than" in errors
    assert "Saved: the state at the end of epoch 3" in errors and "deepfake train --resume full" in errors
    assert {path.name: path.read_bytes() for path in run.rglob("*.keras")} == before
    assert recipe_of(run)["history"] == history and recipe_of(run)["settings"]["epochs"] == 5
    assert listed(project, "full")["state"] == "interrupted"
    assert "the file is larger than" in (run / "train.log").read_text()


@pytest.mark.slow
def test_images_deleted_during_training_are_named_and_snapshots_kept(project, frames_of_uadfv, tmp_path):
    table = pd.read_csv(project / "csv" / "train" / "train.csv", dtype=str)
    shutil.copytree(frames_of_uadfv, tmp_path / "img")
    old, lists = frames_of_uadfv.resolve(), project / "csv" / "train"
    table["path"] = [str(tmp_path / "img" / (lists / path).resolve().relative_to(old)) for path in table["path"]]
    table.to_csv(project / "csv" / "train" / "elsewhere.csv", index=False)
    process = start(project, "train", "csv/train/elsewhere.csv", *FAST, "--epochs", 1000, "--run", "vanished")
    read_until(process, "epoch    1/1000")
    (tmp_path / "img").rename(tmp_path / "gone")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1 and "Traceback" not in errors
    assert "are gone" in errors and "Saved: the state at the end of epoch" in errors and "--resume vanished" in errors


@pytest.mark.slow
def test_resume_with_other_settings_or_lists_is_refused(project):
    def output_of(*words) -> str:
        process = start(project, "train", *words)
        out, errors = process.communicate(timeout=60)
        assert process.returncode == (1 if errors.startswith("Error") else 0) and "Traceback" not in errors
        return out + errors

    assert "Finished already: 3 epochs" in output_of("--resume", "whole", "--workers", 2, "--lr", 1e-4)
    assert "began with lr 0.0001, now 0.01" in output_of("--resume", "whole", "--epochs", 5, "--lr", 0.01)
    assert "There is no run nothing" in output_of("--resume", "nothing")
    assert "--resume whole" in output_of(*SETTINGS, "--run", "whole")
    assert "must be a plain name" in output_of("--run", "a/b")
    lines = project / "csv" / "val" / "validation.csv"
    text = lines.read_text()
    lines.write_text("\n".join(text.splitlines()[:-1]) + "\n")
    try:
        assert "csv/val/validation.csv: changed" in output_of("--resume", "whole", "--epochs", 5)
    finally:
        lines.write_text(text)


@pytest.mark.slow
def test_runs_lists_metrics_and_broken_folders(project, tmp_path, deepfake, json_of):
    shutil.copytree(project / "runs" / "whole", tmp_path / "runs" / "whole")
    for name, text in (("list", "[]"), ("cut", '{"model": '), ("other", '{"history": 3}'), ("nothing", None)):
        (tmp_path / "runs" / name).mkdir()
        if text:
            (tmp_path / "runs" / name / "recipe.json").write_text(text)
    rows = {row["name"]: row for row in json_of("runs")}
    assert {rows[name]["state"] for name in ("list", "cut", "other", "nothing")} == {"broken"}
    recipe = recipe_of(tmp_path / "runs" / "whole")
    best = recipe["history"][rows["whole"]["best"] - 1]
    assert rows["whole"]["epochs"] == rows["whole"]["asked"] == 3 and rows["whole"]["state"] == "finished"
    assert (rows["whole"]["val_auc"], rows["whole"]["val_video_auc"]) == (best["val_auc"], best["val_video_auc"])
    assert rows["whole"]["size"] == sum(map(len, tree(tmp_path / "runs" / "whole").values()))
    shown = deepfake("runs").stdout
    assert f"{best['val_auc']:.3f}" in shown and "3/3" in shown and shown.count("broken") == 4
    assert "No runs in nowhere" in deepfake("runs", "--runs-dir", "nowhere").stdout
