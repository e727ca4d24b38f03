"""One file in, a verdict out: its faces found, followed, scored and weighed, without TensorFlow."""
