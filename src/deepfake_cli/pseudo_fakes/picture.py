"""Image operations on float32 BGR (rows, columns, 3) in 0..255; results may leave that range."""

import cv2
import numpy as np

LUMA = np.array([0.114, 0.587, 0.299], np.float32)  # of BGR, ITU-R BT.601
SHRINK = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)
ENLARGE = {cv2.INTER_LINEAR: 0.4, cv2.INTER_CUBIC: 0.35, cv2.INTER_LANCZOS4: 0.17, cv2.INTER_NEAREST: 0.08}


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A log-uniform random number in low..high."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def drawn(rng: np.random.Generator, shares: dict[str, float]) -> str:
    """Draw a key with probability proportional to its share."""
    names, weights = list(shares), np.array(list(shares.values()))
    return names[rng.choice(len(names), p=weights / weights.sum())]


def blurred(picture: np.ndarray, deviation: float) -> np.ndarray:
    """Gaussian blur with this standard deviation in pixels."""
    return cv2.GaussianBlur(picture, (0, 0), deviation) if deviation > 0.05 else picture


def sharpened(picture: np.ndarray, amount: float, deviation: float) -> np.ndarray:
    """Unsharp masking."""
    return picture + np.float32(amount) * (picture - blurred(picture, deviation))


def rescaled(picture: np.ndarray, factor: float, rng: np.random.Generator) -> np.ndarray:
    """Shrink by `factor` and enlarge again, each with a random interpolation."""
    height, width = picture.shape[:2]
    small = max(4, round(width * factor)), max(4, round(height * factor))
    shrunk = cv2.resize(picture, small, interpolation=SHRINK[rng.integers(len(SHRINK))])
    how = list(ENLARGE)[rng.choice(len(ENLARGE), p=list(ENLARGE.values()))]
    return cv2.resize(shrunk, (width, height), interpolation=how)


def smoothed(picture: np.ndarray, tolerance: float, reach: float) -> np.ndarray:
    """Remove texture and keep edges, with a bilateral filter."""
    return cv2.bilateralFilter(np.clip(picture, 0, 255), 5, tolerance, reach)


def recoloured(picture: np.ndarray, rng: np.random.Generator, amount: float) -> np.ndarray:
    """Change saturation, colour balance, contrast and brightness; an amount of 1 is the difference between two cameras."""
    grey, mean = (picture @ LUMA)[..., None], picture.mean(axis=(0, 1))
    changed = grey + (picture - grey) * np.float32(1 + amount * rng.uniform(-0.35, 0.35))
    changed = changed * (1 + amount * rng.uniform(-0.07, 0.07, 3)).astype(np.float32)
    changed = changed + (amount * rng.uniform(-9, 9, 3)).astype(np.float32)
    contrast, brightness = 1 + amount * rng.uniform(-0.18, 0.18), amount * rng.uniform(-14, 14)
    return (changed - mean) * np.float32(contrast) + mean + np.float32(brightness)


def rehued(picture: np.ndarray, rng: np.random.Generator, amount: float) -> np.ndarray:
    """Rotate hues about the grey axis."""
    angle = amount * rng.uniform(-0.18, 0.18)
    axis = np.full(3, np.sqrt(1 / 3))
    turn, _ = cv2.Rodrigues(axis * angle)
    return picture @ turn.T.astype(np.float32)


def gamma(picture: np.ndarray, exponent: float) -> np.ndarray:
    """Gamma correction: an exponent above 1 darkens, below 1 brightens."""
    return 255 * np.power(np.clip(picture, 0, 255) / 255, np.float32(exponent))


def matched(source: np.ndarray, target: np.ndarray, mask: np.ndarray, amount: float) -> np.ndarray:
    """Match the colour mean and deviation of `source` inside the mask to `target` by `amount` in 0..1 (Reinhard et al., 2001)."""
    source_lab, target_lab = (
        cv2.cvtColor(np.clip(image, 0, 255) / 255, cv2.COLOR_BGR2Lab) for image in (source, target)
    )
    weights = mask[..., None] / (mask.sum() + 1e-6)
    source_mean, target_mean = ((image * weights).sum(axis=(0, 1)) for image in (source_lab, target_lab))
    source_spread, target_spread = (
        np.sqrt((np.square(image - mean) * weights).sum(axis=(0, 1))) + 1e-3
        for image, mean in ((source_lab, source_mean), (target_lab, target_mean))
    )
    scale = 1 + amount * (np.clip(target_spread / source_spread, 0.5, 2) - 1)
    changed = (source_lab - source_mean) * scale + source_mean + amount * (target_mean - source_mean)
    return 255 * cv2.cvtColor(changed.astype(np.float32), cv2.COLOR_Lab2BGR)


def bytes_of(picture: np.ndarray) -> np.ndarray:
    """Clip to 0..255 and round down to uint8."""
    return np.clip(picture, 0, 255).astype(np.uint8)
