"""Score lists on a cluster."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from deepfake_cli.config import Evaluate
from deepfake_cli.distributed import in_parts
from deepfake_cli.errors import ClusterError
from deepfake_cli.evaluation.keras_scorer import Trained, detector_of
from deepfake_cli.evaluation.onnx_scorer import Exported

BATCHES = 16  # per task: seconds of work, so that overhead and retries stay cheap


@dataclass(frozen=True)
class Scorer:
    """The task of a worker: score some images in whole batches, as one machine would."""

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
        ClusterError: the cluster is missing, a machine cannot run the task, or every attempt at a task died.
        ManifestError: an image cannot be decoded.
        ModelError: a machine cannot load the detector.
    """
    scorer, size = Scorer(settings.model_dump_json(), snapshot), BATCHES * settings.batch_size
    return np.array(in_parts(scorer, paths, size=size, lost=_lost, cluster=str(settings.cluster), progress=progress))


@cache
def _detector(settings: str, snapshot: Path) -> Trained | Exported:
    """One detector per process: loading takes longer than a batch."""
    return detector_of(Evaluate.model_validate_json(settings), snapshot)


def _lost(paths: Sequence[str]) -> Sequence[float]:
    raise ClusterError(
        f"Every process that scored {paths[0]} and the next {len(paths) - 1} images died. Possible causes: too little memory on "
        "the machines, or a crash of a decoder."
    )
