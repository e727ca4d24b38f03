"""Check labels, scores, units and tables of frames."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from deepfake_cli.errors import ManifestError
from deepfake_cli.metrics.pooling import Codes, Floats

KEYS = ["dataset", "video", "group", "label"]


def checked(labels: ArrayLike, scores: ArrayLike) -> tuple[Codes, Floats]:
    """Return labels as integers and scores as float64, both of shape (n,), with both classes.

    Raises:
        ManifestError: labels or scores are empty, differ in length, are out of range or hold one class only.
    """
    truth, score = checked_rows(labels, scores)
    if truth.min() == truth.max():
        raise ManifestError(
            f"Both real and fake rows are needed. Received: {len(truth)}, all {('real', 'fake')[int(truth[0])]}."
        )
    return truth, score


def checked_rows(labels: ArrayLike, scores: ArrayLike) -> tuple[Codes, Floats]:
    """As `checked`, but one class is enough."""
    truth, score = np.asarray(labels), np.asarray(scores, dtype="float64")
    if truth.ndim != 1 or truth.shape != score.shape:
        raise ManifestError(f"Each row has one label and one score. Received: {truth.shape} and {score.shape}.")
    if not len(truth):
        raise ManifestError("Nothing to measure. Received: no rows.")
    if not np.isin(truth, (0, 1)).all():
        raise ManifestError(f"A label is 0 (real) or 1 (fake). Received: {np.unique(truth)[:5].tolist()}.")
    bad = np.flatnonzero(~((score >= 0) & (score <= 1)))  # NaN is bad too
    if len(bad):
        raise ManifestError(
            f"A score lies in [0, 1]. Received: {len(bad)} that do not, first {score[bad[0]]} in row {bad[0]}."
        )
    return truth.astype("int64"), score


def unit_codes(units: ArrayLike | pd.Series, rows: int) -> Codes:
    """Number units from 0, by first appearance."""
    codes = pd.factorize(pd.Series(units))[0]
    if len(codes) != rows or codes.min() < 0:
        raise ManifestError(
            f"Each row has a unit. Received: {len(codes)} units, {(codes < 0).sum()} of them empty, for {rows} rows."
        )
    return codes


def check_frames(frames: pd.DataFrame) -> None:
    """Check that scored frames have all columns and no empty cell.

    Raises:
        ManifestError: a column is missing, a cell is empty, or a score is not a number.
    """
    columns = [*KEYS, "score"]
    missing = [column for column in columns if column not in frames]
    if missing:
        raise ManifestError(f"Scored frames have the columns {', '.join(columns)}. Missing: {', '.join(missing)}.")
    if frames.empty:
        raise ManifestError("Nothing to measure. Received: no frames.")
    if not pd.api.types.is_numeric_dtype(frames["score"]):
        raise ManifestError(f"Scores are numbers. Received: {frames['score'].iloc[0]!r} in the first row.")
    empty = frames[columns].isna().sum()
    if empty.any():
        raise ManifestError(f"No cell may be empty. Received: {empty.max()} frames without a {empty.idxmax()}.")
