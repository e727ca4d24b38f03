"""Detect face deepfakes: from raw data sets to a trained, honestly evaluated detector."""

__version__ = "0.1.0"
