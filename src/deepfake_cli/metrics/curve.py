"""The figures of one weighting of ranked rows: the ROC, and what is read off it."""

from bisect import bisect_left

import numpy as np

from deepfake_cli.metrics.checked import Codes, Floats
from deepfake_cli.metrics.ranking import Ranking

PARTIAL = 0.1  # the partial AUC's highest false positive rate
RATES = (0.001, 0.01, 0.05)  # false positive rates at which the true positive rate is told


class Curve:
    """The ROC of ranked rows of which each unit weighs ``times[unit]``."""

    def __init__(self, ranking: Ranking, times: Codes):
        self.ranking = ranking
        self.tp, self.fp = ranking.fakes.walk(times), ranking.reals.walk(times)
        self.fakes, self.reals = float(self.tp[-1]), float(self.fp[-1])

    def ranked(self) -> tuple[float, ...]:
        """AUC, partial AUC, average precision, EER; NaN where a class is missing."""
        if not (self.fakes and self.reals):
            return (np.nan,) * 4
        gains, down_to = np.diff(self.tp), self.fp.take(self.ranking.reals_down_to)
        same = self.ranking.reals_above is self.ranking.reals_down_to
        above = down_to if same else self.fp.take(self.ranking.reals_above)
        auc = 1 - (_dot(gains, down_to) + _dot(gains, above)) / 2 / self.fakes / self.reals
        tp = self.tp[1:]
        precision = tp / np.maximum(tp + down_to, 1)  # nothing is called fake yet where the sum is 0
        return auc, self._partial(), _dot(gains, precision) / self.fakes, self._eer()

    def rates(self) -> tuple[float, ...]:
        """The highest true positive rate of any threshold whose false positive rate is at most each of `RATES`."""
        if not (self.fakes and self.reals):
            return (np.nan,) * len(RATES)
        allowed = np.floor(np.array(RATES) * self.reals + 1e-9)  # a hundredth of 100 is 1, whatever floats say
        last = np.searchsorted(self.fp, allowed, side="right") - 1
        return tuple((self.tp[self.ranking.fakes_above[last]] / self.fakes).tolist())

    def called(self, cut: tuple[int, int]) -> tuple[float, ...]:
        """Accuracy, balanced accuracy and F1, `cut` being the steps of fakes and of reals that are called fake."""
        tp, fp = float(self.tp[cut[0]]), float(self.fp[cut[1]])
        accuracy = (tp + self.reals - fp) / (self.fakes + self.reals)
        balanced = (tp / self.fakes + 1 - fp / self.reals) / 2 if self.fakes and self.reals else np.nan
        return accuracy, balanced, 2 * tp / (tp + fp + self.fakes) if self.fakes else np.nan

    def _partial(self) -> float:
        """The area up to `PARTIAL`, made 0.5 for chance and 1 for perfection (McClish 1989)."""
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
        """Where as large a share of reals is missed as of fakes, on straight lines between the ROC's points."""
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
    """A sum of products; not @, whose BLAS threads stall on a busy machine."""
    return float(np.einsum("i,i->", one, other))
