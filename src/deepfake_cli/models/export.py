"""Export a detector, with its preprocessing, to a file that runs without Keras: ONNX, LiteRT or TensorFlow's SavedModel."""

import json
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from deepfake_cli.inference.runtimes.metadata import KEY, Traits
from deepfake_cli.models.export_onnx import export_onnx
from deepfake_cli.models.head import PROBABILITY
from deepfake_cli.models.serving import serving, signature

BATCH = 4  # images that are compared at once
MIXED = ("mixed_bfloat16", "mixed_float16", "bfloat16", "float16")  # Keras' names of policies other than float32


def in_float32(model: keras.Model) -> keras.Model:
    """A copy of the model that computes in float32: converters reject or change bfloat16 and float16."""
    described = json.dumps(keras.saving.serialize_keras_object(model))
    wanted = described
    for policy in MIXED:
        wanted = wanted.replace(f'"{policy}"', '"float32"')
    if wanted == described:
        return model
    again = keras.saving.deserialize_keras_object(json.loads(wanted))
    again.set_weights(model.get_weights())  # float32 under every policy
    return again


def export_litert(model: keras.Model, path: Path, traits: Traits) -> None:
    """Write a detector for LiteRT (TensorFlow Lite); its traits are in a zip archive appended to the file."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    serve = tf.function(serving(model), input_signature=[signature(traits, batch=1)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [convert_variables_to_constants_v2(serve.get_concrete_function())]
    )
    path.write_bytes(converter.convert())
    with zipfile.ZipFile(path, "a") as archive:  # TensorFlow Lite's own format for associated files
        archive.writestr(f"{KEY}.json", traits.text)


def export_saved_model(model: keras.Model, path: Path, traits: Traits) -> None:
    """Write a detector as TensorFlow's SavedModel, a folder; its traits are ``assets.extra/deepfake.json`` there."""
    served = tf.Module()
    served.model = model
    served.serve = tf.function(serving(model), input_signature=[signature(traits)])
    tf.saved_model.save(served, str(path), signatures={"serving_default": served.serve})
    (path / "assets.extra").mkdir()
    (path / "assets.extra" / f"{KEY}.json").write_text(traits.text)


def differences(model: keras.Model, path: Path, images: np.ndarray) -> np.ndarray:
    """Absolute differences between the probabilities of an exported file and of Keras, float64 (images,).

    Raises:
        ModelError: the file cannot be run.
    """
    serve, run = serving(model), RUNNERS[path.suffix](path)
    few = [
        images[start : start + BATCH] for start in range(0, len(images), BATCH)
    ]  # large networks need GB for all at once
    expected = np.concatenate([serve(each)[PROBABILITY].numpy()[:, 0] for each in few])
    return np.abs(np.concatenate([run(each) for each in few]) - expected.astype(np.float64))


def _run_onnx(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    from deepfake_cli.inference.runtimes import load

    return load(path).scores


def _run_litert(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    interpreter = _interpreter()(str(path))
    interpreter.allocate_tensors()
    (input_,) = interpreter.get_input_details()
    (output,) = (details for details in interpreter.get_output_details() if len(details["shape"]) == 2)

    def score(image: np.ndarray) -> float:
        interpreter.set_tensor(input_["index"], image[None])
        interpreter.invoke()
        return float(interpreter.get_tensor(output["index"])[0, 0])

    return lambda images: np.array([score(image) for image in images])


def _interpreter() -> Any:
    """LiteRT's interpreter if installed, else TensorFlow's deprecated one."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        with warnings.catch_warnings(action="ignore"):
            return tf.lite.Interpreter
    return Interpreter


def _run_saved_model(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    served = tf.saved_model.load(str(path))
    return lambda images: served.serve(tf.constant(images))[PROBABILITY].numpy()[:, 0].astype(np.float64)


RUNNERS: dict[str, Callable[[Path], Callable[[np.ndarray], np.ndarray]]] = {
    ".onnx": _run_onnx,
    ".tflite": _run_litert,
    "": _run_saved_model,
}
EXPORTS: dict[str, tuple[str, Callable[..., None]]] = {  # suffix and export function
    "onnx": (".onnx", export_onnx),
    "litert": (".tflite", export_litert),
    "tflite": (".tflite", export_litert),  # its former name
    "saved_model": ("", export_saved_model),
}
