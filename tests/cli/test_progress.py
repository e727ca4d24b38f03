"""What the command line says meanwhile and at the end."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from deepfake_cli import cli
from deepfake_cli.assets import CLIPS, FOLDER
from deepfake_cli.cli import console
from deepfake_cli.cli.predict import STYLES
from deepfake_cli.cli.train import TrainProgress
from deepfake_cli.commands import doctor, predict
from deepfake_cli.config import Predict
from deepfake_cli.native_output import LEVEL
from deepfake_cli.training.events import Phase
from tests.cli.test_help import COMMANDS

MACHINE_READ = {("config", "schema"), ("config", "options"), ("datasets", "docs")}  # their output is a file


@pytest.mark.parametrize("name", sorted({words[0] for words in COMMANDS} - {"config", "datasets"}))
def test_every_command_names_the_next_one(name):
    """tests/test_processes.py runs them all and looks at their last lines."""
    text = (Path(cli.__file__).parent / f"{name.replace('-', '_')}.py").read_text()
    assert "next_step(" in text or "following(" in text


def test_progress_is_shown_while_native_libraries_are_silent():
    code = (
        "import os, sys\n"
        "from deepfake_cli.cli.console import error_console\n"
        "from deepfake_cli.native_output import quiet\n"
        "with quiet():\n"
        "    with quiet():\n"
        "        os.write(2, b'noise\\n'); error_console.print('inner')\n"
        "    os.write(2, b'noise\\n'); error_console.print('outer')\n"
        "os.write(2, b'after\\n')\n"
    )
    silent = os.environ | {LEVEL: "3"}  # as the command line sets it
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=silent)
    assert done.stderr.splitlines() == ["inner", "outer", "after"]


def test_a_phase_of_training_is_named_once_in_a_pipe_and_in_the_bar_of_a_terminal(capsys, monkeypatch):
    follower = TrainProgress(console.progress("steps"))
    for name in ("loading TensorFlow", "validating", "validating"):
        follower(Phase(name))
    assert capsys.readouterr().err.splitlines() == ["Loading TensorFlow …", "Validating …"]
    bar = console.progress("steps")
    bar.disable = False
    follower = TrainProgress(bar)
    for name in ("loading TensorFlow", "validating"):
        follower(Phase(name))
        assert [task.description for task in bar.tasks] == [name]


def test_predict_counts_files_and_verdicts(deepfake, tmp_path):
    (tmp_path / "clips").mkdir()
    names = [name for name, _ in CLIPS[:2]]
    for name in names:
        (tmp_path / "clips" / name).symlink_to(FOLDER / name)
    (tmp_path / "clips" / "broken.mp4").write_bytes(b"none")
    begun = []
    result = predict.predict(
        Predict(paths=[tmp_path / "clips"], max_frames=2),
        begin=lambda path, number, count: begun.append((path.name, number, count)),
    )
    assert begun == [(verdict.path.name, number, 3) for number, verdict in enumerate(result, 1)]
    lines = deepfake("predict", "clips", "--max-frames", 2).stdout.splitlines()
    counts = ", ".join(f"{count} {label}" for label, count in result.verdicts.counts.items())
    assert f"3 files: {counts} (1 not judged)." in lines
    assert lines[-1] == "Next: deepfake predict --max-frames 2 clips --report report.html"


def test_verdicts_are_coloured():
    out = io.StringIO()
    table = console.table(None, ["file", "verdict"], [(f"{label}.mp4", label) for label in STYLES], STYLES)
    Console(file=out, force_terminal=True, color_system="standard").print(table)
    assert {label for label in STYLES if f"m{label}" in out.getvalue()} == set(STYLES)
    assert "mfake.mp4" not in out.getvalue()


def test_doctor_names_what_it_checks(monkeypatch):
    monkeypatch.setattr(doctor, "missing", lambda: ["tensorflow"])
    names = []
    findings = doctor.doctor(names.append)
    assert names == ["Python and packages", "OpenCV", "ONNX Runtime", "the face detector"]
    assert [finding.name for finding in findings] == ["Python", "Packages", "OpenCV", "ONNX Runtime", "Face detector"]


def test_paths_are_short_and_relative(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert console.short(tmp_path / "runs" / "a") == "runs/a" and console.short("/other/a") == "/other/a"
    console.wrote(tmp_path / "out" / "a.json", tmp_path / "out" / "a.png")
    console.wrote(tmp_path / "a.json", tmp_path / "out" / "a.png")
    console.next_step("evaluate", "a list.csv", tmp_path / "runs" / "a")
    assert capsys.readouterr().out.splitlines() == [
        "Wrote out/: a.json, a.png",
        "Wrote a.json, out/a.png",
        "Next: deepfake evaluate 'a list.csv' runs/a",
    ]
