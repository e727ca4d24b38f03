"""Files that belong together: whenever a process is killed, all of them are the earlier ones or all are new."""

import json
import os
import platform
import shutil
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from deepfake_cli.assets import STARTER
from deepfake_cli.commands.audit import audit
from deepfake_cli.commands.calibrate import calibrate
from deepfake_cli.commands.compare import compare
from deepfake_cli.commands.evaluate import FILES, evaluate
from deepfake_cli.commands.matrix import _write
from deepfake_cli.config import Audit, Calibrate, Compare, Evaluate, Train
from deepfake_cli.errors import ConfigError, StorageError
from deepfake_cli.inference.runtimes.metadata import KEY
from deepfake_cli.metrics import predictions
from deepfake_cli.reporting.folder import from_folder
from deepfake_cli.runs import recipe
from deepfake_cli.runs.resume import Start
from deepfake_cli.runs.run import Run
from deepfake_cli.storage.file_sets import READY, finish, replaced
from tests import processes
from tests.conftest import tree


class Killed(BaseException):
    """What no code of the program catches."""


def write(folder: Path, text: str, *names: str, **options) -> None:
    with replaced(folder, last="a.json", **options) as new:
        for name in names:
            (new / name).write_text(text)


def killed(monkeypatch, folder: Path, moves: int, work) -> bool:
    """Whether the work ended at its `moves`-th move of a file into `folder`."""
    true, done = Path.replace, []

    def move(self, target):
        if Path(target).parent == folder and ".partial" not in self.name:
            done.append(self)
            if len(done) > moves:
                raise Killed
        return true(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", move)
        try:
            work()
        except Killed:
            return True
    return False


def test_files_are_replaced_together(tmp_path, monkeypatch):
    folder = tmp_path / "out"
    names = ("a.json", "b.png", "c.csv")
    for moves in range(3):
        shutil.rmtree(folder, ignore_errors=True)
        write(folder, "old", *names, "d.html")
        (folder / "mine.txt").write_text("mine")
        assert killed(monkeypatch, folder, moves, lambda: write(folder, "new", *names, names=[*names, "d.html"]))
        assert (folder / "a.json").read_text() == "old", "the last one"
        finish(folder)
        assert tree(folder) == dict.fromkeys(names, b"new") | {"mine.txt": b"mine"}
        assert sorted(path.name for path in folder.iterdir()) == sorted([*names, "mine.txt"])


def test_a_failed_block_changes_nothing(tmp_path):
    write(tmp_path, "old", "a.json", "b.png")
    for fault in (OSError("disk full"), Killed()):
        with pytest.raises(type(fault)), replaced(tmp_path, last="a.json", names=["b.png"]) as new:
            (new / "a.json").write_text("new")
            raise fault
        assert tree(tmp_path) == {"a.json": b"old", "b.png": b"old"}
        assert len(list(tmp_path.iterdir())) == 2


def test_what_a_killed_process_left_is_removed(tmp_path):
    dead, alive, other = (
        tmp_path / f".{platform.node()}-{2**22 + 1}-x.staged",
        tmp_path / f".{platform.node()}-{os.getppid()}-x.staged",
        tmp_path / ".elsewhere-1-x.staged",
    )
    for folder in (dead, alive, other):
        folder.mkdir()
    write(tmp_path, "new", "a.json")
    assert (dead.exists(), alive.exists(), other.exists()) == (False, True, True)


def test_a_set_that_cannot_be_completed_is_an_error(tmp_path, monkeypatch):
    assert killed(monkeypatch, tmp_path, 1, lambda: write(tmp_path, "new", "a.json", "b.png"))
    (tmp_path / "a.json").mkdir()
    with pytest.raises(StorageError, match=rf"{tmp_path}: its files belong to two runs.*{READY}"):
        finish(tmp_path)


@pytest.mark.parametrize(
    "plan",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"remove": ["../mine.txt"], "move": []}',
        b'{"remove": [], "move": ["/x"]}',
        b'{"remove": 1}',
    ],
)
def test_a_strange_plan_is_an_error_and_touches_nothing(tmp_path, plan):
    ready = tmp_path / "out" / f"{READY}-1"
    ready.mkdir(parents=True)
    (ready / ".plan.json").write_bytes(plan)
    (tmp_path / "mine.txt").touch()
    with pytest.raises(StorageError, match=rf"{ready}.*Delete"):
        finish(tmp_path / "out")
    assert (tmp_path / "mine.txt").exists()


