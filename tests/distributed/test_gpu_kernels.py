"""What is said of GPUs that TensorFlow has no machine code for."""

import os

import pytest

from deepfake_cli.distributed import gpu_kernels
from deepfake_cli.distributed.gpu_kernels import are_included, note

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
    assert os.environ["TF_XLA_FLAGS"] == f"--tf_xla_auto_jit=0 --tf_xla_persistent_cache_directory={kept}"


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
