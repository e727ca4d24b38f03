import subprocess
import sys

import pytest

from deepfake_cli.distributed.devices import Gpu, Plan, choose
from deepfake_cli.distributed.environment import Workers
from deepfake_cli.errors import DeviceError

NONE: list[Gpu] = []
ONE = [Gpu(0, "H200", 143771)]
FOUR = [Gpu(index, "A100", 40960) for index in range(4)]


@pytest.mark.parametrize(
    ("gpu", "multi_gpu", "force", "visible", "kind", "gpus", "reason"),
    [
        (None, 0, False, NONE, "cpu", (), "no GPU is visible to TensorFlow; using 8 CPU cores"),
        (None, 0, True, NONE, "cpu", (), "no GPU is visible to TensorFlow; using 8 CPU cores"),
        (None, 0, False, ONE, "gpu", (0,), "using GPU 0 (H200, 143771 MiB)"),
        (None, 0, False, FOUR, "gpu", (0,), "using GPU 0 (A100, 40960 MiB) of 4; --multi-gpu 4 would use all"),
        ("cpu", 0, False, FOUR, "cpu", (), "--gpu cpu; using 8 CPU cores"),
        ("CPU", 0, False, NONE, "cpu", (), "--gpu CPU; using 8 CPU cores"),
        ("-1", 0, False, ONE, "cpu", (), "--gpu -1; using 8 CPU cores"),
        ("2", 0, False, FOUR, "gpu", (2,), "using GPU 2 (A100, 40960 MiB)"),
        ("2", 1, False, FOUR, "gpu", (2,), "using GPU 2 (A100, 40960 MiB)"),
        ("3, 1", 0, False, FOUR, "mirrored", (3, 1), "using GPU 3 (A100, 40960 MiB), GPU 1 (A100, 40960 MiB)"),
        ("0,1,3", 2, False, FOUR, "mirrored", (0, 1), "using GPU 0 (A100, 40960 MiB), GPU 1 (A100, 40960 MiB)"),
        ("0,1", 1, True, FOUR, "gpu", (0,), "using GPU 0 (A100, 40960 MiB)"),
        (None, 1, False, FOUR, "gpu", (0,), "using GPU 0 (A100, 40960 MiB)"),
        (None, 2, False, FOUR, "mirrored", (0, 1), "using GPU 0 (A100, 40960 MiB), GPU 1 (A100, 40960 MiB)"),
        (None, 2, True, FOUR, "mirrored", (0, 1), "using GPU 0 (A100, 40960 MiB), GPU 1 (A100, 40960 MiB)"),
        (None, 0, False, [Gpu(0, "GPU")], "gpu", (0,), "using GPU 0 (GPU)"),
    ],
)
def test_choose_devices(gpu, multi_gpu, force, visible, kind, gpus, reason):
    plan = choose(gpu, multi_gpu, force, visible, cores=8)
    assert plan == Plan(kind, gpus, max(1, len(gpus)), bool(gpus), 1, reason)


@pytest.mark.parametrize(
    ("gpu", "multi_gpu", "visible", "there"),
    [
        (None, 1, NONE, "no GPU is visible to TensorFlow"),
        (None, 2, NONE, "no GPU is visible to TensorFlow"),
        (None, 2, ONE, "1 visible to TensorFlow: GPU 0 (H200, 143771 MiB)"),
        ("cpu", 2, FOUR, "--gpu cpu leaves none"),
    ],
)
def test_too_few_gpus_are_refused_unless_forced(gpu, multi_gpu, visible, there):
    with pytest.raises(DeviceError) as error:
        choose(gpu, multi_gpu, False, visible, cores=8)
    assert f"--multi-gpu {multi_gpu} asks for more GPUs than there are: {there}" in str(error.value)
    assert "--multi-gpu-force" in str(error.value)
    plan = choose(gpu, multi_gpu, True, visible, cores=8)
    assert (plan.kind, plan.gpus, plan.replicas, plan.logical_cpus) == ("mirrored", (), multi_gpu, multi_gpu)
    assert not plan.memory_growth
    assert "for testing only" in plan.reason


