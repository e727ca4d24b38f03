"""The sample set of ``deepfake demo``."""
