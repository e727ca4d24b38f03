"""What is said of GPUs that TensorFlow has no machine code for."""

import os

import pytest

from deepfake_cli.distributed import gpu_kernels
from deepfake_cli.distributed.gpu_kernels import are_included, note
from tests import processes

BUILD = ["sm_60", "sm_70", "sm_80", "sm_89", "compute_90"]  # TensorFlow 2.21


@pytest.mark.parametrize(
    ("capability", "included"),
    [
        ((8, 0), True),
        ((8, 6), True),
        ((8, 9), True),
        ((7, 5), True),
        ((9, 0), True),
        ((12, 0), False),
        ((5, 2), False),
    ],
)
def test_machine_code_runs_on_its_generation_from_its_minor_version_on(capability, included):
    assert are_included(BUILD, capability) is included


def test_the_first_start_is_said_to_compile_and_the_next_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_CACHE_PATH", str(tmp_path / "cache"))
    assert str(tmp_path / "cache") in note(BUILD, (12, 0)) and "12.0" in note(BUILD, (12, 0))
    assert note(BUILD, (8, 0)) == note(BUILD, None) == ""
    (tmp_path / "cache" / "0").mkdir(parents=True)
    assert note(BUILD, (12, 0)) == ""
    monkeypatch.setenv("CUDA_CACHE_DISABLE", "1")
    assert "Each start" in note(BUILD, (12, 0))


def test_the_caches_are_the_users_if_set(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    own = {"CUDA_CACHE_MAXSIZE": "7", "TF_XLA_FLAGS": "--tf_xla_auto_jit=0 --tf_xla_persistent_cache_directory=/own"}
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    gpu_kernels.keep_compiled()
    assert {name: os.environ[name] for name in own} == own
    monkeypatch.setenv("TF_XLA_FLAGS", "--tf_xla_auto_jit=0")
    monkeypatch.delenv("CUDA_CACHE_MAXSIZE")
    gpu_kernels.keep_compiled()
    assert int(os.environ.pop("CUDA_CACHE_MAXSIZE")) == 4 * 2**30
    kept = gpu_kernels.default_xla_cache()
    assert tmp_path in kept.parents
    assert os.environ["TF_XLA_FLAGS"] == f"--tf_xla_auto_jit=0 --tf_xla_persistent_cache_directory='{kept}'"
    assert gpu_kernels.xla_cache() == kept


@pytest.mark.parametrize("home", ["a file", "too full", "o'brien"])
def test_nothing_is_kept_where_it_cannot_be(home, tmp_path, monkeypatch):
    (tmp_path / home).touch() if home == "a file" else None
    monkeypatch.setattr(gpu_kernels, "ROOM", 2**80 if home == "too full" else 1)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / home))
    monkeypatch.setenv("TF_XLA_FLAGS", "")
    gpu_kernels.keep_compiled()
    assert os.environ["TF_XLA_FLAGS"] == "" and gpu_kernels.xla_cache() is None
    assert "kept" not in gpu_kernels.xla_note()


def test_a_step_that_xla_cannot_read_is_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a home"))
    monkeypatch.setenv("TF_XLA_FLAGS", "")
    gpu_kernels.keep_compiled()
    folder = gpu_kernels.xla_cache()
    folder.mkdir(parents=True)
    (folder / "step.pb").touch()
    assert gpu_kernels.forget_damaged(ValueError("No algorithm worked!")) == "" and folder.is_dir()
    assert (
        str(folder) in gpu_kernels.forget_damaged(ValueError("Read less bytes than requested")) and not folder.exists()
    )
    monkeypatch.setenv("TF_XLA_FLAGS", f"{gpu_kernels.XLA_CACHE}{tmp_path}")
    assert "Remove this folder" in gpu_kernels.forget_damaged(ValueError("Serialized cache key does not match."))
    assert tmp_path.is_dir()


def test_the_first_training_with_xla_is_said_to_compile_and_the_next_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("TF_XLA_FLAGS", f"--tf_xla_persistent_cache_directory={tmp_path / 'kept'} --tf_xla_auto_jit=0")
    assert f"kept in {tmp_path / 'kept'}, so" in gpu_kernels.xla_note()
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "step.pb").touch()
    assert gpu_kernels.xla_note() == ""


def test_the_oldest_compiled_steps_are_forgotten(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(gpu_kernels, "KEPT", 25)
    monkeypatch.setenv("TF_XLA_FLAGS", "")
    folder = gpu_kernels.default_xla_cache()
    folder.mkdir(parents=True)
    for age, name in enumerate(("newest", "middle", "oldest")):
        (folder / name).write_bytes(b"0" * 10)
        os.utime(folder / name, (1e9 - age, 1e9 - age))
    gpu_kernels.keep_compiled()
    assert {file.name for file in folder.iterdir()} == {"newest", "middle"}


@pytest.mark.slow
def test_tensorflow_says_so_if_it_cannot_read_what_xla_kept(tmp_path):
    folder = tmp_path / "a folder"
    code = f"""
import os
from pathlib import Path
import tensorflow as tf

def started():  # as a process of its own would: its functions get the same names
    if not os.fork():
        try:
            tf.function(lambda x: tf.reduce_sum(tf.sin(x) @ x), jit_compile=True)(tf.ones((8, 8)))
            print("worked", flush=True)
        except tf.errors.OpError as error:
            print(repr(str(error)), flush=True)
        os._exit(0)
    os.wait()

started()
(kept,) = Path({str(folder)!r}).iterdir()
whole = kept.read_bytes()
for content in (b"", whole[:300], bytes(len(whole)), whole):
    kept.write_bytes(content)
    started()
"""
    (tmp_path / "script.py").write_text(code)
    flags = {"TF_XLA_FLAGS": f"{gpu_kernels.XLA_CACHE}'{folder}'"}
    before, *damaged, after = processes.run(tmp_path / "script.py", cwd=tmp_path, **flags).stdout.splitlines()
    assert (before, after) == ("worked", "worked") and len(damaged) == 3
    assert all(any(words in line for words in gpu_kernels.DAMAGED) for line in damaged)
