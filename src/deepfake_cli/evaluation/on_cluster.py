"""Lists scored on the machines of a cluster."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from deepfake_cli.config import Evaluate
from deepfake_cli.distributed import in_parts
from deepfake_cli.errors import ClusterError
from deepfake_cli.evaluation.keras_scorer import Exported, Trained, detector_of

BATCHES = 16  # that a task scores: seconds of work, so that neither its way there nor a repetition costs much


@dataclass(frozen=True)
class Scorer:
    """What a worker does: it scores some images, in whole batches, as one machine would."""

    settings: str
    snapshot: Path

    def __call__(self, paths: Sequence[str]) -> Sequence[float]:
        """Score images."""
        import pandas as pd

        return (
            _detector(self.settings, self.snapshot)
            .scores(pd.DataFrame({"path": paths}), lambda done, total: None)
            .tolist()
        )


def score_there(
    settings: Evaluate, snapshot: Path, paths: Sequence[str], progress: Callable[[int, int], None]
) -> np.ndarray:
    """Score images on a cluster: float64 (images,), as `Trained.scores` does.

    Raises:
        ClusterError: there is no such cluster, one of its machines can't do the work, or all that tried died of it.
        ManifestError: an image can't be decoded; the message names it.
        ModelError: the detector can't be loaded there.
    """
    scorer, size = Scorer(settings.model_dump_json(), snapshot), BATCHES * settings.batch_size
    return np.array(in_parts(scorer, paths, size=size, lost=_lost, cluster=str(settings.cluster), progress=progress))


@cache
def _detector(settings: str, snapshot: Path) -> Trained | Exported:
    """One a process, since loading takes longer than a batch."""
    return detector_of(Evaluate.model_validate_json(settings), snapshot)


def _lost(paths: Sequence[str]) -> Sequence[float]:
    raise ClusterError(
        f"Each process that scored {paths[0]} and the {len(paths) - 1} images after it died: too little memory on the machines, "
        "or a fault of a decoder."
    )
