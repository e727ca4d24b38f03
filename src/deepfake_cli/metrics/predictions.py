"""Read predictions from a CSV: our own, or any with its columns mapped."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from deepfake_cli.errors import ConfigError, ManifestError
from deepfake_cli.storage.csv_cells import unquoted_table
from deepfake_cli.storage.disk import reason
from deepfake_cli.storage.downloads import local_path
from deepfake_cli.storage.file_sets import finish
from deepfake_cli.storage.near import hint

COLUMNS = ("path", "dataset", "group", "video", "frame", "label", "score", "method", "quality")
NEEDED = ("label", "score")
LABELS = {"real": 0, "fake": 1, "0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}
NULLS = ("nan", "none", "null")  # a score that is none, in any case
NO_SCORE = "no score in the file"


@dataclass
class Predictions:
    """Scored frames.

    Attributes:
        frames: rows with a score, in the columns of `COLUMNS`; label 0 or 1, score float64.
        missing: videos without any score: dataset, group, video, label, method, quality, reason.
        unscored: number of rows without a score.
        own: columns of the file.
        notes: what the file lacks, and what is used instead.
    """

    frames: pd.DataFrame
    missing: pd.DataFrame
    unscored: int
    own: list[str]
    notes: list[str] = field(default_factory=list)


def mapping(text: str | None) -> dict[str, str]:
    """Parse a mapping from our column names to those of a file: ``score=prob,label=target``.

    Raises:
        ConfigError: a part is not ``ours=theirs``, or is not a column of ours.
    """
    pairs = [part.strip().partition("=") for part in (text or "").split(",") if part.strip()]
    for ours, equals, theirs in pairs:
        if not equals or not theirs.strip() or ours.strip() not in COLUMNS:
            raise ConfigError(
                f"--columns {text}: found {ours + equals + theirs!r}, expected OURS=THEIRS, such as score=prob; ours are "
                f"{', '.join(COLUMNS)}."
            )
    return {ours.strip(): theirs.strip() for ours, _, theirs in pairs}


def read(path: Path, columns: dict[str, str] | None = None) -> Predictions:
    """Read scored rows.

    Labels are real and fake, 0 and 1, or false and true (true is fake). Scores are in [0, 1], 1 for fake. A row with an empty
    score or nan is a frame that could not be scored. Without a column video, each row is a unit; without a column group, each
    video.

    Args:
        path: the CSV, with a header.
        columns: our column names to those of the file, where they differ.

    Raises:
        ManifestError: the file is unreadable, or a column, label or score is invalid.
    """
    rows = _named(_text(path), columns or {}, path)
    own, notes = [str(name) for name in rows], []
    rows["label"] = _labels(rows, path)
    rows["score"] = _scores(rows, path)
    if "video" not in own:
        rows["video"] = pd.Series(rows.index, dtype="int64").astype(str)
        notes.append(f"{path} has no column video: each row counts as a video.")
    if "group" not in own:
        rows["group"] = rows["video"]
        notes.append(f"{path} has no column group: intervals resample {'videos' if 'video' in own else 'rows'}.")
    for name in ("dataset", "path", "method", "quality"):
        rows[name] = rows[name].fillna("") if name in own else ""
    twice = (rows["path"] != "") & rows["path"].duplicated()
    if twice.any():
        some = rows["path"][twice].iloc[0]
        notes.append(f"{path}: {twice.sum():,} rows repeat an image, such as {some}; each row counts. Remove them.")
    return _parted(rows, path, own, notes)


def _parted(rows: pd.DataFrame, path: Path, own: list[str], notes: list[str]) -> Predictions:
    """Split rows with a score from videos without any."""
    for name in ("video", "group"):
        if rows[name].isna().any():
            at = int(rows[name].isna().to_numpy().argmax())
            raise ManifestError(f"{path}: row {at + 2} has no {name}: fill the column in every row, or remove it.")
    scored = rows["score"].notna()
    if not scored.any():
        raise ManifestError(f"{path}: no row has a score.")
    keys = ["dataset", "video"]
    rest = rows[~scored].drop_duplicates(keys)
    known = pd.MultiIndex.from_frame(rows.loc[scored, keys].drop_duplicates()) if len(rest) else None
    missing = rest if known is None else rest[~pd.MultiIndex.from_frame(rest[keys]).isin(known)]
    frames = rows[scored].reset_index(drop=True)
    kept = [*keys, "group", "label", "method", "quality"]
    return Predictions(frames, missing[kept].assign(reason=NO_SCORE), int((~scored).sum()), own, notes)


def _text(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    from pyarrow import csv as arrow

    finish(path.parent)
    local = local_path(path)
    if not local.is_file():
        raise ManifestError(f"{path}: no such file.{hint(path)}")
    try:
        with local.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
        twice = sorted({name for name in header if header.count(name) > 1})
        if twice:
            raise ValueError(f"two columns have the name {twice[0]!r}")
        options = arrow.ConvertOptions(column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=True)
        options.null_values = [""]  # a group may be called None, or null
        parse = arrow.ParseOptions(newlines_in_values=True)
        return unquoted_table(arrow.read_csv(local, parse_options=parse, convert_options=options).to_pandas())
    except (OSError, ValueError, csv.Error) as error:
        raise ManifestError(f"{path}: cannot read as a CSV of predictions: {reason(error)}") from None


def _named(table: pd.DataFrame, columns: dict[str, str], path: Path) -> pd.DataFrame:
    """The columns of the file under our names."""
    names = {name: columns.get(name, name) for name in COLUMNS}
    gone = [theirs for ours, theirs in names.items() if theirs not in table and (ours in columns or ours in NEEDED)]
    if gone:
        raise ManifestError(
            f"{path}: no column {_list(gone)}; found {_list(table.columns)}. Map them: --columns "
            "score=THEIRS,label=THEIRS,video=THEIRS"
        )
    if table.empty:
        raise ManifestError(f"{path}: no rows, only a header.")
    return pd.DataFrame({ours: table[theirs] for ours, theirs in names.items() if theirs in table})


def _labels(rows: pd.DataFrame, path: Path) -> pd.Series:
    codes, values = pd.factorize(rows["label"].fillna("").str.strip().str.lower())
    numbers = pd.Series([LABELS.get(value, -1) for value in values], dtype="int64").to_numpy()[codes]
    if (numbers < 0).any():
        at = int((numbers < 0).argmax())
        raise ManifestError(
            f"{path}: label {rows['label'].iloc[at]!r} in row {at + 2}; allowed: real, fake, 0, 1, true (fake), false."
        )
    return pd.Series(numbers, index=rows.index)


def _scores(rows: pd.DataFrame, path: Path) -> pd.Series:
    words = rows["score"].mask(rows["score"].str.strip().str.lower().isin(NULLS))
    numbers = pd.to_numeric(words, errors="coerce").astype("float64")
    bad = ((numbers.isna() & words.notna()) | (numbers < 0) | (numbers > 1)).to_numpy()
    if bad.any():
        at = int(bad.argmax())
        raise ManifestError(
            f"{path}: score {rows['score'].iloc[at]!r} in row {at + 2}, one of {int(bad.sum()):,}; allowed: numbers in "
            "[0, 1], 1 for fake. Apply a sigmoid to logits; use 1 - p for probabilities of real."
        )
    return numbers


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
