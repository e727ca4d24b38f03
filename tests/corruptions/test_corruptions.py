"""The changes: what each does to a real face, by which laws; and ``evaluate --robustness``."""

import json
from itertools import pairwise

import cv2
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from deepfake_cli.corruptions import CHANGES, STRENGTHS, changed
from deepfake_cli.corruptions.sample import by_video, chunks, lengths, middles
from tests.conftest import sample_frames
from tests.training.test_train import FAST, project  # noqa: F401

SIDE = 224


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """Eight successive frames of a person: uint8 RGB."""
    frames = [cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for frame in sample_frames("man_a.mp4", 8)]
    return np.stack(frames)[..., ::-1]


@pytest.mark.parametrize("name", CHANGES)
def test_higher_strength_changes_more(faces, name):
    before = faces.copy()
    results = [changed(faces, name, strength, range(8)) for strength in STRENGTHS]
    assert all(result.shape == faces.shape and result.dtype == np.uint8 for result in results)
    gaps = [np.square(result.astype(float) - faces).mean() for result in results]
    assert gaps[0] > 0 and all(less < more for less, more in pairwise(gaps)), gaps
    assert np.array_equal(faces, before)


@pytest.mark.parametrize("name", [name for name in CHANGES if name != "h264"])
def test_random_numbers_depend_on_place_and_seed_only(faces, name):
    whole = changed(faces, name, 3, range(10, 18), seed=1)
    parts = [changed(faces[:3], name, 3, range(10, 13), seed=1), changed(faces[3:], name, 3, range(13, 18), seed=1)]
    assert np.array_equal(whole, np.concatenate(parts))
    drawn = name in ("noise", "occlusion")
    assert np.array_equal(whole, changed(faces, name, 3, range(10, 18), seed=2)) != drawn
    assert np.array_equal(whole, changed(faces, name, 3, range(8), seed=1)) != drawn


def test_h264_is_deterministic_and_uses_neighbours(faces):
    one, other = (changed(faces, "h264", 3, range(8)) for _ in range(2))
    assert np.array_equal(one, other)
    alone = np.concatenate([changed(face[None], "h264", 3, [0]) for face in faces])
    assert np.array_equal(alone[0], changed(faces[:1], "h264", 3, [0])[0])
    assert not np.array_equal(alone[1:], one[1:])


def test_parameters_match_their_names(faces):
    grey = changed(faces, "saturation", 5, range(8)).astype(int)
    assert np.ptp(grey, axis=-1).max() <= 1
    assert changed(faces, "brightness", 4, range(8)).mean() == pytest.approx(0.4 * faces.mean(), rel=0.02)
    assert changed(faces, "contrast", 5, range(8))[0].std() < 0.35 * faces[0].std()
    flat = np.full((2, 64, 64, 3), 128, np.uint8)
    assert changed(flat, "noise", 3, range(2)).std() == pytest.approx(16, rel=0.02)
    black = np.zeros((2, SIDE, SIDE, 3), np.uint8)
    assert (changed(black, "occlusion", 5, range(2)) > 0).mean() == pytest.approx(0.5)
    point = np.zeros((1, SIDE, SIDE, 3), np.uint8)
    point[0, 112, 112] = 255
    half = cv2.resize(point[0], (112, 112))[None]
    spread = [(changed(each, "blur", 4, [0])[0, ..., 0] > 0).sum() for each in (point, half)]
    assert spread[0] > 2 * spread[1], "the same blur of the face, whatever the network's input"


def table(counts: list[int], shuffle: bool = False) -> pd.DataFrame:
    rows = [("d", f"v{video}", frame) for video, count in enumerate(counts) for frame in range(count)]
    found = pd.DataFrame(rows, columns=["dataset", "video", "frame"])
    return found.sample(frac=1, random_state=0) if shuffle else found


def test_successive_frames_from_the_middle_of_each_video():
    chosen = middles(table([10, 3, 1], shuffle=True), 4)
    frames = {video: rows["frame"].tolist() for video, rows in chosen.groupby("video")}
    assert frames == {"v0": [3, 4, 5, 6], "v1": [0, 1, 2], "v2": [0]}
    assert len(middles(table([10, 3, 1]), 0)) == 14
    assert sorted(lengths(chosen)) == [1, 3, 4]


def test_batches_are_regrouped_by_video():
    stream = np.arange(14)
    videos = list(by_video(iter([stream[:5], stream[5:10], stream[10:]]), [1, 10, 3]))
    assert [len(video) for video in videos] == [1, 10, 3]
    assert np.array_equal(np.concatenate(videos), stream)
    assert [[len(video) for video in chunk] for chunk in chunks(videos, 4)] == [[1, 10], [3]]


@pytest.mark.slow
def test_evaluate_measures_corrupted_frames(project, deepfake, json_of):  # noqa: F811
    deepfake("train", *FAST, "--epochs", 1, "--run", "one")
    some = ("--robustness-changes", "occlusion,jpeg,h264", "--robustness-frames", 3, "--resamples", 50)
    some += ("--output", "evaluation")
    found = json_of("evaluate", *some)
    rows = found["robustness"]
    assert [(row["change"], row["strength"]) for row in rows[:3]] == [("none", 0), ("jpeg", 1), ("jpeg", 2)]
    assert len(rows) == 16
    assert {row["change"] for row in rows[1:]} == {"jpeg", "h264", "occlusion"}
    assert rows[4]["parameter"] == "quality 30"
    listed = pd.read_csv(project / "evaluation" / "predictions.csv")
    assert rows[0]["video"]["n"] == listed["video"].nunique() and rows[0]["frame"]["n"] == 3 * rows[0]["video"]["n"]
    assert all(row["frame"]["auc"]["low"] is None for row in rows), "too few groups"
    whole = json_of(
        "evaluate", *some[:2], "--robustness-frames", 0, "--resamples", 0, "--output", "whole", "--no-report"
    )
    auc = roc_auc_score(listed["label"] == "fake", listed["score"])
    assert whole["robustness"][0]["frame"]["auc"]["value"] == pytest.approx(auc)
    assert whole["robustness"][0]["frame"]["n"] == len(listed)
    printed = deepfake("evaluate", *some, "--batch-size", 5).stdout
    assert "occlusion" in printed and f"AUC of {rows[0]['frame']['n']} frames" in printed
    assert json.loads((project / "evaluation" / "metrics.json").read_text())["robustness"] == rows
    flat = pd.read_csv(project / "evaluation" / "robustness.csv")
    assert flat["frame_auc_value"].tolist() == pytest.approx([row["frame"]["auc"]["value"] for row in rows])
    for name in ("robustness.png", "changes.png"):
        assert cv2.imread(str(project / "evaluation" / name)).std() > 10
    said = deepfake("evaluate", "--robustness-changes", "jpeg,fog", "--output", "none", check=1).stderr
    assert "'fog'" in said and "occlusion" in said
    assert not (project / "none").exists(), "refused before any work"
