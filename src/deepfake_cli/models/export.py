"""A detector in a file that runs without Keras: ONNX, LiteRT, or TensorFlow's SavedModel. Preprocessing is inside."""

import json
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from deepfake_cli.models.head import PROBABILITY
from deepfake_cli.runtime.onnx import HEAT
from deepfake_cli.runtime.traits import KEY, Traits

MIXED = ("mixed_bfloat16", "mixed_float16", "bfloat16", "float16")  # Keras' names of what is not float32 throughout
OPSET = 17  # of ONNX; read by every ONNX Runtime since 1.12, 2022
IMAGES = "images"  # the one input


def serving(model: keras.Model) -> Callable[[Any], dict[str, Any]]:
    """The function that is exported: uint8 RGB crops to the probability of fake and, where the head allows, its heat map.

    Where pooled features go through one dense layer, the logit is a sum over the places of the feature map, and the addends
    are the map that Grad-CAM (Selvaraju et al., ICCV 2017) gives for that layer: Zhou et al., CVPR 2016.
    """
    features, dense = _pooled(model), model.get_layer(PROBABILITY) if _pooled(model) is not None else None
    outputs = [model.output] if features is None else [model.output, features]
    inner = keras.Model(model.inputs[0], outputs)

    def serve(images: Any) -> dict[str, Any]:
        found = inner(tf.cast(images, tf.float32), training=False)
        if dense is None:
            return {PROBABILITY: found[0] if isinstance(found, list) else found}
        addends = tf.tensordot(tf.cast(found[1], tf.float32), dense.kernel[:, 0], 1)
        return {PROBABILITY: found[0], HEAT: addends}

    return serve


def _pooled(model: keras.Model) -> Any:
    """The feature map (batch, rows, columns, channels) whose mean, by way of dropout alone, the head weighs; None if not so."""
    names = [layer.name for layer in model.layers]
    if names[-3:] != ["pooling", "dropout", PROBABILITY]:
        return None
    return model.get_layer("pooling").input


def in_float32(model: keras.Model) -> keras.Model:
    """The model as one that computes in float32: what GPUs train in bfloat16 or float16 no converter takes, or not exactly."""
    described = json.dumps(keras.saving.serialize_keras_object(model))
    wanted = described
    for policy in MIXED:
        wanted = wanted.replace(f'"{policy}"', '"float32"')
    if wanted == described:
        return model
    again = keras.saving.deserialize_keras_object(json.loads(wanted))
    again.set_weights(model.get_weights())  # they were float32 all the time
    return again


def export_onnx(model: keras.Model, path: Path, traits: Traits, *, compact: bool = False) -> None:
    """Write a detector as ONNX, with its traits as metadata.

    Args:
        model: of this package.
        path: of the file.
        traits: written into it.
        compact: store weights as float16, which halves the file; they are computed with as float32.
    """
    import onnx

    made = _folded(_converted(model, traits))
    made.graph.name = model.name
    if compact:
        _halve(made)
    onnx.helper.set_model_props(made, {KEY: traits.text})
    onnx.save(made, path)


def _converted(model: keras.Model, traits: Traits) -> Any:
    """The model as ONNX, its weights put in afterwards.

    tf2onnx copies its graph before each of its passes: with ResNet101's weights inside that takes 17 GB, without them 1 GB
    and a tenth of the time.
    """
    import tf2onnx
    from onnx import numpy_helper

    serve, weights = serving(model), model.variables

    def bare(images: Any, *values: Any) -> dict[str, Any]:
        with keras.StatelessScope(list(zip(weights, values, strict=True))):
            return serve(images)

    places = [tf.TensorSpec(weight.shape, weight.dtype, f"weight_{n}") for n, weight in enumerate(weights)]
    made, _ = tf2onnx.convert.from_function(tf.function(bare), [_signature(traits), *places], opset=OPSET)
    asked = {each.name for each in made.graph.input}
    for place, weight in zip(places, weights, strict=True):
        if place.name in asked:
            made.graph.initializer.append(numpy_helper.from_array(keras.ops.convert_to_numpy(weight), place.name))
    kept = [each for each in made.graph.input if each.name == IMAGES]
    del made.graph.input[:]
    made.graph.input.extend(kept)
    return made


