"""Read, decode and scale images in TensorFlow."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from deepfake_cli.media.image import decode_image
from deepfake_cli.storage.files import read_bytes

ELSEWHERE = r"\.tar/|^[a-z][a-z0-9+.-]+:/"  # matches paths that TensorFlow cannot read by itself
EXIF = r"(?s)\C*(Exif|eXIf|cICP|ICC_PROFILE|iCCP)\C*"  # matches images that may have an orientation, a colour profile, or be HDR
PNG, JPEG_END = b"\x89PNG", b"\xff\xd9"
Read = Callable[[tf.Tensor], tf.Tensor]  # from a path to the file's content


def reading(paths: "pd.Series[str]") -> Read:
    """The function that reads these files: TensorFlow's, or this package's for files in tars and object stores."""
    if not paths.str.contains(ELSEWHERE).any():
        return tf.io.read_file
    return lambda path: tf.ensure_shape(tf.numpy_function(_content, [path], tf.string), ())


def _content(path: bytes) -> bytes:
    return read_bytes(_bytes(path).decode())


def read_image(path: tf.Tensor, image_size: int, read: Read = tf.io.read_file) -> tf.Tensor:
    """Decode an image of any size and scale it: uint8 RGB (image_size, image_size, 3)."""
    image = decode(read(path))
    same = tf.reduce_all(tf.shape(image)[:2] == image_size)
    scaled = tf.cond(same, lambda: image, lambda: tf.cast(tf.round(_scale(image, image_size)), tf.uint8))
    return tf.ensure_shape(scaled, (image_size, image_size, 3))


def decode(data: tf.Tensor) -> tf.Tensor:
    """Decode an image as `deepfake_cli.media.image.decode_image` does: uint8 RGB (height, width, 3).

    TensorFlow decodes JPEG and PNG, the formats of `split`, to the same pixels in two thirds of the time; but it ignores
    orientation, colour profile and HDR, refuses a JPEG without an end, has another conversion of CMYK, and lacks other
    formats. Its default decoder of JPEG, which is faster, differs by up to eleven grey levels.
    """
    upright = ~tf.strings.regex_full_match(data, EXIF)
    whole = tf.strings.substr(data, -2, 2) == JPEG_END
    jpeg, png = tf.io.is_jpeg(data) & upright & whole, (tf.strings.substr(data, 0, 4) == PNG) & upright
    rgb = tf.cond(jpeg, lambda: tf.image.extract_jpeg_shape(data)[2] <= 3, lambda: tf.constant(False))
    image = tf.cond(
        rgb,
        lambda: tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE"),
        lambda: tf.cond(
            png,
            lambda: tf.io.decode_png(data, channels=3),
            lambda: tf.numpy_function(_decoded, [data], tf.uint8),
        ),
    )
    image.set_shape((None, None, 3))
    return image


def _bytes(value: Any) -> bytes:
    """The bytes that `tf.numpy_function` passes: as bytes in a graph, as an array without dimensions outside of one."""
    return bytes(np.asarray(value, dtype=object).item())


def _decoded(data: bytes) -> np.ndarray:
    return np.ascontiguousarray(decode_image(_bytes(data))[..., ::-1])


def _scale(image: tf.Tensor, image_size: int) -> tf.Tensor:
    """Resize; antialias only when shrinking by more than half, since it is slow."""
    smooth = tf.reduce_min(tf.shape(image)[:2]) > 2 * image_size
    size = (image_size, image_size)
    return tf.cond(smooth, lambda: tf.image.resize(image, size, antialias=True), lambda: tf.image.resize(image, size))
