"""Each code block of docs/python.md runs as it is, and does what its section says."""

import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

import deepfake_cli
from deepfake_cli.assets import CLIPS, FOLDER, STARTER
from tests import processes
from tests.conftest import sample_frames

PAGE = (Path(__file__).parents[1] / "docs" / "python.md").read_text()
BLOCKS = {
    part.partition("\n")[0]: re.findall(r"^```python\n(.*?)^```", part, re.MULTILINE | re.DOTALL)
    for part in PAGE.split("\n## ")[1:]
}


@pytest.fixture(scope="module")
def place(tmp_path_factory, frames_of_uadfv, uadfv):
    """A folder with what the page names: clips, a photo, frames, a run, lists, and own videos."""
    root = tmp_path_factory.mktemp("python")
    names = [name for name, _ in CLIPS]
    shutil.copyfile(FOLDER / names[0], root / "clip.mp4")
    for folder in ("clips", "frames", "runs/mine"):
        (root / folder).mkdir(parents=True)
    for name in names[:2]:
        shutil.copyfile(FOLDER / name, root / "clips" / name)
    for number, image in enumerate(sample_frames(names[0], 4), 1):
        cv2.imwrite(str(root / "frames" / f"{number:03d}.png"), image)
    cv2.imwrite(str(root / "photo.jpg"), sample_frames(names[0], 1)[0])
    shutil.copyfile(STARTER, root / "runs" / "mine" / "best.onnx")
    (root / "videos").symlink_to(uadfv)
    processes.run("make-csv", "uadfv", "--imgdir", frames_of_uadfv, "--ratio", 0.67, cwd=root)
    return root


@pytest.fixture
def ran(request, place, monkeypatch):
    """Run the blocks of the section that the test names; return their variables."""
    monkeypatch.chdir(place)
    names: dict = {}
    for block in BLOCKS[request.param]:
        exec(compile(block, f"docs/python.md: {request.param}", "exec"), names)
    return names


def section(name):
    return pytest.mark.parametrize("ran", [name], indirect=True)


def test_every_section_has_code_and_a_test():
    assert len(BLOCKS) == 11 and all(BLOCKS.values())
    assert sorted(BLOCKS) == sorted(re.findall(r'^@section\("(.+)"\)$', Path(__file__).read_text(), re.MULTILINE))


@section("Judge a file")
def test_judge_a_file(ran):
    assert ran["verdict"].label == "real" and repr(ran["verdict"]).startswith("<Verdict real 0.")


@section("Load a detector")
def test_load_a_detector(ran):
    assert ran["mine"].threshold == ran["starter"].threshold and ran["same"].threshold == 0.7


@section("Judge anything")
def test_judge_anything(ran):
    assert ran["verdict"].score == pytest.approx(ran["same"].score)
    assert ran["video"].frames == 2 and len(ran["photos"]) == 2
    assert sorted(v.score for v in ran["clips"]) == sorted(v.score for v in ran["also"])
    assert ran["frames"].frames == 2 and len(ran["each"]) == 4


@section("Follow as it goes")
def test_follow_as_it_goes(ran, capsys):
    assert ran["verdict"].label


@section("Use the results")
def test_use_the_results(ran, place):
    assert len(ran["frames"]) == ran["verdict"].frames and len(ran["table"]) == 2 == len(ran["verdicts"])
    assert (place / "scores.png").stat().st_size and (place / "verdicts.csv").stat().st_size
    assert ran["figure"].axes and ran["values"]["verdict"] == ran["verdict"].label


@pytest.mark.slow
@section("From videos to a detector of your own")
def test_from_videos_to_a_detector_of_your_own(ran, place, capsys):
    assert ran["verdict"].label in ("real", "fake", "undecided") and ran["trained"].onnx.is_file()
    assert len(ran["cut"].videos) == 12 and not ran["cut"].failed
    assert ran["measured"].folder.is_relative_to(ran["trained"].best.parent) and len(ran["table"])
    assert [len(result.to_df()) for result in ran["results"].values()] == [1, 1]
    assert {path.name for path in (place / "runs").glob("seed*")} == {"seed0", "seed1"}


