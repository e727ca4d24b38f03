"""Judge files without TensorFlow: detect and track faces, score them, aggregate the scores to a verdict."""
