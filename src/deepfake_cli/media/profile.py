"""Convert images with a colour profile to sRGB: phones write Display P3, cameras Adobe RGB.

Without it their colours look pale. Profiles of grey and of CMYK images are ignored, as most viewers do.
"""

import re
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np

from deepfake_cli.errors import VideoError
from deepfake_cli.media.info import opened

MARKED = re.compile(rb"ICC_PROFILE\0|iCCP|ICCP|colrprof|colrrICC|^II\*\0|^MM\0\*")  # in JPEG, PNG, WebP, HEIF, TIFF
HEADER = 2**18  # bytes that are searched: EXIF, which comes first in a JPEG, has up to 64 KB, and may have a preview


def has_profile(data: bytes) -> bool:
    """Whether the content of an image file has a profile, by its beginning."""
    return bool(MARKED.search(data[:HEADER]))


def to_srgb(image: np.ndarray, data: bytes) -> np.ndarray:
    """Convert a decoded image by the profile in its file.

    Args:
        image: uint8 BGR (height, width, 3).
        data: content of the file.

    Returns:
        The same if it has no profile, or that of sRGB, or a damaged one.
    """
    if not has_profile(data):
        return image
    try:
        with opened(BytesIO(data)) as header:
            return by_profile(image, header.info.get("icc_profile"))
    except VideoError:
        return image


def by_profile(image: np.ndarray, profile: bytes | None) -> np.ndarray:
    """Convert an image by a profile: uint8 BGR (height, width, 3)."""
    from PIL import Image

    transform = _transform(profile) if profile else None
    if transform is None:
        return image
    shown = transform.apply(Image.fromarray(np.ascontiguousarray(image[..., ::-1])))
    return np.ascontiguousarray(np.asarray(shown)[..., ::-1])


@lru_cache(maxsize=16)
def _transform(profile: bytes) -> Any:
    """From a profile to sRGB; None if it is sRGB, not of RGB, or cannot be read."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space.strip() != "RGB" or "sRGB" in (ImageCms.getProfileDescription(source) or ""):
            return None
        flags = ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOCACHE  # several threads share it
        target, intent = ImageCms.createProfile("sRGB"), ImageCms.Intent.RELATIVE_COLORIMETRIC
        return ImageCms.buildTransform(source, target, "RGB", "RGB", intent, flags)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
