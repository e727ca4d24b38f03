"""Pairs of a real face and its pseudo-fake, made from photographs before training, as they would look in a video.

A photograph is placed on a small canvas, changed like by a camera, and forged (`deepfake_cli.pseudo_fakes.forge`). Then real
and fake pass through the same video codec, so that only the forgery separates them. Everything is NumPy and OpenCV on float32
BGR images in 0..255. `deepfake_cli.forgery` makes simpler pseudo-fakes during training.
"""

from deepfake_cli.pseudo_fakes.forge import Sizes
from deepfake_cli.pseudo_fakes.gallery import Gallery, Portrait, find_portraits
from deepfake_cli.pseudo_fakes.pair import MARGIN, MASK, METHODS, SIZES, Pair, make_pair

__all__ = ["MARGIN", "MASK", "METHODS", "SIZES", "Gallery", "Pair", "Portrait", "Sizes", "find_portraits", "make_pair"]
