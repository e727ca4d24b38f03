"""Tone-map HDR to BT.709.

Without it HDR images look flat and pale, unlike any image that a detector was trained on. White of standard video is 203 cd/m2
in HDR (ITU-R BT.2408); brighter light is compressed by the EETF of ITU-R BT.2390, section 5.4.
"""

from functools import cache

import cv2
import numpy as np

WHITE, PEAK = 203.0, 1000.0  # cd/m2: white of standard video, and the usual peak of HDR
PQ, HLG = 16, 18  # transfer characteristics, as numbered in ITU-T H.273
NAMES = {PQ: "PQ", HLG: "HLG"}
BT2020, BT709 = 9, 1  # primaries, as numbered there
M1, M2, C1, C2, C3 = 1305 / 8192, 2523 / 32, 107 / 128, 2413 / 128, 2392 / 128  # SMPTE ST 2084
A, B, C = 0.17883277, 0.28466892, 0.55991073  # ITU-R BT.2100, HLG
TO_BT709 = np.array(  # from linear BT.2020, red green blue (ITU-R BT.2087)
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]], np.float32
)
STEPS = 65536


def to_sdr(image: np.ndarray, transfer: int, primaries: int) -> np.ndarray:
    """Tone-map an HDR image.

    Args:
        image: uint16 BGR (height, width, 3), full range, as coded.
        transfer: `PQ` or `HLG`.
        primaries: as numbered in H.273; others than `BT709` are taken for BT.2020.

    Returns:
        uint8 BGR (height, width, 3), in BT.709.
    """
    linear = _to_linear(transfer)[image]
    if primaries != BT709:
        linear = cv2.transform(linear, TO_BT709[::-1, ::-1].copy())
    return _to_code()[(np.clip(linear, 0, 1) * (STEPS - 1)).astype(np.uint16)]


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
