"""CUDA for ONNX Runtime: whether the installed package has it, and the libraries that it needs."""

import io
from contextlib import redirect_stdout

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


def has_cuda() -> bool:
    """Whether the installed ONNX Runtime is the one for GPUs. There may still be no GPU, or a library may be missing."""
    import onnxruntime

    return CUDA in onnxruntime.get_available_providers()


def load_libraries() -> None:
    """Load CUDA and cuDNN from the wheels that pip installed, where no system path has them; what is missing stays so."""
    import onnxruntime

    with redirect_stdout(io.StringIO()):  # it prints what it does not find
        onnxruntime.preload_dlls(directory="")
