"""Scores become figures with intervals, at frame and at video level. Fake is the positive class, 1; real is 0."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from deepfake_cli.errors import ManifestError

LEVEL = 0.95
FIGURES = ("accuracy", "balanced_accuracy", "auc", "average_precision", "eer")
KEYS = ["dataset", "video", "group", "label"]

Floats = NDArray[np.float64]
Codes = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Interval:
    """A figure, in [0, 1], with its confidence interval.

    Attributes:
        value: the figure on the rows as they are.
        low: the interval's lower end; None when it cannot be had.
        high: the interval's upper end; None when it cannot be had.
        left_out: resamples that were not used, since they held a single class.
    """

    value: float
    low: float | None = None
    high: float | None = None
    left_out: int = 0


def figures(labels: ArrayLike, scores: ArrayLike, threshold: float) -> dict[str, float]:
    """Return accuracy, balanced accuracy, ROC AUC, average precision and equal error rate.

    Args:
        labels: shape (n,), 0 for real and 1 for fake; both must occur.
        scores: shape (n,), how fake each row is, in [0, 1].
        threshold: a score of at least this is called fake.

    Returns:
        The names in `FIGURES` to fractions in [0, 1]. The EER is where the ROC, joined by straight lines, meets
        "as many reals missed as fakes".

    Raises:
        ManifestError: labels or scores are empty, do not pair up, are out of range or hold one class only.
    """
    from sklearn import metrics  # a second of import that `--help` need not wait for

    truth, score = _checked(labels, scores)
    called = score >= threshold
    fpr, tpr, _ = metrics.roc_curve(truth, score)
    values = (
        metrics.accuracy_score(truth, called),
        metrics.balanced_accuracy_score(truth, called),
        metrics.roc_auc_score(truth, score),
        metrics.average_precision_score(truth, score),
        _eer(fpr, tpr),
    )
    return dict(zip(FIGURES, map(float, values), strict=True))


def confusion(labels: ArrayLike, scores: ArrayLike, threshold: float) -> dict[str, int]:
    """Count the rows by what they are and what they are called.

    Args:
        labels: shape (n,), 0 for real and 1 for fake.
        scores: shape (n,), in [0, 1].
        threshold: a score of at least this is called fake.

    Raises:
        ManifestError: as for `figures`.
    """
    truth, score = _checked(labels, scores)
    real_as_real, real_as_fake, fake_as_real, fake_as_fake = np.bincount(2 * truth + (score >= threshold), minlength=4)
    return {
        "real_as_real": int(real_as_real),
        "real_as_fake": int(real_as_fake),
        "fake_as_real": int(fake_as_real),
        "fake_as_fake": int(fake_as_fake),
    }


def best_threshold(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the threshold in [0, 1] of highest balanced accuracy (Youden 1950, "Index for rating diagnostic tests").

    It lies midway between the two neighbouring scores that it parts, so that it carries over to other rows; of several
    equally good cuts it is the middle one (of two, the higher). It is 0.5 when all scores are equal.

    Args:
        labels: shape (n,), 0 for real and 1 for fake.
        scores: shape (n,), in [0, 1].

    Raises:
        ManifestError: as for `figures`.
    """
    truth, score = _checked(labels, scores)
    ranking = _Ranking.of(truth, score)
    if len(ranking.scores) == 1:
        return 0.5
    tp, fp = ranking.walk(np.ones(len(truth)))
    youden = (tp * fp[-1] - fp * tp[-1])[1:]  # whole numbers, so that ties are exact; [1:]: a cut below each score
    best = np.flatnonzero(youden == youden.max())
    at = best[(len(best) - 1) // 2]
    above, below = ranking.scores[at], np.append(ranking.scores, 0.0)[at + 1]
    middle = (above + below) / 2
    return float(middle if middle > below else above)  # between neighbouring floats there is no middle


def video_scores(frames: pd.DataFrame) -> pd.DataFrame:
    """Return one row a video, in order of first appearance; its score is the mean of its frames.

    Args:
        frames: one row a frame with the columns dataset, video, group, label (0 or 1) and score (in [0, 1]).

    Returns:
        The columns dataset, video, group, label, score (float64) and frames (their number); one row for each pair of
        dataset and video.

    Raises:
        ManifestError: a column is missing, a cell is empty, or the frames of one video differ in group or label.
    """
    _check_frames(frames)
    scores = frames["score"].astype("float64").groupby([frames[key] for key in KEYS], observed=True, sort=False)
    videos = scores.agg(score="mean", frames="size").reset_index()
    torn = videos.duplicated(["dataset", "video"])
    if torn.any():
        dataset, video = videos.loc[torn, ["dataset", "video"]].iloc[0]
        raise ManifestError(f"A video has one label and one group. Received: several for {video!r} of {dataset!r}.")
    return videos


def intervals(
    labels: ArrayLike,
    scores: ArrayLike,
    threshold: float,
    units: ArrayLike,
    resamples: int = 1000,
    seed: int = 0,
    level: float = LEVEL,
) -> dict[str, Interval]:
    """Return `figures` with percentile bootstrap intervals (Efron 1979) that resample whole units.

    Frames of one video, and videos of one person, are alike; resampling them one by one would make the intervals too
    narrow. As many units as there are get drawn with replacement, each with all of its rows. Resamples that hold a
    single class have no AUC; they are left out and counted in `Interval.left_out`.

    Args:
        labels: shape (n,), 0 for real and 1 for fake.
        scores: shape (n,), in [0, 1].
        threshold: a score of at least this is called fake.
        units: shape (n,), the unit (a group, a video) of each row. The order of their first appearance fixes which
            draw meets which unit.
        resamples: how many resamples to draw.
        seed: of the draws.
        level: share of the resamples between low and high, in (0, 1).

    Returns:
        The names in `FIGURES` to intervals; low and high are None for a single unit, or if no resample could be used.

    Raises:
        ManifestError: as for `figures`, or a row has no unit.
    """
    values = figures(labels, scores, threshold)
    ranking = _Ranking.of(*_checked(labels, scores))
    codes = _unit_codes(units, len(ranking.order))
    if codes.max() == 0:
        return {name: Interval(value) for name, value in values.items()}
    drawn = _bootstrap(ranking, threshold, codes, resamples, np.random.default_rng(seed))
    left_out = resamples - len(drawn)
    if not drawn:
        return {name: Interval(value, left_out=left_out) for name, value in values.items()}
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    ends = zip(FIGURES, low.tolist(), high.tolist(), strict=True)
    return {name: Interval(values[name], below, above, left_out) for name, below, above in ends}


def assess(frames: pd.DataFrame, threshold: float, resamples: int = 1000, seed: int = 0) -> dict[str, Any]:
    """Return all figures, intervals and confusion counts at frame and at video level, ready for JSON.

    The intervals of both levels come from the same resamples of groups; of videos if there is only one group, which
    the ``note`` then says.

    Args:
        frames: one row a frame, as for `video_scores`.
        threshold: a score (of a frame, or a video's mean) of at least this is called fake.
        resamples: bootstrap resamples.
        seed: of the bootstrap.

    Returns:
        ``{"threshold", "frame": {"n", "real", "fake", *FIGURES, "confusion"}, "video": {…the same…}, "interval":
        {"level", "resamples", "left_out", "unit", "units"}}``, where each figure is ``{"value", "low", "high"}``.

    Raises:
        ManifestError: as for `video_scores` and `figures`.
    """
    videos = video_scores(frames)
    unit = "group" if videos["group"].nunique() >= 2 else "video"
    result: dict[str, Any] = {"threshold": float(threshold)}
    for name, rows in (("frame", frames), ("video", videos)):
        units = _units(rows, unit)
        result[name], left_out = _level(rows, threshold, units, resamples, seed)
    interval = {
        "level": LEVEL,
        "resamples": resamples,
        "left_out": left_out,
        "unit": unit,
        "units": int(units.max()) + 1,
    }
    if unit == "video":
        interval["note"] = "intervals resample videos, since there is only one group"
    return result | {"interval": interval}


def _level(rows: pd.DataFrame, threshold: float, units: Codes, resamples: int, seed: int) -> tuple[dict[str, Any], int]:
    """One level of `assess`, and the number of resamples left out."""
    labels, scores = rows["label"].to_numpy(), rows["score"].to_numpy()
    found = intervals(labels, scores, threshold, units, resamples, seed)
    fakes = int(labels.sum())
    result: dict[str, Any] = {"n": len(rows), "real": len(rows) - fakes, "fake": fakes}
    for name, interval in found.items():
        result[name] = {"value": interval.value, "low": interval.low, "high": interval.high}
    return result | {"confusion": confusion(labels, scores, threshold)}, found["auc"].left_out


def _units(rows: pd.DataFrame, unit: str) -> Codes:
    """Number units by first appearance: frames and videos get the same numbers, and so the same resamples."""
    if unit == "group":
        return pd.factorize(rows["group"])[0]
    return rows.groupby(["dataset", "video"], observed=True, sort=False).ngroup().to_numpy()


@dataclass(frozen=True)
class _Ranking:
    """Rows by falling score, sorted once for all resamples; rows of equal score make one step of the ROC."""

    order: Codes  # (n,) row numbers
    fake: Floats  # (n,) 1.0 or 0.0, in that order
    scores: Floats  # (steps,) the distinct scores, falling
    edges: Codes | slice  # (steps + 1,) rows before each step, and n

    @classmethod
    def of(cls, truth: Codes, score: Floats) -> "_Ranking":
        order = np.argsort(-score, kind="stable")
        ranked = score[order]
        edges = np.concatenate([[0], np.flatnonzero(np.diff(ranked)) + 1, [len(ranked)]])
        distinct = len(edges) == len(ranked) + 1  # then a slice saves two copies a resample
        return cls(order, truth[order].astype("float64"), ranked[edges[:-1]], slice(None) if distinct else edges)

    def walk(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return the weight of fakes, and of reals, above each edge; `weights`, by rank, are whole numbers."""
        tp, every = np.zeros(len(weights) + 1), np.zeros(len(weights) + 1)
        np.cumsum(weights * self.fake, out=tp[1:])
        np.cumsum(weights, out=every[1:])
        tp = tp[self.edges]
        return tp, every[self.edges] - tp

    def cut(self, threshold: float) -> int:
        """Return the edge above which scores are at least `threshold`."""
        return int(np.searchsorted(-self.scores, -threshold, side="right"))


def _bootstrap(
    ranking: _Ranking, threshold: float, codes: Codes, resamples: int, rng: np.random.Generator
) -> list[tuple[float, ...]]:
    """The `FIGURES` of each resample that holds both classes; a unit drawn k times weighs its rows by k."""
    count, cut, ranked_codes = codes.max() + 1, ranking.cut(threshold), codes[ranking.order]
    drawn = []
    for _ in range(resamples):
        times = np.bincount(rng.integers(count, size=count), minlength=count).astype("float64")
        tp, fp = ranking.walk(times[ranked_codes])
        if tp[-1] and fp[-1]:
            drawn.append(_weighted_figures(tp, fp, cut))
    return drawn


def _weighted_figures(tp: Floats, fp: Floats, cut: int) -> tuple[float, ...]:
    """The `FIGURES` of one walk down the ranking, in their order."""
    fakes, reals = tp[-1], fp[-1]
    tpr, fpr = tp / fakes, fp / reals
    precision = tp[1:] / np.maximum(tp + fp, 1)[1:]  # nothing is called fake yet where the sum is 0
    return (
        float((tp[cut] + reals - fp[cut]) / (fakes + reals)),
        float((tpr[cut] + 1 - fpr[cut]) / 2),
        float(np.sum(np.diff(fpr) * (tpr[1:] + tpr[:-1])) / 2),  # not @: BLAS threads stall on a busy machine
        float(np.sum(np.diff(tpr) * precision)),
        _eer(fpr, tpr),
    )


def _eer(fpr: Floats, tpr: Floats) -> float:
    """Where the false positive rate equals the false negative rate, on straight lines between the ROC's points."""
    return float(np.interp(0, fpr + tpr - 1, fpr))


def _checked(labels: ArrayLike, scores: ArrayLike) -> tuple[Codes, Floats]:
    """Labels as integers and scores as float64, both of shape (n,), once they are sound."""
    truth, score = np.asarray(labels), np.asarray(scores, dtype="float64")
    if truth.ndim != 1 or truth.shape != score.shape:
        raise ManifestError(f"Each row has one label and one score. Received: {truth.shape} and {score.shape}.")
    if not len(truth):
        raise ManifestError("There is nothing to measure. Received: no rows.")
    if not np.isin(truth, (0, 1)).all():
        raise ManifestError(f"A label is 0 (real) or 1 (fake). Received: {np.unique(truth)[:5].tolist()}.")
    bad = np.flatnonzero(~((score >= 0) & (score <= 1)))  # so put that NaN is bad too
    if len(bad):
        raise ManifestError(
            f"A score lies in [0, 1]. Received: {len(bad)} that do not, first {score[bad[0]]} in row {bad[0]}."
        )
    if truth.min() == truth.max():
        raise ManifestError(
            f"Both real and fake rows are needed. Received: {len(truth)}, all {('real', 'fake')[int(truth[0])]}."
        )
    return truth.astype("int64"), score


def _unit_codes(units: ArrayLike | pd.Series, rows: int) -> Codes:
    """Units as whole numbers from 0, by first appearance."""
    codes = pd.factorize(pd.Series(units))[0]
    if len(codes) != rows or codes.min() < 0:
        raise ManifestError(
            f"Each row has a unit. Received: {len(codes)} units, {(codes < 0).sum()} of them empty, for {rows} rows."
        )
    return codes


def _check_frames(frames: pd.DataFrame) -> None:
    columns = [*KEYS, "score"]
    missing = [column for column in columns if column not in frames]
    if missing:
        raise ManifestError(f"Scored frames have the columns {', '.join(columns)}. Missing: {', '.join(missing)}.")
    if frames.empty:
        raise ManifestError("There is nothing to measure. Received: no frames.")
    if not pd.api.types.is_numeric_dtype(frames["score"]):
        raise ManifestError(f"Scores are numbers. Received: {frames['score'].iloc[0]!r} in the first row.")
    empty = frames[columns].isna().sum()
    if empty.any():
        raise ManifestError(f"No cell may be empty. Received: {empty.max()} frames without a {empty.idxmax()}.")
