"""Pseudo-fakes made of real portraits, as they would look in a video: pairs of a real face and a forged one.

A photograph is placed on a small canvas, lit and blurred as cameras do, forged (`deepfake_cli.pseudo_fakes.forge`), and then
real and fake go through one video codec together. Nothing but the forgery tells the two apart. All of it is NumPy and OpenCV on
float32 BGR images in 0..255, made once and ahead of training; `deepfake_cli.forgery` makes simpler ones as a model trains.
"""

from deepfake_cli.pseudo_fakes.gallery import Gallery, Portrait, find_portraits
from deepfake_cli.pseudo_fakes.pair import MARGIN, MASK, METHODS, SIZES, Pair, Sizes, make_pair

__all__ = ["MARGIN", "MASK", "METHODS", "SIZES", "Gallery", "Pair", "Portrait", "Sizes", "find_portraits", "make_pair"]
