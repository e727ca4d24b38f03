"""Tone-map HDR to BT.709, and convert wider colours to it.

Without it HDR images look flat and pale, unlike any image that a detector was trained on. White of standard video is 203 cd/m2
in HDR (ITU-R BT.2408); brighter light is compressed by the EETF of ITU-R BT.2390, section 5.4.
"""

from functools import cache

import cv2
import numpy as np

WHITE, PEAK = 203.0, 1000.0  # cd/m2: white of standard video, and the usual peak of HDR
PQ, HLG = 16, 18  # transfer characteristics, as numbered in ITU-T H.273
NAMES = {PQ: "PQ", HLG: "HLG"}
BT709, BT2020, P3 = 1, 9, 12  # primaries, as numbered there
WIDE = {BT2020: "BT.2020", P3: "Display P3"}
M1, M2, C1, C2, C3 = 1305 / 8192, 2523 / 32, 107 / 128, 2413 / 128, 2392 / 128  # SMPTE ST 2084
A, B, C = 0.17883277, 0.28466892, 0.55991073  # ITU-R BT.2100, HLG
TO_BT709 = {  # from linear light, red green blue
    BT2020: [
        [1.660491, -0.587641, -0.072850],
        [-0.124550, 1.132900, -0.008349],
        [-0.018151, -0.100579, 1.118730],
    ],  # BT.2087
    P3: [[1.224940, -0.224940, 0.0], [-0.042057, 1.042057, 0.0], [-0.019638, -0.078636, 1.098274]],  # SMPTE EG 432-1
}
STEPS = 65536


def to_sdr(image: np.ndarray, transfer: int, primaries: int) -> np.ndarray:
    """Tone-map an HDR image.

    Args:
        image: uint16 BGR (height, width, 3), full range, as coded.
        transfer: `PQ` or `HLG`.
        primaries: as numbered in H.273; unknown ones are taken for BT.2020.

    Returns:
        uint8 BGR (height, width, 3), in BT.709.
    """
    linear = _to_linear(transfer)[image]
    if primaries != BT709:
        linear = _in_bt709(linear, primaries)
    return _to_code()[(np.clip(linear, 0, 1) * (STEPS - 1)).astype(np.uint16)]


def to_bt709(image: np.ndarray, primaries: int) -> np.ndarray:
    """Convert an image of standard range with wider primaries; their colours look pale without it.

    Args:
        image: uint8 BGR (height, width, 3), as coded.
        primaries: a key of `WIDE`.

    Returns:
        uint8 BGR (height, width, 3), in BT.709, whose primaries are those of sRGB; light by the curve of sRGB (IEC 61966-2-1).
    """
    code = np.linspace(0, 1, 256)
    light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4).astype(np.float32)
    linear = np.clip(_in_bt709(light[image], primaries), 0, 1)
    code = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.power(linear, 1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * code), np.uint8)


def _in_bt709(linear: np.ndarray, primaries: int) -> np.ndarray:
    """Linear light, float32 BGR, of other primaries; unknown ones are taken for BT.2020."""
    matrix = np.array(TO_BT709.get(primaries, TO_BT709[BT2020]), np.float32)
    return np.asarray(cv2.transform(linear, matrix[::-1, ::-1].copy()))


@cache
def _to_linear(transfer: int) -> np.ndarray:
    """Linear light of each code, compressed, float32 (65536,); 1 is white."""
    code = np.linspace(0, 1, STEPS)
    light = _light_of_pq(code) if transfer == PQ else _light_of_hlg(code)
    return (_light_of_pq(_compressed(_pq_of_light(light))) / WHITE).astype(np.float32)


@cache
def _to_code() -> np.ndarray:
    """Code of linear light, uint8 (65536,): the inverse of the display gamma 2.4 (ITU-R BT.1886)."""
    return np.rint(255 * np.linspace(0, 1, STEPS) ** (1 / 2.4)).astype(np.uint8)


def _compressed(code: np.ndarray) -> np.ndarray:
    """EETF of BT.2390, from PQ code to PQ code: unchanged up to a knee; `PEAK` becomes `WHITE`."""
    top, most = _pq_of_light(np.array([PEAK, WHITE]))
    most = most / top
    knee = 1.5 * most - 0.5
    share = np.clip(code / top, 0, 1)
    t = np.clip((share - knee) / (1 - knee), 0, 1)
    curve = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * most
    return top * np.where(share < knee, share, curve)


def _light_of_pq(code: np.ndarray) -> np.ndarray:
    power = code ** (1 / M2)
    return 10_000 * (np.maximum(power - C1, 0) / (C2 - C3 * power)) ** (1 / M1)


def _pq_of_light(light: np.ndarray) -> np.ndarray:
    power = (light / 10_000) ** M1
    return ((C1 + C2 * power) / (1 + C3 * power)) ** M2


def _light_of_hlg(code: np.ndarray) -> np.ndarray:
    """On a display of 1000 cd/m2, with gamma 1.2 per channel, which is exact for grey."""
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - C) / A) + B) / 12)
    return PEAK * np.minimum(scene, 1) ** 1.2
