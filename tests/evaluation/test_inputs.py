"""What `evaluate` and `calibrate` take as a detector."""

from pathlib import Path

import pytest

from deepfake_cli.assets import STARTER
from deepfake_cli.commands.conditions import _inputs as by_condition
from deepfake_cli.config import Evaluate
from deepfake_cli.evaluation.inputs import inputs


@pytest.mark.slow
def test_the_detector_in_the_package_has_a_name_everywhere(tmp_path, monkeypatch, deepfake, json_of, frames_of_uadfv):
    """As for predict, matrix and `Detector.load`."""
    found = json_of("evaluate", frames_of_uadfv / "manifest.csv", "starter", "--resamples", 0, "--no-report")
    assert Path(found["snapshot"]) == STARTER
    assert any("docs/starter.md" in note for note in found["notes"])
    monkeypatch.chdir(tmp_path)
    assert inputs([Path("a.csv"), Path("starter")], Path("runs")) == ([Path("a.csv")], STARTER)
    refused = deepfake("calibrate", frames_of_uadfv / "manifest.csv", "starter", check=1).stderr
    assert "at least 10 are needed" in refused, "six groups"
    (Path("runs") / "mine").mkdir(parents=True)
    (Path("runs") / "mine" / "recipe.json").write_text("{}")
    (best := Path("runs") / "mine" / "best.keras").write_bytes(b"")
    for name, file in (("starter", STARTER), ("mine", best)):
        assert by_condition(Evaluate(inputs=["set", name], conditions=True)) == ([Path("set")], file)
    Path("starter").mkdir()  # a user's own
    assert Path("starter") in inputs([Path("starter"), STARTER], Path("runs"))[0]
