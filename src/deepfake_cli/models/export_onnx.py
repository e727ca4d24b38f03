"""A detector as ONNX, by way of tf2onnx, with less memory than that takes by itself, and faster to run."""

import hashlib
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf
from onnx import numpy_helper

from deepfake_cli.inference.runtimes.metadata import KEY, Traits
from deepfake_cli.models.serving import IMAGES, serving, signature

OPSET = 17  # of ONNX; read by every ONNX Runtime since 1.12, 2022
ARITHMETIC = ("Add", "Sub", "Mul", "Div")
PLANAR = [0, 3, 1, 2]  # images with channels last to images with channels first


def export_onnx(model: keras.Model, path: Path, traits: Traits, *, compact: bool = False) -> None:
    """Write a detector as ONNX, with its traits as metadata.

    Args:
        model: of this package.
        path: of the file.
        traits: written into it.
        compact: store weights as float16, which halves the file; they are computed with as float32.
    """
    made = _folded(_converted(model, traits))
    _planar(made)
    _named_by_content(made)
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

    serve, weights = serving(model), model.variables

    def bare(images: Any, *values: Any) -> dict[str, Any]:
        with keras.StatelessScope(list(zip(weights, values, strict=True))):
            return serve(images)

    places = [tf.TensorSpec(weight.shape, weight.dtype, f"weight_{n}") for n, weight in enumerate(weights)]
    made, _ = tf2onnx.convert.from_function(tf.function(bare), [signature(traits), *places], opset=OPSET)
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


def _planar(made: Any) -> None:
    """Let arithmetic with a constant for each channel come after the change to channels first, plane by plane.

    Before it, where every third value has the same constant, preprocessing takes a tenth of a small model's time.
    """
    graph = made.graph
    made_by = {name: node for node in graph.node for name in node.output}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    users = Counter(name for node in graph.node for name in node.input)
    for change in [node for node in graph.node if node.op_type == "Transpose" and _perm(node) == PLANAR]:
        chain, name = [], change.input[0]
        while users[name] == 1 and (node := made_by.get(name)) is not None and node.op_type in ARITHMETIC:
            fixed = [each for each in node.input if each in constants and users[each] == 1]
            if len(fixed) != 1:
                break
            chain.append((node, constants[fixed[0]]))
            name = next(each for each in node.input if each != fixed[0])
        if chain:
            _swap(graph, change, chain, name)


def _named_by_content(made: Any) -> None:
    """Name and order constants by what they hold: the converter names equal ones after any of their users, in any order."""
    names: dict[str, str] = {}
    kept: dict[str, Any] = {}
    for tensor in made.graph.initializer:
        values = numpy_helper.to_array(tensor)
        digest = hashlib.sha256(f"{values.dtype}{values.shape}".encode() + values.tobytes()).hexdigest()
        names[tensor.name] = tensor.name = f"constant_{digest[:16]}"
        kept[tensor.name] = tensor
    ordered = [kept[name] for name in sorted(kept)]
    made.graph.ClearField("initializer")
    made.graph.initializer.extend(ordered)
    for node in made.graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = names.get(name, name)


def _perm(node: Any) -> list[int]:
    return next((list(each.ints) for each in node.attribute if each.name == "perm"), [])


def _swap(graph: Any, change: Any, chain: list[tuple[Any, Any]], name: str) -> None:
    """Put `change`, of the value `name`, before the `chain` that it came after, which is listed from its end."""
    place, moved = list(graph.node).index(change), [node for node, _ in reversed(chain)]
    shaped = {node.output[0] for node in moved}
    for node in (*moved, change):
        graph.node.remove(node)
    moved[-1].output[0] = change.output[0]
    change.input[0], change.output[0] = name, f"{name}_planar"
    moved[0].input[list(moved[0].input).index(name)] = change.output[0]
    for _, tensor in chain:
        values = numpy_helper.to_array(tensor)
        if values.size > 1:
            tensor.CopyFrom(numpy_helper.from_array(values.reshape(-1, 1, 1), tensor.name))
    for each in [each for each in graph.value_info if each.name in shaped]:
        graph.value_info.remove(each)
    for offset, node in enumerate((change, *moved)):
        graph.node.insert(place - len(moved) + offset, node)


def _halve(made: Any) -> None:
    """Store each large float32 constant as float16, with a cast behind it that runtimes fold as they load."""
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
