"""Brier score, ECE and log loss: metrics from sums over rows, so a resample needs only the sums of its units."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deepfake_cli.metrics.pooling import Codes, Floats

if TYPE_CHECKING:
    from scipy.sparse import csr_array

BINS = 15  # of equal width, as in Guo et al. 2017
SMALLEST = float(np.finfo("float64").eps)  # the log loss clips scores this far from 0 and 1, as scikit-learn does


@dataclass(frozen=True)
class Sums:
    """Sums of each unit."""

    plain: Floats  # (3, units): rows, squared errors, losses
    gaps: "csr_array"  # (BINS, units): label minus score, in each bin

    @classmethod
    def of(cls, truth: Codes, scores: Floats, codes: Codes) -> "Sums":
        """Sum over the rows of each unit."""
        right = np.clip(np.where(truth == 1, scores, 1 - scores), SMALLEST, 1 - SMALLEST)
        gaps = truth - scores
        bins = np.minimum((scores * BINS).astype("int64"), BINS - 1)
        plain = [np.bincount(codes), np.bincount(codes, gaps**2), np.bincount(codes, -np.log(right))]
        return cls(np.stack(plain), _summed(gaps, bins, codes, int(codes.max()) + 1))

    def figures(self, times: Codes) -> dict[str, float]:
        """The metrics by name, each unit weighted by ``times[unit]``."""
        weights = times.astype("float64")
        count, squares, losses = np.einsum("ij,j->i", self.plain, weights).tolist()
        gaps = float(np.abs(self.gaps @ weights).sum())
        return {"brier": squares / count, "ece": gaps / count, "log_loss": losses / count}


def _summed(gaps: Floats, bins: Codes, codes: Codes, units: int) -> "csr_array":
    """The sum per bin and unit; a dense table is faster, but too large for many units."""
    from scipy.sparse import coo_array, csr_array

    if BINS * units > len(gaps):
        return coo_array((gaps, (bins, codes)), shape=(BINS, units)).tocsr()
    return csr_array(np.bincount(bins * units + codes, gaps, minlength=BINS * units).reshape(BINS, units))
