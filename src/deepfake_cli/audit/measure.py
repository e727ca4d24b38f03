"""Measure the properties of an image file, from its bytes and pixels."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import cv2
import numpy as np

from deepfake_cli.distributed import in_parts
from deepfake_cli.errors import VideoError
from deepfake_cli.media.info import opened
from deepfake_cli.media.jpeg_quality import jpeg_quality
from deepfake_cli.storage.disk import reason
from deepfake_cli.storage.files import read_bytes

Measured = dict[str, Any] | str  # properties, or the error message
PART = 128  # images per task on a cluster, about a second of work
SCALE = 256  # longest side, in pixels, for sharpness


def measure_all(
    paths: Sequence[str],
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    cluster: str | None = None,
) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """Measure image files in threads (decoding releases the GIL), or on a cluster.

    Args:
        paths: the files.
        workers: number of threads; None for one per core.
        progress: called with images done and images in total.
        cluster: see `deepfake_cli.distributed.each`.

    Returns:
        The properties of each file, in the order of `paths`, empty for unreadable files; and the unreadable files, each with
        the reason.
    """
    measured = _on_cluster(paths, cluster, progress) if cluster else _in_threads(paths, workers, progress)
    bad = [(path, error) for path, error in zip(paths, measured, strict=True) if isinstance(error, str)]
    return [{} if isinstance(properties, str) else properties for properties in measured], bad


def _in_threads(paths: Sequence[str], workers: int | None, progress: Callable[[int, int], None]) -> list[Measured]:
    measured = []
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for properties in pool.map(_measure, paths):
            measured.append(properties)
            progress(len(measured), len(paths))
    return measured


def _on_cluster(paths: Sequence[str], cluster: str, progress: Callable[[int, int], None]) -> list[Measured]:
    return in_parts(_measure_some, paths, size=PART, lost=_lost, cluster=cluster, progress=progress)


def _measure_some(paths: Sequence[str]) -> list[Measured]:
    return list(map(_measure, paths))


def _lost(paths: Sequence[str]) -> list[Measured]:
    return [f"reading this image, or another of {len(paths)}, crashed the process"] * len(paths)


def _measure(path: str) -> Measured:
    """Return the properties, or the error message."""
    try:
        return measure(read_bytes(path))
    except FileNotFoundError:
        return "no such file"
    except OSError as error:
        return reason(error)
    except ValueError as error:
        return str(error)


def measure(data: bytes) -> dict[str, Any]:
    """Measure one encoded image.

    Args:
        data: content of the file.

    Returns:
        ``width`` and ``height`` (pixels), ``format`` (by content: ``"jpeg"``), ``file_size`` (kB, of 1000 bytes),
        ``bytes_per_pixel``, ``jpeg_quality`` (see `jpeg_quality`; NaN for other formats), and of the grey image in 0..255
        ``brightness`` (mean), ``contrast`` (standard deviation) and ``sharpness`` (see `sharpness`).

    Raises:
        ValueError: the image cannot be decoded.
    """
    format, (width, height), tables = _header(data)
    try:
        grey = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        grey = None
    if grey is None:
        raise ValueError(f"cannot decode this {format} file")
    mean, deviation = (float(value.item()) for value in cv2.meanStdDev(grey))
    return {
        "width": width,
        "height": height,
        "format": format,
        "file_size": len(data) / 1000,
        "bytes_per_pixel": len(data) / (width * height),
        "jpeg_quality": float(jpeg_quality(tables[0])) if format == "jpeg" and 0 in tables else float("nan"),
        "sharpness": sharpness(grey),
        "brightness": mean,
        "contrast": deviation,
    }


def _header(data: bytes) -> tuple[str, tuple[int, int], dict[int, list[int]]]:
    """Read format, size and quantisation tables from the header."""
    try:
        with opened(BytesIO(data)) as image:
            format = "jpeg" if image.format == "MPO" else str(image.format).lower()  # MPO: several JPEGs in one
            return format, image.size, getattr(image, "quantization", {})
    except VideoError:
        raise ValueError("empty file" if not data else "not an image") from None


def sharpness(grey: np.ndarray) -> float:
    """Return the variance of the Laplacian (Pech-Pacheco et al. 2000), with the longer side scaled to `SCALE` pixels.

    Args:
        grey: uint8 (height, width).
    """
    factor = SCALE / max(grey.shape)
    if factor != 1:
        size = tuple(max(1, round(side * factor)) for side in grey.shape[::-1])
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    return float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_32F))[1].item() ** 2)