@section("Fit a model of your own on the lists")
def test_fit_a_model_of_your_own(ran):
    batches = list(ran["train"])
    assert len(batches) == len(ran["train"]) and len(batches[0]) == 2  # no third element: Keras' sample weight
    images, labels = batches[0]
    assert images.shape == (8, 64, 64, 3) and images.dtype == "uint8"
    assert labels.shape == (8, 1) and set(np.unique(labels)) <= {0.0, 1.0}
    first, second = (np.concatenate([y for _, y in ran["train"]]) for _ in range(2))
    assert first.sum() == second.sum() and len(first) == len(second)
    assert ran["model"].history.history["val_loss"]
    one, two = (np.concatenate([y for _, y in ran["validation"]]) for _ in range(2))
    assert (one == two).all()


@pytest.mark.slow
@section("Train with your model, optimizer and callbacks")
def test_train_with_your_own_parts(ran):
    import keras

    result = ran["result"]
    assert len(ran["losses"]) == 2 == len(result.to_df()) and repr(result).startswith("<TrainResult runs/small-")
    saved = keras.models.load_model(result.best)
    assert type(saved.optimizer).__name__ == "SGD" and saved.name == "small"
    assert float(saved.optimizer.learning_rate) == pytest.approx(0.01)


@section("Measure scores")
def test_measure_scores(ran):
    from sklearn.metrics import roc_auc_score

    metrics = ran["metrics"]
    assert metrics["auc"].value == pytest.approx(roc_auc_score(ran["labels"], ran["scores"]))
    assert metrics["auc"].low <= metrics["auc"].value <= metrics["auc"].high
    assert "over 12 groups" in repr(metrics) and list(ran["table"]) == ["value", "low", "high"]
    assert "needs 1,000 reals" in repr(metrics)
    assert metrics._repr_html_().count("<tr>") == len(metrics)


@section("Use pseudo-fakes and degradations as layers")
def test_layers_in_a_sequential_model(ran):
    fakes, faces = np.asarray(ran["fakes"]), ran["faces"]
    assert fakes.shape == faces.shape and fakes.min() >= 0 and fakes.max() <= 255
    assert (np.asarray(ran["same"]) == faces).all() and (fakes != faces).any()


@section("List and crop your data")
def test_list_and_crop_your_data(ran):
    assert ran["clip"].path.is_file() and ran["face"].shape == (224, 224, 3)


@pytest.mark.slow
def test_results_of_the_commands_are_short_to_print(place, tmp_path, monkeypatch, uadfv, frames_of_uadfv):
    monkeypatch.chdir(tmp_path)
    cut = deepfake_cli.split(adapter="uadfv", viddir=uadfv, size=64, workers=1)
    assert repr(cut) == f"<SplitResult img/manifest.csv: {len(cut.videos)} videos>"
    lists = deepfake_cli.make_csv(adapter="uadfv", imgdir=frames_of_uadfv)
    assert repr(lists).startswith("<MakeCsvResult csv/train/train.csv, csv/val/validation.csv")
    rows = [
        f"{label},{score},v{n},v{n}" for n, (label, score) in enumerate([(0, 0.1), (0, 0.6), (1, 0.5), (1, 0.9)] * 3)
    ]
    (tmp_path / "scores.csv").write_text("\n".join(["label,score,video,group", *rows]))
    result = deepfake_cli.evaluate(predictions="scores.csv")
    assert repr(result).startswith(f"<EvaluateResult {result.summary}: video AUC 0.750 (")
    table = result.to_df().set_index(["level", "metric"])
    assert table.loc[("video", "auc"), "value"] == 0.75
    judged = deepfake_cli.predict(paths=[place / "clips"], every=10)
    assert repr(judged).startswith("<2 verdicts: ") and len(judged) == 2 == len(judged.to_df())
    assert [verdict.path for verdict in judged] == [judged[0].path, judged[1].path]
