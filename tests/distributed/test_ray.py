"""Jobs on a local Ray cluster of two nodes, with killed workers and nodes."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from deepfake_cli import __version__
from deepfake_cli.assets import CLIPS, FOLDER, STARTER
from deepfake_cli.commands.predict import predict
from deepfake_cli.commands.split import split
from deepfake_cli.config import Predict, Split
from deepfake_cli.datasets import find_clips
from deepfake_cli.distributed import each
from deepfake_cli.distributed.ray_tasks import DriverContext, _run
from deepfake_cli.errors import ClusterError
from deepfake_cli.extraction.extract import Job, extract
from tests import processes

from ..conftest import bucket, tree, write_video

FAST = {
    "health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 6,
    "memory_monitor_refresh_ms": 0,  # other tests of this machine may need much
    "worker_niceness": 0,  # with Ray's 15, they starve beside other tests
}  # fmt: skip
SLOW = """
import os, time
from pathlib import Path
from deepfake_cli.faces import rfb320

def make(least):
    detect = rfb320(least)
    def find(image):
        Path("busy", str(os.getpid())).touch()
        while Path("hold").exists():
            time.sleep(0.02)
        if Path("deadly").exists() and image.shape[1] == 400:
            os._exit(9)
        return detect(image)
    return find
"""
SMALL = """
import keras
from keras import layers

