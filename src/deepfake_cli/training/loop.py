"""The state that the callbacks of a training share: step, loss, metrics."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Logs = dict[str, Any] | None


@dataclass
class Loop:
    """The current step, and the results of the current epoch.

    Attributes:
        epoch: the current epoch, from 1.
        step: finished steps of it.
        loss: the mean over the epoch, as of the step before the last; see `deepfake_cli.training.divergence.TerminateOnNaN`.
        unread: the last step, and its loss, which may still be computed.
        metrics: the epoch's row of the recipe's history.
        scores: of the validation list, float64 (frames,) in 0..1; None without one.
        ends: why training ends before its last epoch; None if it doesn't.
        snapshot: file of the epoch's snapshot.
        best: whether it is the best so far.
    """

    epoch: int = 0
    step: int = 0
    loss: float = math.nan
    unread: tuple[int, Any] | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    scores: np.ndarray | None = None
    ends: str | None = None
    snapshot: Path | None = None
    best: bool = False
