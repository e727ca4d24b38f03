"""How far a head is turned to the side, as it is seen: a ratio of distances in the image, no angle."""

import numpy as np

from deepfake_cli.faces.box import Box
from deepfake_cli.faces.mesh import EYE_CORNERS, Landmarks

NOSE = 1  # its tip
EDGES = 234, 454  # of the face, in front of the ears, the left one of the image first
LEAST = 0.5  # confidence; MediaPipe's own default


def turn(image: np.ndarray, box: Box, landmarks: Landmarks) -> float | None:
    """The turn of a face: of its points and of those of its mirror image, whose errors to one side cancel out.

    Args:
        image: uint8 BGR (height, width, 3).
        box: the face, in its pixels.
        landmarks: see `deepfake_cli.faces.mesh.face_mesh`.

    Returns:
        See `turn_of`; None if the points are not confident.
    """
    width = image.shape[1]
    mirrored = box._replace(x0=width - box.x1, x1=width - box.x0)
    found = [landmarks(image, box), landmarks(np.ascontiguousarray(image[:, ::-1]), mirrored)]
    if min(confidence for _, confidence in found) < LEAST:
        return None
    here, there = (turn_of(mesh) for mesh, _ in found)
    return (here - there) / 2


def turn_of(mesh: np.ndarray) -> float:
    """The distance of the nose's tip from the middle between the edges of the face, by half of their distance, with level eyes.

    0 is a face that looks at the camera, or a symmetrical head that is only raised, lowered or tilted; 1 is one whose nose
    covers the edge of the face. The size of the face and its tilt do not change it. Mirrored faces differ in the sign.

    Args:
        mesh: the points of `deepfake_cli.faces.mesh`, float (468, 2), in pixels.

    Returns:
        Positive if the nose points to the right of the image.
    """
    level = mesh[EYE_CORNERS[1]] - mesh[EYE_CORNERS[0]]
    level = level / max(float(np.hypot(*level)), 1e-6)
    nose, left, right = (float(mesh[place] @ level) for place in (NOSE, *EDGES))
    return (2 * nose - left - right) / max(right - left, 1e-6)
