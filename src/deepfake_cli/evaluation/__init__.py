"""Scores of lists: by Keras, by ONNX Runtime, on a cluster, or from a file."""
