"""Detect face deepfakes: from raw data sets to a trained, honestly evaluated detector."""

import os

# OpenCV reads it as it loads; its own limit, 2**30, lets a small file take 3 GB.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**26))

__version__ = "0.1.0"
