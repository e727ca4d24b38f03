"""Calibration: its laws on numbers, and the real command from a list to a recipe that evaluate obeys."""

import json
import re

import cv2
import numpy as np
import pandas as pd
import pytest

from deepfake_cli.commands.calibrate import calibrate
from deepfake_cli.commands.evaluate import evaluate
from deepfake_cli.config import Calibrate, Evaluate
from deepfake_cli.errors import ManifestError, ModelError
from deepfake_cli.metrics.calibration import METHODS, Calibration
from deepfake_cli.metrics.figures import figures
from deepfake_cli.metrics.names import CALIBRATION
from deepfake_cli.metrics.reliability import reliability
from deepfake_cli.runs import recipe
from tests.training.test_train import FAST, project  # noqa: F401

RNG = np.random.default_rng(0)


def overconfident(rows: int = 4000, factor: float = 3.0):
    """Labels drawn with a known probability, and scores whose logit is that probability's times `factor`."""
    logit = RNG.normal(0, 2, rows)
    labels = (RNG.random(rows) < 1 / (1 + np.exp(-logit))).astype(int)
    return labels, 1 / (1 + np.exp(-factor * logit))


@pytest.mark.parametrize("method", METHODS)
def test_calibration_corrects_overconfident_scores(method):
    labels, scores = overconfident()
    others, unseen = overconfident()
    fitted = Calibration.fit(labels, scores, method)
    before, after = figures(others, unseen, 0.5), figures(others, fitted.apply(unseen), 0.5)
    assert all(after[name] < before[name] for name in ("ece", "brier", "log_loss"))
    assert after["ece"] < 0.03 < before["ece"]
    assert Calibration.from_json(json.loads(json.dumps(fitted.to_json()))) == fitted


def test_temperature_is_the_factor_of_the_logits():
    assert Calibration.fit(*overconfident(20_000, 3.0)).temperature == pytest.approx(3.0, rel=0.08)
    assert Calibration.fit(*overconfident(20_000, 1.0)).temperature == pytest.approx(1.0, rel=0.08)


@pytest.mark.parametrize("method", METHODS)
def test_ranks_and_predictions_are_unchanged(method):
    labels, scores = overconfident(300)
    fitted = Calibration.fit(labels, scores, method)
    fine = np.sort(np.r_[scores, np.linspace(1e-6, 1 - 1e-6, 1000)])
    assert (np.diff(fitted.apply(np.unique(fine))) > 0).all()
    for threshold in np.quantile(scores, [0.1, 0.5, 0.9]):
        assert ((scores >= threshold) == (fitted.apply(scores) >= fitted.apply([threshold])[0])).all()
    mapped = fitted.apply([0.0, 1.0])
    assert 0 <= mapped[0] < mapped[1] <= 1


def test_perfect_scores_give_no_certainty():
    """The best temperature would be 0, and every score 0 or 1."""
    fitted = Calibration.fit([0] * 48 + [1] * 48, [0.01] * 48 + [0.99] * 48)
    assert fitted.apply([0.99])[0] == pytest.approx(49 / 50, abs=1e-3)


def test_scores_of_0_and_1_have_finite_errors():
    labels, scores = np.array([0, 1, 1, 0]), np.array([0.0, 1.0, 0.0, 1.0])
    for method in METHODS:
        found = figures(labels, Calibration.fit(labels, scores, method).apply(scores), 0.5)
        assert np.isfinite([found[name] for name in CALIBRATION]).all()


def test_temperature_at_the_end_of_its_range_has_a_note():
    close = Calibration.fit([0, 0, 1, 1], [0.499, 0.499, 0.501, 0.501])
    assert "nearly equal" in str(close.note())
    wrong = Calibration.fit([1, 1, 0, 0], [0.3, 0.4, 0.6, 0.7])
    assert "hardly separate" in str(wrong.note())
    assert Calibration.fit(*overconfident()).note() is None


