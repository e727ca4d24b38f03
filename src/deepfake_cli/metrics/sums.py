"""Figures that are sums over the rows, so that a resample needs the sums of its units only: Brier, ECE, log loss."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deepfake_cli.metrics.checked import Codes, Floats

if TYPE_CHECKING:
    from scipy.sparse import csr_array

BINS = 15  # of equal width, as Guo et al. 2017 have it
SMALLEST = float(np.finfo("float64").eps)  # scores are kept this far from 0 and 1 by the log loss, as in scikit-learn


@dataclass(frozen=True)
class Sums:
    """For each unit the sums that these figures are made of."""

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

    def figures(self, times: Codes) -> tuple[float, ...]:
        """Brier score, expected calibration error and log loss where each unit weighs ``times[unit]``."""
        weights = times.astype("float64")
        count, squares, losses = np.einsum("ij,j->i", self.plain, weights).tolist()
        return squares / count, float(np.abs(self.gaps @ weights).sum()) / count, losses / count


def _summed(gaps: Floats, bins: Codes, codes: Codes, units: int) -> "csr_array":
    """The sum of each bin and unit; a table without gaps is quicker to make, but of many units too large."""
    from scipy.sparse import coo_array, csr_array

    if BINS * units > len(gaps):
        return coo_array((gaps, (bins, codes)), shape=(BINS, units)).tocsr()
    return csr_array(np.bincount(bins * units + codes, gaps, minlength=BINS * units).reshape(BINS, units))
