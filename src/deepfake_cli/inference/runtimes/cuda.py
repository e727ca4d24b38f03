"""ONNX Runtime on an NVIDIA GPU; needs its package for GPUs, which takes the place of the one for CPUs."""

from pathlib import Path

from deepfake_cli.errors import ConfigError
from deepfake_cli.inference.runtimes.cuda_libraries import CPU, CUDA, has_cuda
from deepfake_cli.inference.runtimes.onnx import OnnxNetwork, load_on
from deepfake_cli.installation import ONNX_ON_GPU


def cuda(path: Path, threads: int | None = None) -> OnnxNetwork:
    """Load an exported detector on an NVIDIA GPU.

    Raises:
        ConfigError: the package for GPUs is not installed, or it can use none.
    """
    if not has_cuda():
        raise ConfigError(
            f"ONNX Runtime is installed for CPUs only. Replace it by the one for GPUs: {ONNX_ON_GPU}. Or use --runtime onnx."
        )
    network = load_on(path, threads, [CUDA, CPU])
    if network.provider != CUDA:
        raise ConfigError(
            "ONNX Runtime can use no GPU; deepfake -v predict shows why. Check with nvidia-smi that there is one, with a driver "
            f"for the CUDA of onnxruntime-gpu; install CUDA's libraries with: {ONNX_ON_GPU}. Or use --runtime onnx."
        )
    return network
