"""Learning rate, early stopping, averaged weights and the choice of precision."""

import json

import numpy as np
import pytest

from deepfake_cli.config import Train
from deepfake_cli.distributed.devices import Plan
from deepfake_cli.runs.results import epochs_since_best
from deepfake_cli.training import precision
from deepfake_cli.training.schedule import learning_rate

from .test_train import FAST, project  # noqa: F401

CPU, GPU = Plan("cpu", (), 1, False, 1, ""), Plan("gpu", (0,), 1, True, 1, "")


def test_cosine_schedule_rises_in_warmup_then_falls():
    settings = Train(lr=1.0, epochs=10, schedule="cosine", warmup=2)
    rates = np.array([learning_rate(settings, [], done) for done in np.linspace(0, 10, 101)])
    assert rates[0] == 0 and rates[10] == pytest.approx(0.5) and rates[20] == pytest.approx(1)
    assert rates[60] == pytest.approx(0.5) and rates[-1] == pytest.approx(0)
    assert (np.diff(rates[:21]) > 0).all() and (np.diff(rates[20:]) < 0).all()


def test_plateau_schedule_falls_when_the_loss_does_not():
    settings = Train(lr=1.0, reduce_lr_patience=2, reduce_lr_factor=0.1)
    losses = [3, 2, 2, 2, 1, 1, 1]
    rates = [learning_rate(settings, losses[:n], n) for n in range(len(losses) + 1)]
    assert rates == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.01])
    assert learning_rate(settings.model_copy(update={"warmup": 4}), [], 1) == pytest.approx(0.25)


@pytest.mark.parametrize(("aucs", "epochs"), [([], 0), ([0.5], 0), ([0.5, 0.9, 0.9, 0.8], 2), ([0.1, 0.2], 0)])
def test_equal_auc_does_not_count_as_higher(aucs, epochs):
    assert epochs_since_best(aucs) == epochs


@pytest.mark.parametrize(
    ("plan", "capability", "policy"),
    [
        (CPU, None, "float32"),
        (GPU, (9, 0), "mixed_bfloat16"),
        (GPU, (8, 0), "mixed_bfloat16"),
        (GPU, (7, 5), "mixed_float16"),
        (GPU, (6, 1), "float32"),
        (GPU, None, "float32"),
    ],
)
def test_precision_follows_the_device(plan, capability, policy):
    found = precision.choose("auto", plan, capability)
    assert found.policy == policy and policy in found.reason
    assert precision.choose("mixed_float16", plan, capability).policy == "mixed_float16"


@pytest.mark.slow
def test_early_stopping_ends_training_when_the_auc_stops_rising(project, deepfake, json_of):  # noqa: F811
    output = deepfake("train", *FAST, "--epochs", 30, "--early-stopping", 2, "--steps", 3, "--run", "r").stdout
    facts = json.loads((project / "runs" / "r" / "recipe.json").read_text())
    aucs = [row["val_auc"] for row in facts["history"]]
    first = next((n for n in range(1, 31) if epochs_since_best(aucs[:n]) >= 2), 30)
    assert len(aucs) == first < 30
    assert "Stopped: no higher validation AUC for 2 epochs." in output
    (row,) = json_of("runs")
    assert row["state"] == "finished"
    assert "Finished already" in deepfake("train", "--resume", "r").stdout


@pytest.mark.slow
def test_snapshots_hold_averaged_weights_and_training_continues_with_the_others(project, deepfake):  # noqa: F811
    import keras

    from deepfake_cli.models.keras_private import moving_averages

    settings = (*FAST, "--epochs", 2, "--steps", 4, "--ema", 0.5)
    deepfake("train", *settings, "--run", "whole")
    deepfake("train", *settings, "--run", "again", "--snapshot", "runs/whole/tiny_build_csv_01.keras")
    one, other = (
        keras.models.load_model(project / "runs" / name / "tiny_build_csv_02.keras") for name in ("whole", "again")
    )
    assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))
    raw = moving_averages(one.optimizer)  # a snapshot has the last weights here
    assert not np.array_equal(one.trainable_variables[0], raw[0])
    assert np.array_equal(raw[0], moving_averages(other.optimizer)[0])


@pytest.mark.slow
def test_half_precision_trains_and_is_reported(project, deepfake):  # noqa: F811
    output = deepfake(
        "train", *FAST, "--epochs", 1, "--steps", 2, "--precision", "mixed_bfloat16", "--xla", "on"
    ).stdout
    assert "mixed_bfloat16 (as asked); XLA" in output
