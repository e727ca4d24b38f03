"""A real TensorBoard serves the events of runs over HTTP."""

import json
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests import processes
from tests.conftest import FULL_DISK
from tests.training.test_train import FAST, TINY

pytestmark = pytest.mark.slow  # three trainings, and TensorBoard itself

COLOURS = {"real": (0x00, 0x72, 0xB2), "fake": (0xD5, 0x5E, 0x00)}
LOGS = "elsewhere"


def train(folder: Path, *words, prefix: str = "") -> str:
    """Run the real command, which `prefix`, in a shell, may limit; return what it printed."""
    if not prefix:
        return processes.run("train", *words, cwd=folder, timeout=120).stdout
    command = [
        "bash",
        "-c",
        f'{prefix} exec "$@"',
        "bash",
        sys.executable,
        "-m",
        "deepfake_cli",
        "train",
        *map(str, words),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory, frames_of_uadfv) -> Path:
    """A folder with a resumed run, a run with --real-only, and a run whose disk had no space for images."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "tiny.py").write_text(TINY)
    make = ("make-csv", "uadfv", "--imgdir", frames_of_uadfv, "--ratio", "0.67")
    processes.run(*make, cwd=folder)
    train(folder, *FAST, "--epochs", 2, "--run", "plain", "--seed", 3)
    train(folder, "--resume", "plain", "--epochs", 3)
    train(
        folder,
        *FAST,
        "--epochs",
        1,
        "--run",
        "forged",
        "--real-only",
        "--forgery",
        "self_blend",
        "--tensorboard-dir",
        LOGS,
    )
    train(folder, *FAST, "--epochs", 3, "--run", "full", "--seed", 3, prefix=f"{FULL_DISK} 46;")
    (folder / "runs" / LOGS).mkdir()
    (folder / LOGS / "forged").rename(folder / "runs" / LOGS / "forged")
    return folder


@pytest.fixture(scope="module")
def ask(project):
    """Start TensorBoard on the runs; request a page: ``ask("data/runs") -> bytes``."""
    command = ["-m", "tensorboard.main", "--logdir", "runs", "--port", "0", "--samples_per_plugin", "images=100"]
    log = (project / "tensorboard.log").open("w+")
    process = subprocess.Popen([sys.executable, *command], cwd=project, stdout=log, stderr=log)
    try:
        yield Board(process, Path(log.name))
    finally:
        process.terminate()
        process.wait(20)
        log.close()


class Board:
    """A running TensorBoard."""

    def __init__(self, process: subprocess.Popen, log: Path):
        until = time.monotonic() + 60
        while " at http://" not in (text := log.read_text()) and time.monotonic() < until:
            assert process.poll() is None, text
            time.sleep(0.1)
        self.address = text.split(" at ")[-1].split()[0]
        while (
            len(json.loads(self("data/runs"))) < 8 and time.monotonic() < until
        ):  # it serves before it has read all files
            time.sleep(0.2)
        time.sleep(1)

    def __call__(self, page: str, body: dict | None = None, **query) -> bytes:
        url = f"{self.address}{page}{'?' * bool(query)}{urlencode(query)}"
        data = None if body is None else json.dumps(body).encode()
        try:
            with urlopen(Request(url, data, {"Content-Type": "application/json"}), timeout=20) as answer:
                return answer.read()
        except URLError as error:
            raise AssertionError(f"{url}: {error}") from error

    def json(self, page: str, body: dict | None = None, **query):
        return json.loads(self(page, body, **query))

    def images(self, run: str, tag: str) -> dict[int, np.ndarray]:
        """The image of each step."""
        rows = self.json("data/plugin/images/images", run=run, tag=tag, sample=0)
        assert len({row["step"] for row in rows}) == len(rows)
        return {
            row["step"]: np.asarray(Image.open(BytesIO(self(f"data/plugin/images/individualImage?{row['query']}"))))
            for row in rows
        }


def recipe_of(project: Path, run: str) -> dict:
    return json.loads((project / "runs" / run / "recipe.json").read_text())


def tiles(picture: np.ndarray, label: str) -> int:
    """Number of tiles framed in the colour of a class: upper left corners with sides of at least 50 pixels."""
    frame = np.pad((picture == COLOURS[label]).all(-1), ((1, 50), (1, 50)))
    corner = frame[1:-50, 1:-50] & ~frame[:-51, 1:-50] & ~frame[1:-50, :-51]
    for place in range(1, 50):
        corner &= frame[1 + place : -50 + place, 1:-50] & frame[1:-50, 1 + place : -50 + place]
    return int(corner.sum())


def test_tensorboard_serves_the_parts_of_each_run(ask):
    assert b"<title>TensorBoard" in ask("")
    parts = {"best", "train", "validation"}
    runs = {f"{name}/{part}" for name in ("plain/events", "full/events", "elsewhere/forged") for part in parts}
    assert set(ask.json("data/runs")) == runs


def test_each_metric_is_served_once_per_epoch_even_after_resume(ask, project):
    history = recipe_of(project, "plain")["history"]
    assert [row["epoch"] for row in history] == [1, 2, 3]
    served = ask.json("data/plugin/scalars/tags")
    for name in [name for name, value in history[0].items() if name != "epoch" and not isinstance(value, str)]:
        part = "validation" if name.startswith("val_") or name == "threshold" else "train"
        tag = f"epoch/{name.removeprefix('val_')}"
        assert tag in served[f"plain/events/{part}"]
        points = ask.json("data/plugin/scalars/scalars", run=f"plain/events/{part}", tag=tag)
        assert [step for _, step, _ in points] == [1, 2, 3]
        assert [value for *_, value in points] == pytest.approx([row[name] for row in history], rel=1e-6)
    best = recipe_of(project, "plain")["snapshots"]["best.keras"]
    for name in ("epoch", "val_auc", "val_loss"):
        tag = f"of best/{name.removeprefix('val_')}"
        points = ask.json("data/plugin/scalars/scalars", run="plain/events/best", tag=tag)
        assert points[-1][1:] == [3, pytest.approx(best[name], rel=1e-6)]


def test_pr_curve_covers_the_validation_list(ask, project):
    run, tag = "plain/events/validation", "frames/pr_curves"
    assert tag in ask.json("data/plugin/pr_curves/tags")[run]
    curves = ask.json("data/plugin/pr_curves/pr_curves", run=run, tag=tag)[run]
    assert [curve["step"] for curve in curves] == [1, 2, 3]
    table = pd.read_csv(project / "csv" / "val" / "validation.csv")
    fakes = int((table["label"] == "fake").sum())
    for curve in curves:
        assert max(curve["true_positives"]) == fakes and max(curve["false_positives"]) == len(table) - fakes
        assert max(curve["recall"]) == 1
    assert {"scores/reals", "scores/fakes"} <= set(ask.json("data/plugin/histograms/tags")[run])


def test_training_images_are_framed_by_label(ask):
    shown = ask.images("plain/events/train", "faces/training")
    assert sorted(shown) == [0, 2]  # at the start, and when it was resumed
    forged = ask.images("elsewhere/forged/train", "faces/training")[0]
    for picture in (*shown.values(), forged):
        assert picture.std() > 30
        counts = {label: tiles(picture, label) for label in COLOURS}
        assert sum(counts.values()) == 16 and all(counts.values()), counts


def test_worst_errors_show_one_face_per_video(ask, project):
    table = pd.read_csv(project / "csv" / "val" / "validation.csv")
    videos = table.groupby("label")["video"].nunique()
    shown = ask.images("plain/events/validation", "faces/worst errors")
    assert sorted(shown) == [1, 2, 3]
    for picture in shown.values():
        assert picture.std() > 30
        assert {label: tiles(picture, label) for label in COLOURS} == dict(videos)
    (forged,) = ask.images("elsewhere/forged/validation", "faces/worst errors").values()
    assert tiles(forged, "real") == tiles(forged, "fake") == videos["real"]


def test_hparams_compare_runs(ask, project):
    experiment = ask.json("data/plugin/hparams/experiment", {})
    known = {each["name"]: each for each in experiment["hparamInfos"]}
    assert known["forgery"]["differs"] and known["seed"]["differs"] and not known["lr"]["differs"]
    assert not {"run", "runs_dir", "workers", "resume"} & set(known)
    names = [each["name"] for each in experiment["metricInfos"]]
    assert {"of best/auc", "of best/video_auc", "of best/loss"} <= {name["tag"] for name in names}
    columns = [{"metric": name} for name in names] + [{"hparam": name} for name in known]
    asked = {
        "startIndex": 0, "sliceSize": 10, "colParams": [{**column, "includeInResult": True} for column in columns],
        "allowedStatuses": ["STATUS_SUCCESS", "STATUS_RUNNING", "STATUS_UNKNOWN"],
    }  # fmt: skip
    groups = {group["name"]: group for group in ask.json("data/plugin/hparams/session_groups", asked)["sessionGroups"]}
    assert set(groups) == {"plain", "forged", "full"}
    values = groups["plain"]["hparams"]
    assert (values["seed"], values["forgery"], values["model"], values["image_size"]) == (3, "none", "tiny:build", 32)
    metrics = {each["name"]["tag"]: each["value"] for each in groups["plain"]["metricValues"]}
    best = recipe_of(project, "plain")["snapshots"]["best.keras"]
    assert metrics["of best/auc"] == pytest.approx(best["val_auc"], rel=1e-6)


def test_recipe_is_served_as_text(ask):
    (row,) = {
        row["step"]: row for row in ask.json("data/plugin/text/text", run="plain/events/best", tag="recipe")
    }.values()
    assert "tiny:build" in row["text"] and "tensorflow" in row["text"]


def test_full_disk_for_events_does_not_change_the_run(project):
    """The snapshots fit below the limit; images don't."""
    whole, full = recipe_of(project, "plain"), recipe_of(project, "full")
    assert whole["history"] == full["history"] and len(full["history"]) == 3
    sizes = [path.stat().st_size for path in (project / "runs" / "full").rglob("events.out*")]
    assert max(sizes) == 46 * 1024
    assert not (project / "runs" / "full" / "results.png").exists(), "larger than the limit"