def table_of(seed: int, rows: int = 24) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    labels = np.arange(rows) % 2
    numbers = pd.Series(range(rows))
    return pd.DataFrame({
        "path": "/nowhere/" + numbers.astype(str) + ".jpg", "dataset": "d", "group": "g" + (numbers // 2).astype(str),
        "video": "v" + numbers.astype(str), "frame": 0, "label": np.array(["real", "fake"])[labels],
        "score": (labels * 0.5 + random.random(rows) * 0.5).round(3),
    })  # fmt: skip


@pytest.fixture
def lists(tmp_path) -> list[Path]:
    paths = [tmp_path / f"{name}.csv" for name in ("one", "two", "three")]
    for seed, path in enumerate(paths):
        table_of(seed).to_csv(path, index=False)
    return paths


def compared(lists: list[Path], number: int, folder: Path) -> None:
    compare(Compare(a=lists[0], b=lists[1 + number], output=folder, resamples=0))


def evaluated(lists: list[Path], number: int, folder: Path) -> None:
    evaluate(Evaluate(predictions=lists[number], output=folder, overwrite=True, resamples=0))


def audited(lists: list[Path], number: int, folder: Path) -> None:
    images = folder.parent / "images"
    images.mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    rows = ["path,label,group"]
    for index in range(8):
        cv2.imwrite(str(images / f"{index}.jpg"), random.integers(0, 255, (64, 64, 3), np.uint8))
        rows.append(f"{index}.jpg,{('real', 'fake')[index % 2]},g{index}")
    (images / "list.csv").write_text("\n".join(rows[: 7 + number]) + "\n")
    audit(Audit(csv=[images / "list.csv"], output=folder, workers=1))


def matrix_written(lists: list[Path], number: int, folder: Path) -> None:
    figure = {"value": 0.5 + number / 10, "low": None, "high": None, "spread": None}
    cell = {
        "row": "a",
        "column": "b",
        "seen": None,
        "seeds": 1,
        "unit": "group",
        "units": 12,
        "frame": {"auc": figure},
        "video": {"auc": figure},
    }
    _write(folder, {"rows": ["a"], "columns": ["b"], "seeds": None, "cells": [cell]}, ())


@pytest.mark.slow
@pytest.mark.parametrize("work", [compared, evaluated, audited, matrix_written])
def test_results_of_a_command_change_together(tmp_path, monkeypatch, lists, work):
    folder = tmp_path / "out"
    work(lists, 0, folder)
    old = tree(folder)
    work(lists, 1, folder)
    new = tree(folder)
    assert (
        set(old) == set(new) and len(new) > 1 and all(old[name] != new[name] for name in new if name.endswith("json"))
    )
    for moves in (0, len(new) - 1):
        for name, content in old.items():
            (folder / name).write_bytes(content)
        assert killed(monkeypatch, folder, moves, lambda: work(lists, 1, folder))
        finish(folder)
        assert tree(folder) == new
    assert not killed(monkeypatch, folder, len(new), lambda: work(lists, 1, folder))


@pytest.mark.slow
def test_readers_complete_a_set_first(tmp_path, monkeypatch, lists):
    folder = tmp_path / "out"
    evaluated(lists, 1, folder)
    new = tree(folder)
    for read in (lambda: predictions.read(folder / "predictions.csv"), lambda: from_folder(folder)):
        shutil.rmtree(folder)
        evaluated(lists, 0, folder)
        assert killed(monkeypatch, folder, 0, lambda: evaluated(lists, 1, folder))
        assert not np.array_equal(tree(folder)["metrics.json"], new["metrics.json"])
        read()
        assert tree(folder) == new


def test_an_evaluation_without_a_report_leaves_none_of_an_earlier_one(tmp_path, lists):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "report.html").write_text("of the user")
    first = evaluate(Evaluate(predictions=lists[0], output=folder, resamples=0, report=False))
    assert (folder / "report.html").read_text() == "of the user" and not any("Removed" in note for note in first.notes)
    evaluate(Evaluate(predictions=lists[0], output=folder, resamples=0))
    for name in ("robustness.csv", "notes.txt"):
        (folder / name).write_text("")
    with pytest.raises(ConfigError, match=r"another evaluation, of .*\. Choose another folder, or .* --overwrite"):
        evaluate(Evaluate(predictions=lists[1], output=folder, resamples=0))
    other = Evaluate(predictions=lists[1], output=folder, overwrite=True, resamples=0, report=False)
    again = evaluate(other)
    assert {path.name for path in folder.iterdir()} == {"predictions.csv", "metrics.json", "notes.txt"}
    assert again.notes[-1].startswith("Removed, since they are of an earlier evaluation: ")
    assert all(
        name in again.notes[-1] for name in ("report.html", "heat_maps.npz", "evaluation.json", "robustness.csv")
    )
    assert again.page is None and set(FILES) >= {"predictions.csv", "metrics.json"}


