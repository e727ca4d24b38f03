"""Rows by falling score, sorted once: each resample then only weighs them anew.

Reals and fakes are ranked apart. A figure needs, for each distinct score of one class, only the weight of the other class
above it, so that a resample costs two sums over the rows and one look-up for each fake.
"""

from dataclasses import dataclass

import numpy as np

from deepfake_cli.metrics.checked import Codes, Floats


@dataclass(frozen=True)
class Side:
    """The rows of one class by falling score; those of equal score and unit are one row that counts several times."""

    codes: Codes  # (rows,) the unit of each
    counts: Codes | None  # (rows,) how many each stands for; None where that is one everywhere
    values: Floats  # (steps,) the distinct scores, falling
    ends: Codes | None  # (steps + 1,) rows above each step, and all; None where each row is a step

    @classmethod
    def of(cls, scores: Floats, codes: Codes) -> "Side":
        """Rank the rows of one class."""
        order = np.argsort(-scores, kind="stable")
        if len(order) and (np.diff(scores[order]) == 0).any():  # only where scores repeat can rows be put together
            order = np.lexsort((codes, -scores))
        scores, codes = scores[order], codes[order]
        first = np.flatnonzero(_changes(scores) | _changes(codes))
        counts = np.diff(np.append(first, len(scores)))
        scores, codes = scores[first], codes[first]
        starts = np.flatnonzero(_changes(scores))
        ends = None if len(starts) == len(scores) else np.append(starts, len(scores))
        return cls(codes, None if (counts == 1).all() else counts, scores[starts], ends)

    def walk(self, times: Codes) -> Floats:
        """The weight of the rows above each step, and of all: (steps + 1,), where a unit weighs ``times[unit]``.

        Whole numbers are exact, and summed six times as fast as floats.
        """
        weights = times.take(self.codes)
        if self.counts is not None:
            weights *= self.counts
        sums = np.zeros(len(weights) + 1, dtype="int64")
        np.cumsum(weights, out=sums[1:])
        return (sums if self.ends is None else sums.take(self.ends)).astype("float64")

    def above(self, scores: Floats | float) -> Codes:
        """How many steps lie above each score; `scores` fall."""
        return np.searchsorted(-self.values, -np.asarray(scores), side="left")

    def down_to(self, scores: Floats | float) -> Codes:
        """How many steps lie above each score or at it."""
        return np.searchsorted(-self.values, -np.asarray(scores), side="right")


@dataclass(frozen=True)
class Ranking:
    """Both classes, and where each score of one would stand in the other."""

    fakes: Side
    reals: Side
    reals_above: Codes  # (steps of fakes,) steps of reals above each
    reals_down_to: Codes  # the same, and those at it; the same array where no real and fake share a score
    fakes_above: Codes  # (steps of reals,)
    fakes_down_to: Codes

    @classmethod
    def of(cls, truth: Codes, scores: Floats, codes: Codes) -> "Ranking":
        """Rank rows, each with the number of its unit."""
        fakes, reals = (Side.of(scores[truth == label], codes[truth == label]) for label in (1, 0))
        above, down_to = reals.above(fakes.values), reals.down_to(fakes.values)
        shared = not np.array_equal(above, down_to)
        return cls(
            fakes,
            reals,
            above,
            down_to if shared else above,
            fakes.above(reals.values),
            fakes.down_to(reals.values),
        )


def _changes(values: Floats | Codes) -> np.ndarray:
    """Where a value differs from the one before; the first does."""
    return np.concatenate([np.ones(min(len(values), 1), bool), np.diff(values) != 0])