def test_unusable_tensorboard_dir_is_refused(project):
    done = processes.run("train", *FAST, "--tensorboard-dir", "tiny.py", cwd=project, check=None, timeout=60)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "tiny.py: a file, where a folder is expected" in done.stderr


def test_forged_validation_faces_are_shown_as_scored(project, monkeypatch):
    from deepfake_cli.config import Train
    from deepfake_cli.data import manifest
    from deepfake_cli.runs.resume import Start
    from deepfake_cli.runs.run import Run
    from deepfake_cli.training import input_pipeline
    from deepfake_cli.training.augmentation import Augmentation, with_forged
    from deepfake_cli.training.tensorboard import EventWriter

    monkeypatch.chdir(project)
    settings = Train(real_only=True, forgery="self_blend", batch_size=7, run="drawn", image_size=64)
    reals = manifest.read(settings.val_annotations).query("label == 0")
    rows, change = with_forged(reals), Augmentation.from_settings(settings).forged
    run = Run.begin(settings, "tiny", Start(), lambda path: None)
    run.recipe["image_size"] = 64
    events = EventWriter(run, rows, change)
    scored = (
        input_pipeline.scoring_batches(rows, image_size=64, batch_size=7, change=change).unbatch().as_numpy_iterator()
    )
    for row, (image, label) in enumerate(zip(scored, rows["label"], strict=True)):
        np.testing.assert_allclose(events._face(row, label), image, atol=1e-2)
    events.close()
    run.close()
