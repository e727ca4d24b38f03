"""Score lists: with Keras, with ONNX Runtime, on a cluster, or from a predictions file."""
