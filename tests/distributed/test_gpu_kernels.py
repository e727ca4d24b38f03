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
        ((9, 0), False),
        ((12, 0), False),
        ((5, 2), False),
    ],
)
def test_machine_code_runs_on_its_generation_from_its_minor_version_on(capability, included):
    assert are_included(BUILD, capability) is included


def test_the_first_start_is_said_to_compile_and_the_next_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_CACHE_PATH", str(tmp_path / "cache"))
    assert str(tmp_path / "cache") in note(BUILD, (9, 0)) and "9.0" in note(BUILD, (9, 0))
    assert note(BUILD, (8, 0)) == note(BUILD, None) == ""
    (tmp_path / "cache" / "0").mkdir(parents=True)
    assert note(BUILD, (9, 0)) == ""
    monkeypatch.setenv("CUDA_CACHE_DISABLE", "1")
    assert "Each start" in note(BUILD, (9, 0))


def test_the_size_of_the_cache_is_the_users_if_set(monkeypatch):
    monkeypatch.setenv("CUDA_CACHE_MAXSIZE", "7")
    gpu_kernels.keep_compiled()
    assert os.environ["CUDA_CACHE_MAXSIZE"] == "7"
    monkeypatch.delenv("CUDA_CACHE_MAXSIZE")
    gpu_kernels.keep_compiled()
    assert int(os.environ.pop("CUDA_CACHE_MAXSIZE")) == 4 * 2**30