def _folded(made: Any) -> Any:
    """The same with what weights alone decide computed once: transposed kernels, normalisation inside convolutions."""
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC  # standard operators only
    options.log_severity_level = 3
    with tempfile.TemporaryDirectory() as folder:
        plain, folded = (str(Path(folder) / name) for name in ("plain.onnx", "folded.onnx"))
        onnx.save(made, plain)
        options.optimized_model_filepath = folded
        onnxruntime.InferenceSession(plain, options, providers=["CPUExecutionProvider"])
        made = onnx.load(folded)
    used = [each for each in made.opset_import if each.domain in {node.domain for node in made.graph.node}]
    del made.opset_import[:]
    made.opset_import.extend(used)
    return made


def export_litert(model: keras.Model, path: Path, traits: Traits) -> None:
    """Write a detector for LiteRT (TensorFlow Lite); its traits are in a zip archive at the file's end."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    serve = tf.function(serving(model), input_signature=[_signature(traits, batch=1)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [convert_variables_to_constants_v2(serve.get_concrete_function())]
    )
    path.write_bytes(converter.convert())
    with zipfile.ZipFile(path, "a") as archive:  # as TensorFlow Lite packs what goes along with a model
        archive.writestr(f"{KEY}.json", traits.text)


def export_saved_model(model: keras.Model, path: Path, traits: Traits) -> None:
    """Write a detector as TensorFlow's SavedModel, a folder; its traits are ``assets.extra/deepfake.json`` there."""
    served = tf.Module()
    served.model = model
    served.serve = tf.function(serving(model), input_signature=[_signature(traits)])
    tf.saved_model.save(served, str(path), signatures={"serving_default": served.serve})
    (path / "assets.extra").mkdir()
    (path / "assets.extra" / f"{KEY}.json").write_text(traits.text)


def differences(model: keras.Model, path: Path, images: np.ndarray) -> np.ndarray:
    """How far an exported file's probabilities are from Keras', float64 (images,).

    Raises:
        ModelError: the file can't be run.
    """
    expected = serving(model)(images)[PROBABILITY].numpy()[:, 0]
    return np.abs(RUNNERS[path.suffix](path)(images) - expected.astype(np.float64))


def _run_onnx(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    from deepfake_cli.runtime import load

    return load(path).scores


def _run_litert(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    interpreter = _interpreter()(str(path))
    interpreter.allocate_tensors()
    (given,) = interpreter.get_input_details()
    (asked,) = (each for each in interpreter.get_output_details() if len(each["shape"]) == 2)

    def one(image: np.ndarray) -> float:
        interpreter.set_tensor(given["index"], image[None])
        interpreter.invoke()
        return float(interpreter.get_tensor(asked["index"])[0, 0])

    return lambda images: np.array([one(image) for image in images])


def _interpreter() -> Any:
    """LiteRT's, where it is installed; else the old one that TensorFlow still has."""
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
EXPORTS: dict[str, tuple[str, Callable[..., None]]] = {  # suffix, and what writes it
    "onnx": (".onnx", export_onnx),
    "litert": (".tflite", export_litert),
    "saved_model": ("", export_saved_model),
}


def _signature(traits: Traits, batch: int | None = None) -> tf.TensorSpec:
    return tf.TensorSpec((batch, traits.image_size, traits.image_size, 3), tf.uint8, IMAGES)


def _halve(made: Any) -> None:
    """Store each large float32 constant as float16, with a cast behind it that runtimes fold as they load."""
    import onnx
    from onnx import numpy_helper

    casts = []
    for tensor in made.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < 256:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(onnx.helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT))
    for place, node in enumerate(casts):
        made.graph.node.insert(place, node)