def build(input_shape, weights):
    inputs = keras.Input(input_shape)
    x = layers.Conv2D(8, 3, strides=2, activation="relu")(layers.Rescaling(1 / 255)(inputs))
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid", name="probability")(layers.GlobalAveragePooling2D()(x)))
"""


@pytest.fixture(scope="module")
def cluster(s3):
    """A head node with one core; the environment names the object store."""
    ray_cluster = pytest.importorskip("ray.cluster_utils")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    small = {"num_cpus": 1, "object_store_memory": 100_000_000}
    nodes = ray_cluster.Cluster(True, head_node_args=small | {"include_dashboard": False, "_system_config": FAST})
    nodes.small = small
    yield nodes
    nodes.shutdown()


@pytest.fixture
def second(cluster):
    """A second node, which the test may kill."""
    node = cluster.add_node(**cluster.small)
    yield node
    for process in worker_processes(node):
        process.kill()
    cluster.remove_node(node, allow_graceful=False)


@pytest.fixture
def project(tmp_path, people):
    """A folder with six videos, a face detector that can be paused, and the output of `split` on one machine."""
    for number, images in enumerate([*people.values(), *people.values()]):
        write_video(tmp_path / "raw" / ("real", "fake")[number % 2] / f"{number}.mp4", images)
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "busy").mkdir()
    run(tmp_path, "local", "--workers", 1)
    for path in (tmp_path / "busy").iterdir():
        path.unlink()
    return tmp_path


def start(folder: Path, imgdir: str, *options) -> subprocess.Popen:
    return begin(
        folder, "split", "folder", "--viddir", "raw", "--imgdir", imgdir, "--face-detector", "slow:make", *options
    )


def begin(folder: Path, *words) -> subprocess.Popen:
    return processes.start(*words, cwd=folder)


def deepfake(folder: Path, *words) -> str:
    return end(begin(folder, *words))


def end(process: subprocess.Popen) -> str:
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0 and not re.search("ray|Traceback", err), out + err
    return out


def run(folder: Path, imgdir: str, *options) -> str:
    return end(start(folder, imgdir, *options))


def worker_processes(node) -> list[psutil.Process]:
    return psutil.Process(raylet(node)).children(recursive=True) if psutil.pid_exists(raylet(node)) else []


def raylet(node) -> int:
    return node.all_processes["raylet"][0].process.pid


def wait_for(condition, seconds: float = 300):
    """The first true value of the condition."""
    limit = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < limit, "the condition stayed false"
        time.sleep(0.05)
    return value


def busy(folder: Path, parent: int | None = None) -> list[int]:
    """The processes that are paused on a video."""
    pids = [int(path.name) for path in (folder / "busy").iterdir()]
    return [pid for pid in pids if psutil.pid_exists(pid) and parent in (None, psutil.Process(pid).ppid())]


@pytest.mark.slow
def test_split_on_one_node_equals_one_machine_and_skips_finished_videos(cluster, project):
    for skipped in (0, 6):
        found = run(project, "img", "--cluster", cluster.address, "--json")
        assert json.loads(found)["skipped"] == skipped
        assert tree(project / "local") == tree(project / "img")


@pytest.mark.slow
def test_killed_worker_loses_no_video(cluster, second, project):
    (project / "hold").touch()
    process = start(project, "img", "--cluster", cluster.address)
    for pid in wait_for(lambda: len(busy(project)) == 2 and busy(project)):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(busy(project)) == 2)  # two other workers retry them
    (project / "hold").unlink()
    end(process)
    assert tree(project / "img") == tree(project / "local")


@pytest.mark.slow
def test_killed_node_loses_no_video(cluster, second, project):
    (project / "hold").touch()
    process = start(project, "img", "--cluster", cluster.address)
    wait_for(lambda: busy(project, raylet(second)))
    for child in [*worker_processes(second), psutil.Process(raylet(second))]:
        child.kill()
    (project / "hold").unlink()
    end(process)
    assert tree(project / "img") == tree(project / "local")


@pytest.mark.slow
def test_two_simultaneous_attempts_at_a_video_do_not_conflict(project, monkeypatch):
    """As if a machine lost its connection and kept writing while another repeats its video."""
    monkeypatch.chdir(project)
    settings = Split(adapter="folder", viddir="raw", imgdir="img", face_detector="slow:make")
    job = Job(find_clips("folder", settings.viddir, None)[0], settings)
    Path("hold").touch()
    found = each(extract, [job, job], lost=lambda job: pytest.fail("died"), workers=2)
    threading.Thread(target=lambda: (wait_for(lambda: len(busy(project)) == 2), Path("hold").unlink())).start()
    assert [video for video in found if not video.error]
    assert tree(Path("img", job.clip.video)) == tree(Path("local", job.clip.video))
    assert not list(Path("img").rglob("*.partial"))


@pytest.mark.slow
def test_video_that_kills_every_worker_is_reported(cluster, project):
    (project / "deadly").touch()
    (project / "raw" / "fake" / "3.mp4").unlink()  # of the same person as 0
    for place in ("local2", "img"):
        out = run(project, place, "--json", "--workers", 2, *(["--cluster", cluster.address] if place == "img" else []))
        assert out.count("the worker process died") == 1
    assert tree(project / "img") == tree(project / "local2")


@pytest.mark.slow
def test_predict_on_a_cluster_equals_one_machine(cluster, tmp_path):
    paths = [*(FOLDER / name for name, _ in CLIPS), "missing.mp4"]
    for name, where in {"local": [], "there": ["--cluster", cluster.address]}.items():
        files = ("--csv", f"{name}.csv", "--frames-csv", f"{name}-frames.csv", "--report", f"{name}.html")
        deepfake(tmp_path, "predict", *paths, "--max-frames", 12, *files, *where)
    local, there = (pd.read_csv(tmp_path / f"{name}-frames.csv") for name in ("local", "there"))
    pd.testing.assert_frame_equal(local, there, atol=1e-3)
    local, there = (
        pd.read_csv(tmp_path / f"{name}.csv").drop(columns=["seconds", "began", "record"])
        for name in ("local", "there")
    )
    pd.testing.assert_frame_equal(local, there, atol=1e-3)


@pytest.fixture(scope="module")
def lists(tmp_path_factory, frames_of_uadfv) -> Path:
    """A folder with lists, and a small model to train."""
    folder = tmp_path_factory.mktemp("lists")
    (folder / "small.py").write_text(SMALL)
    deepfake(folder, "make-csv", "uadfv", "--imgdir", frames_of_uadfv, "--ratio", 0.67)
    return folder


@pytest.mark.slow
def test_evaluate_and_audit_on_a_cluster_equal_one_machine(cluster, lists):
    for name, where in {"local": [], "there": ["--cluster", cluster.address]}.items():
        scored = ("csv/train/train.csv", STARTER, "--batch-size", 2, "--no-report", "--resamples", 50)
        deepfake(lists, "evaluate", *scored, "--output", f"{name}-evaluation", *where)
        deepfake(lists, "audit", "--output", f"{name}-audit", *where)
    local, there = (pd.read_csv(lists / f"{name}-evaluation" / "predictions.csv") for name in ("local", "there"))
    assert len(local) > 2 * 16, "more than one task"
    pd.testing.assert_frame_equal(local, there, atol=1e-5)
    local, there = (json.loads((lists / f"{name}-audit" / "audit.json").read_text()) for name in ("local", "there"))
    assert local | {"files": []} == there | {"files": []}


@pytest.mark.slow
def test_bad_image_stops_evaluate_on_a_cluster_too(cluster, lists, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"none")
    rows = (lists / "csv" / "train" / "train.csv").read_text() + f"{tmp_path / 'bad.jpg'},real,x,x,x,0,,,,\n"
    (lists / "csv" / "train" / "bad.csv").write_text(rows)
    words = ("evaluate", "csv/train/bad.csv", STARTER, "--output", tmp_path)
    found = [begin(lists, *words, *where).communicate()[1] for where in ([], ["--cluster", cluster.address])]
    assert found[0] == found[1] and "bad.jpg: cannot decode" in found[0].replace("\n", "")


TRAIN = (
    *(
        "train",
        "--model",
        "small:build",
        "--image-size",
        32,
        "--batch-size",
        8,
        "--steps",
        60,
        "--epochs",
        2,
        "--lr",
        0.003,
    ),
    *("--save-steps", 10, "--no-onnx", "--no-random-transform", "--gpu", "cpu", "--run"),
)


@pytest.fixture(scope="module")
def recipe(lists) -> dict:
    """The recipe of a run on one machine."""
    deepfake(lists, *TRAIN, "here")
    return json.loads((lists / "runs" / "here" / "recipe.json").read_text())


def losses(recipe: dict) -> list[float]:
    return [row[name] for row in recipe["history"] for name in ("loss", "val_loss")]


@pytest.mark.slow
def test_training_on_two_nodes_that_loses_one_equals_one_machine(cluster, second, lists, recipe, s3):
    runs = "s3://media/runs"
    words = (*TRAIN, "there", "--runs-dir", runs, "--cluster", cluster.address)
    process = begin(lists, *words, "--workers-per-run", 2)
    wait_for(lambda: "state.keras" in bucket(s3, "runs/there") or process.poll() is not None)
    for child in [*worker_processes(second), psutil.Process(raylet(second))]:
        child.kill()
    third = cluster.add_node(**cluster.small)
    out = end(process)
    cluster.remove_node(third, allow_graceful=False)
    assert out.count(f"Run: {runs}/there") > 1 and f"Best: {runs}/there/best.keras" in out
    written = json.loads(bucket(s3, "runs/there")["recipe.json"])
    assert losses(written) == pytest.approx(losses(recipe), abs=1e-4)
    refused = begin(lists, *words).communicate()[1]
    assert "holds a run already" in refused.replace("\n", " ")


def test_missing_ray_or_cluster_is_reported_quickly(uadfv, tmp_path, monkeypatch):
    def fault(where: str) -> str:
        with pytest.raises(ClusterError) as error:
            split(Split(adapter="uadfv", viddir=uadfv, imgdir=tmp_path, cluster=where))
        return str(error.value)

    pytest.importorskip("ray")
    started = time.monotonic()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        for where in (f"127.0.0.1:{port}", f"ray://127.0.0.1:{port}"):
            assert "no answer" in fault(where)
    assert "not a host:port" in fault("somewhere")
    assert time.monotonic() - started < 20
    monkeypatch.setitem(sys.modules, "ray", None)
    assert re.search(r"pip install '\S*\[cluster\]'", fault("auto"))
    with pytest.raises(ClusterError, match="cluster"):
        predict(Predict(paths=[FOLDER / CLIPS[0][0]], cluster="auto"))


def test_machine_with_another_version_or_disk_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a worker changes its folder
    context = DriverContext(__version__, tmp_path, None)
    assert _run(context, str, 5) == "5"
    wrong = {"Install one version": context._replace(version="0.0"), "Mount": context._replace(mark=Path("no"))}
    for message, wrong_context in wrong.items():
        with pytest.raises(ClusterError, match=message) as error:
            _run(wrong_context, str, 5)
        assert socket.gethostname() in str(error.value)


@pytest.mark.slow
def test_one_machine_never_loads_ray(uadfv, tmp_path):
    code = f"""if 1:
        import sys
        from deepfake_cli.cli import app
        for words in (["split", "uadfv", "--viddir", {str(uadfv)!r}, "--workers", "1"], ["predict", {str(uadfv / "real")!r}]):
            app(words, standalone_mode=False)
        assert not [name for name in sys.modules if name.split(".")[0] in ("ray", "fsspec") or name.endswith("on_ray")]"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
