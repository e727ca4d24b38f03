"""Crops are judged as the frames that they were cut from, whatever their margin."""

import pandas as pd
import pytest

from deepfake_cli import Detector
from deepfake_cli.assets import STARTER
from deepfake_cli.commands.evaluate import evaluate
from deepfake_cli.config import Evaluate
from deepfake_cli.errors import ConfigError
from deepfake_cli.runs.best_onnx import stamped


def scores(folder, listed, detector=STARTER, **settings) -> tuple[pd.Series, list[str]]:
    """The mean score of each video of a list, and the notes."""
    result = evaluate(Evaluate(inputs=[listed, detector], resamples=0, report=False, output=folder, **settings))
    return pd.read_csv(result.predictions).groupby("video")["score"].mean(), result.notes


def test_crops_of_split_get_the_scores_of_their_videos(tmp_path, uadfv, frames_of_uadfv):
    """The starter expects a tighter crop than split makes by default."""
    found, notes = scores(tmp_path / "a", frames_of_uadfv / "manifest.csv")
    as_they_are, _ = scores(tmp_path / "b", frames_of_uadfv / "manifest.csv", margin=1)
    verdicts = {
        name: Detector.load().predict(next(uadfv.rglob(f"{name.split('/')[-1]}.*"))).score for name in found.index
    }
    judged = pd.Series(verdicts)
    assert (found - judged).abs().max() < 0.15
    assert (found - judged).abs().mean() < (as_they_are - judged).abs().mean() / 2
    assert any("margin 1, and these are taken to have 1.3 (--margin)" in note for note in notes)


def test_a_detector_of_wider_crops_is_noted(tmp_path, frames_of_uadfv):
    stamped(STARTER, tmp_path / "wide.onnx", margin=1.6)
    listed = frames_of_uadfv / "manifest.csv"
    _, notes = scores(tmp_path / "a", listed, detector=tmp_path / "wide.onnx")
    assert any("Run split again with --margin 1.6" in note for note in notes)
    _, notes = scores(tmp_path / "b", listed, detector=tmp_path / "wide.onnx", margin=1.6)
    assert not any("margin" in note for note in notes)


def test_a_snapshot_is_scored_on_the_crops_as_they_are(tmp_path, frames_of_uadfv):
    (tmp_path / "best.keras").touch()
    with pytest.raises(ConfigError, match=r"--margin is for \.onnx files"):
        evaluate(Evaluate(inputs=[frames_of_uadfv / "manifest.csv", tmp_path / "best.keras"], margin=1.3))
