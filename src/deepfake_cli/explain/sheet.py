"""The most suspicious frames of a face as one picture: each as it was judged and, below, with what speaks for fake."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from deepfake_cli.errors import DeepfakeError
from deepfake_cli.explain.top_frames import Suspect
from deepfake_cli.reporting.worst_faces import overlay
from deepfake_cli.storage.files import whole

SIDE = 224  # of a face, in pixels
LABEL = 30  # pixels above it for frame and score
INK, PAPER = (40, 40, 40), 255


def sheet(path: Path, found: Sequence[Suspect]) -> None:
    """Write the sheet as PNG, whole or not at all.

    Args:
        path: of the file.
        found: a face's frames, one or more.
    """
    columns = [_column(suspect) for suspect in found]
    with whole(path) as partial:
        if not cv2.imwrite(str(partial), np.concatenate(columns, axis=1)):
            raise DeepfakeError(f"{path} can't be written.")


def _column(suspect: Suspect) -> np.ndarray:
    label = np.full((LABEL, SIDE, 3), PAPER, np.uint8)
    words = f"frame {suspect.moment.frame}: {suspect.moment.score:.3f}"
    cv2.putText(label, words, (8, LABEL - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA)
    face = cv2.resize(suspect.face, (SIDE, SIDE))
    rows = [label, face] if suspect.heat is None else [label, face, overlay(face, suspect.heat)]
    return cv2.copyMakeBorder(np.concatenate(rows), 0, 4, 2, 2, cv2.BORDER_CONSTANT, value=(PAPER,) * 3)
