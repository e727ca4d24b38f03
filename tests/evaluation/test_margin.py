"""Crops are judged as the frames that they were cut from, whatever their margin."""

from pathlib import Path

import pandas as pd
import pytest

from deepfake_cli import Detector
from deepfake_cli.assets import FOLDER, STARTER
from deepfake_cli.commands.evaluate import evaluate
from deepfake_cli.config import Evaluate
from deepfake_cli.errors import ConfigError
from deepfake_cli.evaluation.keras_scorer import other_margin
from deepfake_cli.runs import recipe
from deepfake_cli.runs.best_onnx import stamped
from tests import processes
from tests.training.test_train import FAST, TINY


def scores(folder, listed, detector=STARTER, **settings) -> tuple[pd.Series, list[str]]:
    """The mean score of each video of a list, and the notes."""
    result = evaluate(Evaluate(inputs=[listed, detector], resamples=0, report=False, output=folder, **settings))
    return pd.read_csv(result.predictions).groupby("video")["score"].mean(), result.notes


@pytest.fixture(scope="module")
def wide(tmp_path_factory, uadfv) -> Path:
    """The lists of crops twice as wide as the face, with ``img/manifest.csv``."""
    root = tmp_path_factory.mktemp("wide")
    for step in ("split", "uadfv", "--viddir", uadfv, "--margin", 2), ("make-csv", "uadfv", "--ratio", 0.67):
        processes.run(*step, cwd=root)
    return root


def verdicts(uadfv, videos) -> pd.Series:
    """What `predict` says of the videos."""
    files = {name: next(uadfv.rglob(f"{name.split('/')[-1]}.*")) for name in videos}
    return pd.Series({name: Detector.load().predict(file).score for name, file in files.items()})


@pytest.mark.slow
def test_crops_of_split_get_the_scores_of_their_videos(tmp_path, uadfv, frames_of_uadfv, wide):
    """The starter expects a tighter crop than split makes by default; a list without the column is taken to have that."""
    table = pd.read_csv(frames_of_uadfv / "manifest.csv")
    assert set(table["crop"]) == {1.3}
    old = frames_of_uadfv / "old.csv"
    table.drop(columns="crop").to_csv(old, index=False)
    as_they_are, _ = scores(tmp_path / "b", old, margin=1)
    judged = verdicts(uadfv, as_they_are.index)
    for name, listed, margin in (
        ("a", frames_of_uadfv / "manifest.csv", 1.3),
        ("c", old, 1.3),
        ("d", wide / "img" / "manifest.csv", 2),
    ):
        found, notes = scores(tmp_path / name, listed)
        assert (found - judged).abs().max() < 0.15
        assert (found - judged).abs().mean() < (as_they_are - judged).abs().mean() / 2
        assert any(f"margin 1, and these have {margin}: their middle is judged" in note for note in notes)


@pytest.mark.slow
def test_predict_cuts_crops_as_evaluate_does(tmp_path, wide):
    listed = wide / "img" / "manifest.csv"
    result = evaluate(Evaluate(inputs=[listed, STARTER], resamples=0, report=False, output=tmp_path / "e"))
    frames = pd.read_csv(result.predictions)[:4]
    found = Detector.load().predict([wide / "img" / path for path in frames["path"]], crops=True, margin=2)
    assert [each.score for each in found] == pytest.approx(frames["score"].tolist(), abs=0.03)
    too_tight = Detector.load().judge(wide / "img" / frames["path"][0], crops=True)
    assert abs(too_tight.score - frames["score"][0]) > 0.03, "without the margin another picture is judged"
    stamped(STARTER, tmp_path / "wide.onnx", margin=2.5)
    noted = Detector.load(tmp_path / "wide.onnx").judge(wide / "img" / frames["path"][0], crops=True, margin=2)
    assert any("crops of margin 2.5, and this has 2" in note for note in noted.notes)


def test_a_margin_is_of_crops(deepfake):
    said = deepfake("predict", FOLDER / "man_a.mp4", "--margin", 1.3, check=1).stderr
    assert "add --crops" in said


@pytest.mark.slow
def test_a_detector_gets_the_margin_of_its_crops(wide, deepfake):
    """`train` reads it from the list; `best.onnx` then tells `predict` how to cut."""
    (wide / "tiny.py").write_text(TINY)
    given = ("train", *FAST, "--onnx", "--steps", 1, "--epochs", 1)
    deepfake(*given, "--run", "a", cwd=wide)
    assert recipe.read(wide / "runs/a/best.keras")["settings"]["margin"] == 2
    assert Detector.load(wide / "runs/a").traits.margin == 2
    said = deepfake(*given, "--margin", 1.3, cwd=wide, check=1).stderr
    assert "have 2, as the column crop says. Leave --margin out" in " ".join(said.split())


def test_a_split_before_this_column_gets_it_when_it_is_repeated(deepfake, uadfv, tmp_path):
    again = ("split", "uadfv", "--viddir", uadfv, "--max-frames", 1, "--margin", 1.5)
    deepfake(*again)
    listed = tmp_path / "img" / "manifest.csv"
    made = listed.read_bytes()
    pd.read_csv(listed, dtype=str, keep_default_na=False).drop(columns="crop").to_csv(listed, index=False)
    assert "skipped" in deepfake(*again).stdout
    assert listed.read_bytes() == made and b"1.5" in made


def test_a_detector_of_wider_crops_is_noted(tmp_path, frames_of_uadfv):
    stamped(STARTER, tmp_path / "wide.onnx", margin=1.6)
    listed = frames_of_uadfv / "manifest.csv"
    _, notes = scores(tmp_path / "a", listed, detector=tmp_path / "wide.onnx")
    assert any("Run split again with --margin 1.6" in note for note in notes)
    with pytest.raises(ConfigError, match="Leave --margin out"):
        scores(tmp_path / "b", listed, detector=tmp_path / "wide.onnx", margin=1.6)


def test_a_snapshot_of_other_crops_is_noted(tmp_path):
    """A snapshot is scored on the images as they are."""
    recipe.write(tmp_path, {"model": "tiny", "settings": {"epochs": 1, "margin": 1.3}})
    (note,) = other_margin(tmp_path / "best.keras", 2.0)
    assert "was trained on crops of margin 1.3, and these have 2: they are scored as they are" in note
    assert not other_margin(tmp_path / "best.keras", 1.3) and not other_margin(tmp_path / "best.keras", None)