def test_calibration_metrics_match_their_definitions():
    labels, scores = np.array([0, 1, 1, 0]), np.array([0.1, 0.1, 0.9, 0.6])
    found = figures(labels, scores, 0.5)
    assert found["brier"] == pytest.approx((0.01 + 0.81 + 0.01 + 0.36) / 4)
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.1, 0.9, 0.4]).mean())
    assert found["ece"] == pytest.approx((2 * 0.4 + 0.1 + 0.6) / 4)
    bins = reliability(labels, scores)
    assert [each["n"] for each in bins] == [2, 1, 1]
    assert bins[0]["fake"] == 0.5 and bins[-1]["high"] <= 1


@pytest.mark.parametrize(
    ("labels", "scores", "words"),
    [
        ([1, 1], [0.2, 0.3], "all fake"),
        ([0, 1], [0.4, 0.4], "nothing to calibrate"),
        ([0, 1], [0.4, float("nan")], "nan"),
        ([0, 2], [0.4, 0.5], "0 \\(real\\)"),
        ([], [], "no rows"),
    ],
)
def test_unusable_scores_raise(labels, scores, words):
    with pytest.raises(ManifestError, match=words):
        Calibration.fit(labels, scores)


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"method": "other"},
        {"method": "temperature", "temperature": 0},
        {"method": "temperature", "temperature": "hot"},
        {"method": "isotonic", "scores": [0, 1], "probabilities": [0.9, 0.1]},
        {"method": "isotonic", "scores": [0, 1], "probabilities": [0.9]},
    ],
)
def test_broken_calibration_in_a_recipe_raises(stored):
    with pytest.raises(ModelError, match="calibration"):
        Calibration.from_json(stored)


def predictions(path, groups=12, factor=3.0, rows=400):
    """Predictions of overconfident scores, as evaluate writes them; a factor below 0 tells the classes apart the wrong way."""
    labels, scores = overconfident(rows, factor)
    number = pd.Series(np.arange(rows))
    table = pd.DataFrame(
        {"path": number.astype(str) + ".jpg", "dataset": "d", "group": "g" + (number % groups).astype(str)}
    )
    table["video"] = table["group"] + "-" + pd.Series(labels).astype(str)
    table.assign(frame=number, label=np.array(["real", "fake"])[labels], score=scores).to_csv(path, index=False)
    return path


