"""The ROC curve of weighted rows, and the metrics read from it."""

from bisect import bisect_left

import numpy as np

from deepfake_cli.metrics.few import RATES
from deepfake_cli.metrics.pooling import Codes, Floats
from deepfake_cli.metrics.ranking import Ranking

PARTIAL = 0.1  # highest false positive rate of the partial AUC


class Curve:
    """The ROC curve of ranked rows, each unit weighted by ``times[unit]``."""

    def __init__(self, ranking: Ranking, times: Codes):
        self.ranking = ranking
        self.tp, self.fp = ranking.fakes.walk(times), ranking.reals.walk(times)
        self.fakes, self.reals = float(self.tp[-1]), float(self.fp[-1])

    def figures(self, cut: tuple[int, int]) -> dict[str, float]:
        """All metrics of the curve by name; NaN where a class is missing.

        Args:
            cut: number of steps of fakes and of reals at or above the threshold.
        """
        return self._ranked() | self._at_threshold(*cut) | self._rates()

    def _ranked(self) -> dict[str, float]:
        """Metrics of the ranking, which need no threshold."""
        if not (self.fakes and self.reals):
            return dict.fromkeys(("auc", "partial_auc", "average_precision", "eer"), np.nan)
        gains, down_to = np.diff(self.tp), self.fp.take(self.ranking.reals_down_to)
        same = self.ranking.reals_above is self.ranking.reals_down_to
        above = down_to if same else self.fp.take(self.ranking.reals_above)
        tp = self.tp[1:]
        precision = tp / np.maximum(tp + down_to, 1)  # a sum of 0: nothing is predicted fake yet
        return {
            "auc": 1 - (_dot(gains, down_to) + _dot(gains, above)) / 2 / self.fakes / self.reals,
            "partial_auc": self._partial(),
            "average_precision": _dot(gains, precision) / self.fakes,
            "eer": self._eer(),
        }

    def _at_threshold(self, fakes: int, reals: int) -> dict[str, float]:
        tp, fp = float(self.tp[fakes]), float(self.fp[reals])
        both = self.fakes and self.reals
        return {
            "accuracy": (tp + self.reals - fp) / (self.fakes + self.reals),
            "balanced_accuracy": (tp / self.fakes + 1 - fp / self.reals) / 2 if both else np.nan,
            "f1": 2 * tp / (tp + fp + self.fakes) if self.fakes else np.nan,
        }

    def _rates(self) -> dict[str, float]:
        """The highest true positive rate of any threshold with a false positive rate up to each of `RATES`."""
        if not (self.fakes and self.reals):
            return dict.fromkeys(RATES, np.nan)
        allowed = np.floor(np.array([*RATES.values()]) * self.reals + 1e-9)  # 1 % of 100 is 1 despite rounding
        last = np.searchsorted(self.fp, allowed, side="right") - 1
        rates = self.tp[self.ranking.fakes_above[last]] / self.fakes
        return dict(zip(RATES, rates.tolist(), strict=True))

    def _partial(self) -> float:
        """Area up to `PARTIAL`, scaled to 0.5 for chance and 1 for perfect (McClish 1989)."""
        most, ranking = PARTIAL * self.reals, self.ranking
        at = int(np.searchsorted(self.fp, most, side="right")) - 1  # steps of reals that fit in whole
        low, high = self.tp.take(ranking.fakes_above[: at + 1]), self.tp.take(ranking.fakes_down_to[: at + 1])
        area = _dot(np.diff(self.fp[: at + 1]), (low[:-1] + high[:-1]) / 2)
        rest = most - self.fp[at]
        slope = (high[-1] - low[-1]) / (self.fp[at + 1] - self.fp[at])
        area = (area + rest * (low[-1] + slope * rest / 2)) / self.fakes / self.reals
        chance = PARTIAL**2 / 2
        return float((1 + (area - chance) / (PARTIAL - chance)) / 2)

    def _eer(self) -> float:
        """Where the false positive rate equals the false negative rate, on lines between the points of the ROC."""
        above, down_to = self.ranking.fakes_above, self.ranking.fakes_down_to

        def excess(fp: float, tp: float) -> float:
            return float(fp / self.reals + tp / self.fakes - 1)

        def reached(step: int) -> bool:
            return excess(self.fp[step + 1], self.tp[down_to[step]]) >= 0

        at = bisect_left(range(len(above)), True, key=reached)
        before = excess(self.fp[at], self.tp[above[at]])
        if before >= 0:
            return float(self.fp[at] / self.reals)
        after = excess(self.fp[at + 1], self.tp[down_to[at]])
        part = before / (before - after)
        return float((self.fp[at] + part * (self.fp[at + 1] - self.fp[at])) / self.reals)


def _dot(one: Floats, other: Floats) -> float:
    """Sum of products; without @, whose BLAS threads stall on a busy machine."""
    return float(np.einsum("i,i->", one, other))