@pytest.mark.slow
def test_calibration_changes_recipe_and_export_together(tmp_path, monkeypatch, lists):
    import onnx

    run = tmp_path / "run"
    run.mkdir()
    (run / "best.keras").write_bytes(b"")
    shutil.copyfile(STARTER, run / "best.onnx")
    recipe.write(run, {"snapshots": {"best.keras": {"epoch": 1, "threshold": 0.4}}})
    old = tree(run)

    def calibrated() -> None:
        calibrate(Calibrate(inputs=[lists[0], run / "best.keras"], output=tmp_path / "out"))

    def traits() -> dict:
        return json.loads({entry.key: entry.value for entry in onnx.load(run / "best.onnx").metadata_props}[KEY])

    for moves in range(2):
        for name, content in old.items():
            (run / name).write_bytes(content)
        assert killed(monkeypatch, run, moves, calibrated)
        stored = recipe.read(run / "best.keras")["snapshots"]["best.keras"]["calibration"]
        assert traits()["calibration"] == stored and stored["method"]
    assert set(tree(run)) == set(old)


def test_training_changes_best_and_recipe_together(tmp_path, monkeypatch, lists):
    settings = Train(train_csv=[lists[0]], val_annotations=lists[1])

    def save(text: str):
        return lambda path: path.write_text(text)

    for moves in range(2):
        begun = settings.model_copy(update={"snapshot_path": tmp_path / str(moves)})
        run = Run.begin(begun, "m", Start(None, 0), save(""))
        run.save_epoch(save("one"), {"epoch": 1, "val_auc": 0.6, "threshold": 0.1})
        (run.folder / "best.onnx").write_text("of one")
        second = {"epoch": 2, "val_auc": 0.7, "threshold": 0.9}
        assert killed(monkeypatch, run.folder, moves, lambda run=run, row=second: run.save_epoch(save("two"), row))
        run.close()
        facts = recipe.read(run.folder / "best.keras")
        assert facts["snapshots"]["best.keras"] == second and (run.folder / "best.keras").read_text() == "two"
        assert not (run.folder / "best.onnx").exists()
        assert not [path for path in run.folder.iterdir() if path.name.startswith(READY)]


@pytest.mark.slow
def test_killed_evaluations_leave_one_of_two(deepfake, tmp_path, lists):
    """The real command, killed by the system while it writes."""
    place = ("--output", "evaluation", "--overwrite")
    words = [("evaluate", "--predictions", path, "--resamples", 0, *place) for path in lists[:2]]
    sets = []
    for each in words:
        deepfake(*each)
        sets.append(tree(tmp_path / "evaluation"))
    folder = tmp_path / "evaluation"
    for number in range(4):
        process = processes.start(*words[number % 2], cwd=tmp_path)
        while process.poll() is None and not [*folder.glob(".*.staged"), *folder.glob(f"{READY}*")]:
            time.sleep(0.0005)
        time.sleep(number * 0.03)
        process.kill()
        process.communicate()
        finish(folder)
        content = {name: data for name, data in tree(folder).items() if not name.startswith(".")}
        assert content in sets
    deepfake(*words[0])
    assert tree(folder) == sets[0], "and nothing else is left"
