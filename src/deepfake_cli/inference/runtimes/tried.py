"""Try an exported detector on one image with little memory, before it may take more: its nodes can ask for any amount."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.checked import check_input
from deepfake_cli.inference.runtimes.metadata import AGAIN, KEY, Traits

PROBABILITY = "probability"  # name of the output
OUT_OF_MEMORY = ("bfc_arena", "out of memory", "bad_alloc")  # words of ONNX Runtime, of CUDA and of C++
MOST = 2**30  # bytes for the values between the layers, for one image; ViT-L/14 at 336 pixels takes a tenth


def tried(path: Path) -> Traits:
    """Load a detector without optimisation, which would compute constants of any size; check it, and run it.

    Returns:
        Its metadata.

    Raises:
        ModelError: it cannot be loaded or run, was not written by ``deepfake export``, or needs too much memory.
    """
    import onnxruntime

    _limit_memory()
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 4  # errors are raised anyway
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    settings.add_session_config_entry("session.use_env_allocators", "1")  # that of `_limit_memory`
    settings.add_session_config_entry("session.use_device_allocator_for_initializers", "1")  # weights do not count
    session = session_of(path, settings, ["CPUExecutionProvider"])
    traits = Traits.parse(_metadata(session, path), path)
    inputs, outputs = session.get_inputs(), [output.name for output in session.get_outputs()]
    if len(inputs) != 1 or PROBABILITY not in outputs:
        raise ModelError(f"{path}: expected one input, and an output named {PROBABILITY}. {AGAIN}")
    check_input(inputs[0].shape, traits, path)
    images = np.random.default_rng(0).integers(0, 256, (1, traits.image_size, traits.image_size, 3), np.uint8)
    run(session, None, {inputs[0].name: images}, path)
    return traits


def _metadata(session: Any, path: Path) -> str | None:
    try:
        return session.get_modelmeta().custom_metadata_map.get(KEY)
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: damaged: its metadata are not UTF-8 text, at byte {error.start}. {AGAIN}") from None


def session_of(path: Path, settings: Any, providers: list[str]) -> Any:
    """An ONNX Runtime session.

    Raises:
        ModelError: it cannot be loaded.
    """
    import onnxruntime

    try:
        return onnxruntime.InferenceSession(str(path), settings, providers=providers, enable_fallback=0)  # which prints
    except Exception as error:  # noqa: BLE001 - ONNX Runtime has no common exception class
        raise ModelError(f"{path} cannot be loaded: {_said(error)}") from None


def run(session: Any, outputs: list[str] | None, values: dict[str, np.ndarray], path: Path) -> list[np.ndarray]:
    """Run a session.

    Raises:
        ModelError: it cannot be run.
    """
    try:
        return list(session.run(outputs, values))
    except Exception as error:  # noqa: BLE001 - ONNX Runtime has no common exception class
        images = max(map(len, values.values()))
        if any(word in str(error) for word in OUT_OF_MEMORY) and images > 1:
            raise ModelError(
                f"{path} cannot be run: memory is not enough for {images} images at a time. Lower --batch-size, if the command "
                "has it."
            ) from None
        if "bfc_arena" in str(error):  # the allocator of `_limit_memory`
            raise ModelError(
                f"{path} cannot be run: it needs more than {MOST >> 30} GiB of memory for an image."
            ) from None
        raise ModelError(f"{path} cannot be run: {_said(error)}") from None


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


@cache
def _limit_memory() -> None:
    """Register an allocator that gives no more than `MOST`, for the sessions that ask for it."""
    import onnxruntime

    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    onnxruntime.create_and_register_allocator(
        place, onnxruntime.OrtArenaCfg({"max_mem": MOST, "arena_extend_strategy": 1})
    )
