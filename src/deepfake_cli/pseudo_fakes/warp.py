"""Transform points and images: similarities, affine maps, and warps between triangle meshes."""

import cv2
import numpy as np

FLAT = 1e-3  # twice the area of a triangle, in square pixels, below which it counts as degenerate


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The least-squares similarity transform between two sets of points (Umeyama, 1991).

    Args:
        source: float (points, 2).
        target: float (points, 2).

    Returns:
        float32 (2, 3), for `moved` and ``cv2.warpAffine``.
    """
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    left, sizes, right = np.linalg.svd((target - target_mean).T @ (source - source_mean))
    sign = np.array([1.0, np.sign(np.linalg.det(left @ right))])
    turn = (left * sign) @ right * ((sizes * sign).sum() / np.square(source - source_mean).sum())
    return np.hstack([turn, (target_mean - turn @ source_mean)[:, None]]).astype(np.float32)


def moved(points: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Apply an affine map (2, 3) to points (n, 2), float32."""
    return (points @ by[:, :2].T + by[:, 2]).astype(np.float32)


def about(centre: np.ndarray, matrix: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """The affine map, float32 (2, 3), of a matrix (2, 2) about a centre and a shift."""
    return np.hstack([matrix, (centre + shift - matrix @ centre)[:, None]]).astype(np.float32)


def pixels(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates x and y of every pixel, float32 (rows, columns) each."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return x, y


def ripples(
    rng: np.random.Generator, shape: tuple[int, ...], cells: int, amount: float, channels: int = 2
) -> np.ndarray:
    """Smooth noise of this standard deviation, float32 (rows, columns, channels), from a grid of cells x cells."""
    coarse = rng.standard_normal((cells, cells, channels)).astype(np.float32)
    fine = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return fine.reshape(shape[0], shape[1], channels) * np.float32(amount)


def meshed(
    image: np.ndarray, source: np.ndarray, target: np.ndarray, triangles: np.ndarray, outside: np.ndarray
) -> np.ndarray:
    """Warp an image triangle by triangle, so that its points `source` move to `target`.

    Args:
        image: float32 (rows, columns, 3).
        source: points of the image, float32 (n, 2).
        target: their positions in the result, float32 (n, 2).
        triangles: of the mesh, indices of points (m, 3).
        outside: affine map from pixels of the result to pixels of the image outside the mesh, float32 (2, 3).
    """
    ends = np.concatenate([target[triangles], np.ones((len(triangles), 3, 1))], axis=2).astype(np.float64)
    wide = np.abs(np.linalg.det(ends)) > FLAT  # a degenerate triangle covers no pixels
    ends, triangles = ends[wide], triangles[wide]
    back = np.linalg.solve(ends, source[triangles].astype(np.float64)).astype(np.float32)
    numbers = np.full(image.shape[:2], -1, np.int32)
    corners = np.round(target * 8).astype(np.int32)
    for number, triangle in enumerate(triangles):
        cv2.fillConvexPoly(numbers, corners[triangle], number, shift=3)
    x, y = pixels(image.shape)
    here_x = outside[0, 0] * x + outside[0, 1] * y + outside[0, 2]
    here_y = outside[1, 0] * x + outside[1, 1] * y + outside[1, 2]
    rows, columns = np.nonzero(numbers >= 0)
    of = back[numbers[rows, columns]]
    for axis, here in enumerate((here_x, here_y)):
        here[rows, columns] = of[:, 0, axis] * columns + of[:, 1, axis] * rows + of[:, 2, axis]
    x, y = here_x.astype(np.float32), here_y.astype(np.float32)
    return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
