"""The examples in configs/cluster: valid schemas, valid commands, and SLURM scripts that run on two simulated hosts."""

import importlib.util
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from deepfake_cli.cli import app
from tests import processes

from ..conftest import tree

FOLDER = Path(__file__).parents[2] / "configs" / "cluster"
FILES = sorted(FOLDER.iterdir())
HOSTS = {f"deepfake-{os.getpid()}-{end}": f"10.213.7.{end}" for end in (1, 2)}  # others may run these tests too
SMALL = """
import keras
from keras import layers

def build(input_shape, weights):
    inputs = keras.Input(input_shape)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, strides=2)(layers.Rescaling(1 / 255)(inputs)))
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid", name="probability")(x))
"""
SRUN = f"""#!{sys.executable}
import os, signal, subprocess, sys
words, hosts = sys.argv[1:], {HOSTS!r}
while words[0].startswith("-"):
    option = words.pop(0)
    if option == "-w":
        hosts = {{name: at for name, at in hosts.items() if at == words[0]}}
        words.pop(0)
    if option.startswith("--exclude="):
        hosts = {{name: at for name, at in hosts.items() if at != option.partition("=")[2]}}
step = {{"SLURM_STEP_NUM_TASKS": len(hosts), "SLURM_STEP_NUM_NODES": len(hosts), "SLURM_STEP_NODELIST": "nodes[1-2]"}}
tasks = [
    subprocess.Popen(
        ["ip", "netns", "exec", name, *words],
        env=os.environ | {{key: str(value) for key, value in (step | {{"SLURM_PROCID": rank}}).items()}},
    )
    for rank, name in enumerate(hosts)
]
signal.signal(signal.SIGTERM, lambda *_: [task.terminate() for task in tasks])
sys.exit(max(task.wait() for task in tasks))
"""


@pytest.fixture
def hosts(tmp_path, monkeypatch):
    """Two connected network namespaces as hosts, with scripts for SLURM's srun and scontrol."""
    first, second = HOSTS
    commands = [f"ip netns add {name}" for name in HOSTS]
    commands += [f"ip link add v0 netns {first} type veth peer name v0 netns {second}"]
    for name, other in ((first, second), (second, first)):
        inside = (f"addr add {HOSTS[name]}/24 dev v0", "link set v0 up", "link set lo up")
        commands += [
            f"ip -n {name} {words}" for words in (*inside, f"route add default via {HOSTS[other]}")
        ]  # Ray needs a default route
    try:
        for command in commands:
            if subprocess.run(command.split(), capture_output=True, check=False).returncode:
                pytest.skip(f"no network namespaces here: {command}")
        for name, text in (("srun", SRUN), ("scontrol", "#!/bin/sh\nprintf '%s\\n' " + " ".join(HOSTS.values()))):
            (tmp_path / "bin").mkdir(exist_ok=True)
            (tmp_path / "bin" / name).write_text(text)
            (tmp_path / "bin" / name).chmod(0o755)
        (tmp_path / "bin" / "activate").write_text("")
        here = Path(sys.executable).parent
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{here}:{os.environ['PATH']}")
        monkeypatch.setenv("DEEPFAKE_VENV", str(tmp_path))
        monkeypatch.setenv("RAY_worker_niceness", "0")  # with 15, workers starve beside other tests
        for name, value in {"JOB_ID": 7, "JOB_NODELIST": "nodes[1-2]", "JOB_NUM_NODES": 2, "CPUS_ON_NODE": 1}.items():
            monkeypatch.setenv(f"SLURM_{name}", str(value))
        yield first
    finally:
        for name in HOSTS:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def batch(host: str, folder: Path, script: str, *words) -> str:
    """Run a batch script on the first host, as SLURM does."""
    command = ["ip", "netns", "exec", host, "bash", FOLDER / script, *words]
    process = subprocess.Popen(
        [*map(str, command)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    late = threading.Timer(150, os.killpg, (process.pid, signal.SIGKILL))
    late.start()
    out, _ = process.communicate()
    late.cancel()
    with suppress(ProcessLookupError):  # SLURM ends all of a job's processes with it
        os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, out
    return out


@pytest.mark.slow
def test_slurm_trains_on_two_hosts(hosts, tmp_path, frames_of_uadfv):
    (tmp_path / "small.py").write_text(SMALL)
    words = ["make-csv", "uadfv", "--imgdir", frames_of_uadfv, "--ratio", 0.67]
    processes.run(*words, cwd=tmp_path)
    small = ("--model", "small:build", "--image-size", 32, "--batch-size", 8, "--steps", 3, "--epochs", 1, "--no-onnx")
    out = batch(hosts, tmp_path, "slurm-train.sbatch", *small)
    assert "task 0 (chief) of 2 workers" in out and "task 1 of 2 workers" in out
    assert len(json.loads((tmp_path / "runs" / "slurm-7" / "recipe.json").read_text())["history"]) == 1
    assert "Finished already" in batch(hosts, tmp_path, "slurm-train.sbatch", *small), "a requeued job"


@pytest.mark.slow
def test_slurm_splits_on_two_hosts(hosts, tmp_path, uadfv):
    pytest.importorskip("ray")
    words = ["split", "uadfv", "--viddir", uadfv, "--imgdir", "one"]
    processes.run(*words, cwd=tmp_path)
    batch(hosts, tmp_path, "slurm-split.sbatch", "uadfv", "--viddir", uadfv, "--imgdir", "two")
    assert tree(tmp_path / "two") == tree(tmp_path / "one")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_example_commands_are_valid(path):
    text = re.sub(r"\\\n|>-?\n", " ", path.read_text()).replace("\n#   ", "\n").replace('"$@"', "")
    lines = [line.partition("exec ")[2] or line for line in map(str.strip, text.splitlines())]
    found = [line for line in (re.sub(r"^srun \S+ ", "", line) for line in lines) if line.startswith("deepfake ")]
    assert found
    for line in found:
        name, *words = shlex.split(line)[1:]
        given = {"split": ["dfdc", "--viddir", "x"]}.get(name, []) if "slurm" in path.name else []
        get_command(app).commands[name].make_context(name, [*given, *words])  # type: ignore[attr-defined]


def test_batch_scripts_have_valid_syntax():
    for path in FOLDER.glob("*.sbatch"):
        subprocess.run(["bash", "-n", path], check=True)
        assert path.read_text().startswith("#!/usr/bin/env bash\n"), "sbatch requires it"


def test_ray_example_fits_its_schema():
    pytest.importorskip("ray")
    schema = Path(importlib.util.find_spec("ray").origin).parent / "autoscaler" / "ray-schema.json"
    jsonschema = pytest.importorskip("jsonschema")
    config = yaml.safe_load((FOLDER / "ray-aws.yaml").read_text())
    jsonschema.validate(config, json.loads(schema.read_text()))
    assert config["head_node_type"] in config["available_node_types"]


def test_kubeflow_example_has_the_required_names():
    """Its schema is not on PyPI; docs/scale.md says how the example was checked with it."""
    spec = yaml.safe_load((FOLDER / "tfjob.yaml").read_text())["spec"]
    (worker,) = spec["tfReplicaSpecs"].values()
    pod = worker["template"]["spec"]
    (container,) = pod["containers"]
    assert container["name"] == "tensorflow" and worker["restartPolicy"] == "OnFailure"
    assert {each["name"] for each in container["volumeMounts"]} == {each["name"] for each in pod["volumes"]}