@pytest.fixture
def run(tmp_path):
    """A run whose best.keras only has to be there."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "best.keras").write_bytes(b"")
    recipe.write(tmp_path / "run", {"snapshots": {"best.keras": {"epoch": 1, "threshold": 0.4}}})
    return tmp_path / "run"


@pytest.mark.parametrize(
    ("groups", "factor", "method", "why"),
    [
        (9, 3.0, "temperature", "p.csv: 9 groups, at least 10 are needed to calibrate"),
        (1, 3.0, "temperature", "p.csv: 1 group, at least 10 are needed"),
        (
            12,
            1.0,
            "isotonic",
            "Calibration (isotonic) makes validation worse, so nothing was saved: the log loss of held-out",
        ),
    ],
)
def test_a_map_of_few_groups_or_that_makes_validation_worse_is_refused(run, groups, factor, method, why):
    predictions(run.parent / "p.csv", groups, factor, 150)
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    settings = Calibrate(inputs=[run.parent / "p.csv", run / "best.keras"], method=method, output=run.parent / "out")
    with pytest.raises(ManifestError, match=re.escape(why)):
        calibrate(settings)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before
    assert not (run.parent / "out").exists()


def test_a_saved_map_is_better_on_held_out_groups(run):
    settings = Calibrate(inputs=[predictions(run.parent / "p.csv"), run / "best.keras"], output=run.parent / "out")
    found = calibrate(settings).calibration
    assert found["cross_validated"]["frame"]["log_loss"] < found["before"]["frame"]["log_loss"]
    assert found["folds"] == 5
    rises = found["cross_validated"]["video"]["log_loss"] > found["before"]["video"]["log_loss"]
    assert ["The log loss of videos rises" in note for note in found["notes"]] == [True] * rises
    assert recipe.read(run / "best.keras")["snapshots"]["best.keras"]["calibration"]["method"] == "temperature"


def test_repeated_images_are_told(run):
    """As train and evaluate tell them."""
    path = predictions(run.parent / "p.csv")
    path.write_text(path.read_text() + "7.jpg,d,g7,g7-0,7,real,0.5\n")
    notes = calibrate(Calibrate(inputs=[path, run / "best.keras"], output=run.parent / "out")).calibration["notes"]
    evaluated = evaluate(Evaluate(predictions=path, output=run.parent / "e", resamples=0, report=False))
    for each in (notes, evaluated.notes):
        assert f"{path}: 1 rows repeat an image, such as 7.jpg; each row counts. Remove them." in each


@pytest.mark.slow
def test_evaluate_applies_the_calibration_of_calibrate(project, deepfake, json_of):  # noqa: F811
    deepfake("train", *FAST, "--epochs", 3, "--run", "one", "--lr", 0.01)
    stored = project / "runs" / "one" / "recipe.json"
    evaluate = ("evaluate", "--no-report", "--resamples", 9, "--output")
    plain = json_of(*evaluate, "plain")
    assert plain["calibration"] is None and "robustness" not in plain
    made = predictions(project / "made.csv", rows=4000)
    found = json_of("calibrate", made, "runs/one/best.keras", "--folds", 2, "--method", "isotonic")
    assert found == json.loads((project / "calibration" / "calibration.json").read_text())
    assert cv2.imread(str(project / "calibration" / "reliability.png")).shape[1] > 800
    assert found["after"]["frame"]["log_loss"] <= found["before"]["frame"]["log_loss"]
    assert found["cross_validated"]["frame"]["log_loss"] >= found["after"]["frame"]["log_loss"]
    assert found["threshold"]["called_otherwise"]["frames"] == 0
    kept = json.loads(stored.read_text())["snapshots"]
    assert kept["best.keras"]["calibration"]["method"] == "isotonic"
    assert kept["best.keras"]["threshold"] == pytest.approx(plain["threshold"])
    calibrated = json_of(*evaluate, "after")
    assert calibrated["calibration"] == kept["best.keras"]["calibration"]
    assert calibrated["threshold"] == pytest.approx(found["threshold"]["after"])
    assert calibrated["frame"]["confusion"] == plain["frame"]["confusion"]
    assert calibrated["frame"]["auc"] == plain["frame"]["auc"]
    before, after = (pd.read_csv(project / name / "predictions.csv")["score"] for name in ("plain", "after"))
    assert np.allclose(Calibration.from_json(calibrated["calibration"]).apply(before), after)
    assert json_of(*evaluate, "plain", "--no-calibration") == plain

    assert "at least 10 are needed" in deepfake("calibrate", "plain/predictions.csv", check=1).stderr
    again = json_of("calibrate", made, "runs/one/best.keras", "--method", "temperature")
    assert again["before"] == found["before"]
    assert json.loads(stored.read_text())["snapshots"]["best.keras"]["calibration"]["method"] == "temperature"
    assert (
        "needs at least 50 groups" in deepfake("calibrate", made, "runs/one/best.keras", "--folds", 50, check=1).stderr
    )
    assert "already calibrated" in deepfake("calibrate", "after/predictions.csv", check=1).stderr

    fakes = pd.read_csv(made).query("label == 'fake'")
    fakes.to_csv(made, index=False)
    assert "all fake" in deepfake("calibrate", made, "runs/one/best.keras", check=1).stderr
    stored.rename(project / "gone.json")
    said = deepfake("calibrate", "runs/one/best.keras", check=1).stderr
    assert "no such recipe" in said and "recipe.json" in said
    (project / "plain" / "metrics.json").unlink()
    assert "give the snapshot" in deepfake("calibrate", "plain/predictions.csv", check=1).stderr