@pytest.mark.parametrize(
    ("gpu", "multi_gpu", "force", "visible", "message"),
    [
        ("4", 0, False, FOUR, "Received: '4'; 4 visible to TensorFlow: GPU 0 (A100, 40960 MiB), GPU 1"),
        ("0", 0, False, NONE, "Received: '0'; no GPU is visible to TensorFlow"),
        ("0", 0, True, NONE, "Received: '0'"),
        ("first", 0, False, ONE, "Received: 'first'; 1 visible"),
        ("", 0, False, ONE, "Received: ''"),
        ("0,", 0, False, ONE, "Received: '0,'"),
        ("0,0", 0, False, ONE, "each once"),
        ("-1,0", 0, False, ONE, "Received: '-1,0'"),
        ("0,1", 3, False, FOUR, "--gpu 0,1 and --multi-gpu 3 contradict each other"),
        ("0,1", 3, True, FOUR, "--gpu 0,1 and --multi-gpu 3 contradict each other"),
        (None, -1, False, ONE, "0 or more. Received: -1"),
    ],
)
def test_invalid_options_are_refused(gpu, multi_gpu, force, visible, message):
    with pytest.raises(DeviceError) as error:
        choose(gpu, multi_gpu, force, visible, cores=8)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("gpu", "multi_gpu", "visible", "gpus", "replicas", "here"),
    [
        (None, 0, NONE, (), 3, "no GPU is visible to TensorFlow; using 8 CPU cores"),
        (None, 0, FOUR, (0, 1, 2, 3), 12, "using GPU 0 (A100, 40960 MiB), GPU 1"),
        (None, 2, FOUR, (0, 1), 6, "using GPU 0 (A100, 40960 MiB), GPU 1 (A100, 40960 MiB)"),
        ("3", 0, FOUR, (3,), 3, "using GPU 3 (A100, 40960 MiB)"),
        ("cpu", 0, FOUR, (), 3, "--gpu cpu; using 8 CPU cores"),
    ],
)
def test_each_worker_uses_all_its_gpus(gpu, multi_gpu, visible, gpus, replicas, here):
    workers = Workers(("a:1", "b:1", "c:1"), 1, "worker 0")
    plan = choose(gpu, multi_gpu, False, visible, 8, workers)
    assert (plan.kind, plan.gpus, plan.replicas, plan.memory_growth) == ("workers", gpus, replicas, bool(gpus))
    assert plan.reason.startswith(f"worker 0 of 3 workers; {here}") and plan.workers == workers


def test_cpu_replicas_are_refused_on_several_workers():
    with pytest.raises(DeviceError, match="asks for more GPUs than there are"):
        choose(None, 2, True, NONE, 8, Workers(("a:1", "b:1"), 0, "chief 0"))


def test_one_core_is_singular():
    assert choose(None, 0, False, NONE, cores=1).reason.endswith("using 1 CPU core")


PROGRAM = """
import sys
from deepfake_cli.distributed import devices
from deepfake_cli.errors import DeviceError
assert "tensorflow" not in sys.modules
plan = devices.choose("cpu", 2, True, devices.visible_gpus(), cores=2)
strategy = devices.open_strategy(plan)
assert devices.open_strategy(plan).num_replicas_in_sync == 2
import tensorflow as tf
ones = strategy.run(lambda: tf.ones(()))
assert float(strategy.reduce("sum", ones, axis=None)) == 2.0
assert devices.open_strategy(devices.choose("cpu", 0, False, [], cores=2)).num_replicas_in_sync == 1
try:
    devices.open_strategy(devices.choose("cpu", 3, True, [], cores=2))
except DeviceError as error:
    sys.stdout.write(f"{strategy.num_replicas_in_sync} replicas; {error}")
"""


@pytest.mark.slow
def test_two_cpu_replicas_open_and_a_later_plan_is_refused():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 replicas; TensorFlow has already started with other devices")
