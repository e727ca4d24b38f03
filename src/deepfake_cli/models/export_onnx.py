"""Export a detector to ONNX with tf2onnx, using less memory than tf2onnx alone, and optimise it."""

import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf
from onnx import numpy_helper

from deepfake_cli.inference.runtimes.metadata import KEY, Traits
from deepfake_cli.models.serving import IMAGES, serving, signature

OPSET = 17  # supported by ONNX Runtime since 1.12, 2022
ARITHMETIC = ("Add", "Sub", "Mul", "Div")
CATCH = "TF2ONNX_CATCH_ERRORS"  # of tf2onnx.constants
PLANAR = [0, 3, 1, 2]  # permutation from channels last to channels first


def export_onnx(model: keras.Model, path: Path, traits: Traits, *, compact: bool = False) -> None:
    """Write a detector as ONNX, with its traits as metadata.

    Args:
        model: a detector of this package.
        path: the file to write.
        traits: stored in the file's metadata.
        compact: store weights as float16, which halves the file; they are still computed with as float32.
    """
    exported = _fold_constants(_convert(model, traits))
    _move_arithmetic_to_planes(exported)
    _name_constants_by_content(exported)
    exported.graph.name = model.name
    if compact:
        _store_as_float16(exported)
    onnx.helper.set_model_props(exported, {KEY: traits.text})
    onnx.save(exported, path)


def _convert(model: keras.Model, traits: Traits) -> Any:
    """Convert the model to ONNX without its weights, then insert them.

    tf2onnx copies its graph several times. With ResNet101's weights this needs 17 GB, without them 1 GB and a tenth of the
    time.
    """
    serve, weights = serving(model), model.variables

    def without_weights(images: Any, *values: Any) -> dict[str, Any]:
        with keras.StatelessScope(list(zip(weights, values, strict=True))):
            return serve(images)

    inputs = [tf.TensorSpec(weight.shape, weight.dtype, f"weight_{n}") for n, weight in enumerate(weights)]
    exported = _converted(tf.function(without_weights), [signature(traits), *inputs])
    used = {value.name for value in exported.graph.input}
    for spec, weight in zip(inputs, weights, strict=True):
        if spec.name in used:
            exported.graph.initializer.append(numpy_helper.from_array(keras.ops.convert_to_numpy(weight), spec.name))
    images = [value for value in exported.graph.input if value.name == IMAGES]
    del exported.graph.input[:]
    exported.graph.input.extend(images)
    return exported


def _converted(function: Any, inputs: list[tf.TensorSpec]) -> Any:
    """Convert a function with tf2onnx; with a copy of its graph before each pass, half of the time, only if one fails."""
    import tf2onnx

    with _catching_no_errors(), suppress(Exception):
        return tf2onnx.convert.from_function(function, inputs, opset=OPSET)[0]
    return tf2onnx.convert.from_function(function, inputs, opset=OPSET)[0]


@contextmanager
def _catching_no_errors() -> Iterator[None]:
    """Set the variable with which tf2onnx neither copies its graph nor skips a pass that fails."""
    os.environ[CATCH] = "FALSE"
    try:
        yield
    finally:
        del os.environ[CATCH]


def _fold_constants(exported: Any) -> Any:
    """Compute what depends on weights only, such as transposed kernels and normalisation folded into convolutions."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC  # standard operators only
    options.log_severity_level = 3
    with tempfile.TemporaryDirectory() as folder:
        plain, folded = (str(Path(folder) / name) for name in ("plain.onnx", "folded.onnx"))
        onnx.save(exported, plain)
        options.optimized_model_filepath = folded
        onnxruntime.InferenceSession(plain, options, providers=["CPUExecutionProvider"])
        optimized = onnx.load(folded)
    used = [opset for opset in optimized.opset_import if opset.domain in {node.domain for node in optimized.graph.node}]
    del optimized.opset_import[:]
    optimized.opset_import.extend(used)
    return optimized


def _move_arithmetic_to_planes(exported: Any) -> None:
    """Move per-channel arithmetic behind the transposition to channels first, so that it runs plane by plane.

    On interleaved channels, preprocessing takes a tenth of a small model's time.
    """
    graph = exported.graph
    made_by = {name: node for node in graph.node for name in node.output}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    users = Counter(name for node in graph.node for name in node.input)
    for transpose in [node for node in graph.node if node.op_type == "Transpose" and _perm(node) == PLANAR]:
        chain, name = [], transpose.input[0]
        while users[name] == 1 and (node := made_by.get(name)) is not None and node.op_type in ARITHMETIC:
            fixed = [value for value in node.input if value in constants and users[value] == 1]
            if len(fixed) != 1:
                break
            chain.append((node, constants[fixed[0]]))
            name = next(value for value in node.input if value != fixed[0])
        if chain:
            _move_forward(graph, transpose, chain, name)


def _name_constants_by_content(exported: Any) -> None:
    """Name, merge and sort constants by content, since the converter's names and order vary from run to run."""
    names: dict[str, str] = {}
    unique: dict[str, Any] = {}
    for tensor in exported.graph.initializer:
        values = numpy_helper.to_array(tensor)
        digest = hashlib.sha256(f"{values.dtype}{values.shape}".encode() + values.tobytes()).hexdigest()
        names[tensor.name] = tensor.name = f"constant_{digest[:16]}"
        unique[tensor.name] = tensor
    ordered = [unique[name] for name in sorted(unique)]
    exported.graph.ClearField("initializer")
    exported.graph.initializer.extend(ordered)
    for node in exported.graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = names.get(name, name)


def _perm(node: Any) -> list[int]:
    """The permutation of a Transpose node."""
    return next((list(attribute.ints) for attribute in node.attribute if attribute.name == "perm"), [])


def _move_forward(graph: Any, transpose: Any, chain: list[tuple[Any, Any]], name: str) -> None:
    """Move a transposition before a chain of arithmetic nodes.

    Args:
        graph: of the model.
        transpose: the node to move.
        chain: nodes and their constants, from the transposition backwards.
        name: the chain's input.
    """
    index, moved = list(graph.node).index(transpose), [node for node, _ in reversed(chain)]
    outputs = {node.output[0] for node in moved}
    for node in (*moved, transpose):
        graph.node.remove(node)
    moved[-1].output[0] = transpose.output[0]
    transpose.input[0], transpose.output[0] = name, f"{name}_planar"
    moved[0].input[list(moved[0].input).index(name)] = transpose.output[0]
    for _, tensor in chain:
        values = numpy_helper.to_array(tensor)
        if values.size > 1:
            tensor.CopyFrom(numpy_helper.from_array(values.reshape(-1, 1, 1), tensor.name))
    for info in [info for info in graph.value_info if info.name in outputs]:  # their shapes changed
        graph.value_info.remove(info)
    for offset, node in enumerate((transpose, *moved)):
        graph.node.insert(index - len(moved) + offset, node)


def _store_as_float16(exported: Any) -> None:
    """Store each large float32 constant as float16, with a cast to float32 that runtimes fold when loading."""
    casts = []
    for tensor in exported.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < 256:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(onnx.helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT))
    for index, node in enumerate(casts):
        exported.graph.node.insert(index, node)
