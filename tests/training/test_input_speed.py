"""Training says what the input can deliver where it waits for it, and only there."""

import re
import time

import cv2
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from deepfake_cli.commands.train import train
from deepfake_cli.config import Train
from deepfake_cli.training import input_speed
from deepfake_cli.training.events import Noted
from deepfake_cli.training.input_speed import InputSpeed

SIDE = 48  # of the images of the list


@pytest.fixture
def said(tmp_path):
    """What is said after an epoch whose steps and whose reading of a batch take these seconds."""
    path = tmp_path / "face.png"
    cv2.imwrite(str(path), np.zeros((SIDE, SIDE, 3), np.uint8))
    table = pd.DataFrame({"path": [str(path)] * 100})

    def say(step, reading, steps=20, image_size=32, **settings):
        def slow(number):
            time.sleep(reading)
            return number

        def batches(epoch):
            return tf.data.Dataset.range(1000).map(lambda number: tf.numpy_function(slow, [number], tf.int64))

        events = []
        callback = InputSpeed(Train(batch_size=8, **settings), table, image_size, batches, events.append)
        for epoch in range(2):  # the second one says nothing
            for batch in range(steps):
                time.sleep(step)
                callback.on_train_batch_end(batch)
            callback.on_epoch_end(epoch)
        return [event.text for event in events]

    return say


def test_a_slow_reader_is_told_with_both_speeds_and_what_is_faster(said):
    (text,) = said(step=0.005, reading=0.01)
    assert text.startswith("Reading images is what this training waits for: ")
    assert "--cache, which keeps 0.0 GB in memory, or images of the model's 32 px instead of 48" in text
    read = float(re.search(r"([\d,]+) images/s are read without training", text)[1].replace(",", ""))
    assert 0 < read <= 8 / 0.01


def test_nothing_is_said_if_the_steps_are_slow_or_the_epoch_is_short(said):
    assert not said(step=0.03, reading=0.003)
    assert not said(step=0.001, reading=0.01, steps=input_speed.LEAST)


def test_only_what_helps_is_advised(said):
    (cached,) = said(step=0.005, reading=0.01, cache=True)
    assert cached.endswith("Faster: more CPU cores.")
    (few,) = said(step=0.005, reading=0.01, cache=True, workers=1)
    assert few.endswith("Faster: a higher --workers.")
    (small,) = said(step=0.005, reading=0.01, image_size=64)
    assert "split --size" not in small


@pytest.mark.slow
def test_training_from_large_photographs_says_it(tmp_path, monkeypatch):
    """To decode two megapixels takes longer than to learn from 32 pixels; a busy machine may make any step slower."""
    monkeypatch.setattr(input_speed, "WAITS", 0.25)
    random = np.random.default_rng(0)
    rows = []
    for number in range(4):
        name, label = f"{number}.jpg", ("real", "fake")[number % 2]
        cv2.imwrite(str(tmp_path / name), random.integers(0, 256, (1400, 1400, 3), np.uint8))
        rows.append({"path": name, "label": label, "video": str(number), "group": str(number), "dataset": "own"})
    pd.DataFrame(rows).to_csv(tmp_path / "train.csv", index=False)
    settings = {"train_csv": [tmp_path / "train.csv"], "evaluation": False, "model": "meso4", "image_size": 32}
    settings |= {"onnx": False, "batch_size": 2, "epochs": 1, "steps": 16, "runs_dir": tmp_path, "gpu": "cpu"}
    events = []
    train(Train(**settings), events.append)
    (text,) = (event.text for event in events if isinstance(event, Noted))
    assert "--cache" in text and "instead of 1400: deepfake split --size 32" in text
