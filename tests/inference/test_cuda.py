"""How predict chooses between CPU and GPU in ONNX Runtime, whose package for GPUs is not installed here."""

import numpy as np
import onnxruntime
import pytest

from deepfake_cli.assets import CLIPS, FOLDER, STARTER
from deepfake_cli.errors import ConfigError, ModelError
from deepfake_cli.inference import runtimes
from deepfake_cli.inference.runtimes.cuda_libraries import CPU, CUDA
from deepfake_cli.inference.runtimes.tried import run

CROP = np.zeros((1, 160, 160, 3), np.uint8)


@pytest.fixture
def package_for_gpus(monkeypatch):
    """ONNX Runtime as its package for GPUs is on a machine without one: it has the provider, which cannot be started."""
    real, preloaded = onnxruntime.InferenceSession, []

    def session(path, settings, providers, **options):
        if CUDA in providers:
            raise RuntimeError("CUDA failure 100: no CUDA-capable device is detected")
        return real(path, settings, providers=providers, **options)

    def preload(directory):
        preloaded.append(directory)
        print("Failed to load libcudnn.so.9")  # noqa: T201

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    monkeypatch.setattr(onnxruntime, "preload_dlls", preload)
    return preloaded


def test_cuda_without_its_package_says_what_to_install(deepfake):
    failed = deepfake("predict", FOLDER / CLIPS[0][0], "--runtime", "cuda", check=1).stderr
    assert "installed for CPUs only" in failed
    assert "pip uninstall -y onnxruntime && pip install 'onnxruntime-gpu[cuda,cudnn]'" in " ".join(failed.split())


def test_cuda_without_a_gpu_says_so_and_onnx_takes_the_cpu(package_for_gpus, capsys):
    with pytest.raises(ConfigError, match=r"can use no GPU; deepfake -v predict shows why"):
        runtimes.load(STARTER, "cuda")
    network = runtimes.load(STARTER, "onnx")
    assert network.runs_on == "ONNX Runtime, CPU (no usable GPU)"
    assert 0 <= network.scores(CROP)[0] <= 1
    assert package_for_gpus == ["", ""], "the libraries of the wheels were looked for"
    assert not any(capsys.readouterr())


def test_a_damaged_file_is_the_files_fault_on_a_gpu_too(package_for_gpus, tmp_path):
    (tmp_path / "cut.onnx").write_bytes(STARTER.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"cut\.onnx cannot be loaded"):
        runtimes.load(tmp_path / "cut.onnx", "onnx")


@pytest.mark.parametrize(
    "said", ["bfc_arena.cc:376 Failed to allocate memory", "CUDA failure 2: out of memory", "std::bad_alloc"]
)
def test_too_many_images_at_a_time_are_told_from_a_detector_that_is_too_large(said):
    class Full:
        def run(self, outputs, values):
            raise RuntimeError(said)

    with pytest.raises(ModelError, match=r"not enough for 64 images at a time\. Lower --batch-size"):
        run(Full(), None, {"images": CROP.repeat(64, 0)}, STARTER)
    with pytest.raises(ModelError, match=r"cannot be run: "):
        run(Full(), None, {"images": CROP}, STARTER)
