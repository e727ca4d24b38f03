"""The folder of a run that never began."""

import pytest

from deepfake_cli.config import Train
from deepfake_cli.runs import recipe
from deepfake_cli.runs.folder import lock_folder, new_folder, unlock_folder
from deepfake_cli.training import memory
from tests.conftest import tree
from tests.training.test_train import FAST, TINY


def test_a_folder_without_a_recipe_goes_unless_it_holds_something(tmp_path):
    (kept := tmp_path / "mine").mkdir()
    (kept / "notes.txt").write_text("of the user")
    (begun := tmp_path / "begun").mkdir()
    recipe.write(begun, {})
    for folder in (empty := new_folder(tmp_path, "meso4"), kept, begun):
        unlock_folder(folder, lock_folder(folder))
    assert not empty.exists() and (kept / "notes.txt").exists() and (begun / recipe.NAME).exists()


@pytest.mark.slow
def test_a_run_that_saved_nothing_is_begun_anew_with_other_settings(tmp_path, deepfake, frames_of_uadfv):
    (tmp_path / "tiny.py").write_text(TINY)
    deepfake("make-csv", "uadfv", "--imgdir", frames_of_uadfv, "--ratio", 0.67)
    words = ("train", *FAST, "--epochs", 1, "--run", "mine")
    broken = ("--model", "tiny:broken", "--steps", 1)
    assert "no state was saved yet" in " ".join(deepfake(*words, *broken, check=1).stderr.split()).lower()
    run = tmp_path / "runs" / "mine"
    failed = tree(run)
    assert recipe.NAME in failed and any(name.startswith("events/") for name in failed)

    with lock_folder(run):
        refused = deepfake(*words, check=1).stderr
    assert "holds a run already" in " ".join(refused.split()) and tree(run) == failed, "as if it were still trained"

    again = deepfake(*words, "--resume-if-there")
    assert "begun anew" in " ".join(again.stderr.split()), again
    begun = tree(run)
    assert not {name for name in failed if name.startswith("events/")} & begun.keys()
    assert recipe.of_run(run)["model"] == "tiny:build" and "best.keras" in begun
    refused = deepfake(*words, check=1).stderr
    assert "holds a run already" in " ".join(refused.split()) and tree(run) == begun


def test_a_training_that_fails_before_its_recipe_leaves_no_folder(tmp_path, deepfake, frames_of_uadfv, monkeypatch):
    from deepfake_cli.commands.train import train

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "tiny.py").write_text(TINY)
    deepfake("make-csv", "uadfv", "--imgdir", frames_of_uadfv, "--ratio", 0.67)

    def fail(*_):
        assert [path.name for path in (tmp_path / "runs").iterdir()] == ["mine"]
        raise ValueError("as a model may in its first step")

    monkeypatch.setattr(memory, "chosen", fail)
    with pytest.raises(ValueError, match="first step"):
        train(Train(model="tiny:build", image_size=32, batch_size="auto", run="mine", onnx=False))
    assert not list((tmp_path / "runs").iterdir())
