"""``deepfake evaluate --robustness``: evaluate a detector under corruptions."""

from collections.abc import Callable, Collection
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepfake_cli.config import Evaluate
from deepfake_cli.corruptions import CHANGES, STRENGTHS, changed
from deepfake_cli.corruptions.sample import by_video, chunks, lengths, middles
from deepfake_cli.data import manifest
from deepfake_cli.errors import ConfigError, ManifestError
from deepfake_cli.evaluation.keras_scorer import Trained
from deepfake_cli.evaluation.onnx_scorer import Exported
from deepfake_cli.evaluation.scored_frames import Judged
from deepfake_cli.metrics.assess import assess as assess_table
from deepfake_cli.reporting.style import also

if TYPE_CHECKING:
    import pandas as pd

AT_ONCE = 64  # images per chunk, about: decoded once, then corrupted and scored 45 times
FIGURES = ("auc", "balanced_accuracy")
FILES = ("robustness.csv", "robustness.png", "changes.png", "robustness.svg", "robustness.pdf")
NONE = ("none", 0)  # without corruption
Progress = Callable[[int, int], None]


def changes_of(every: bool, chosen: str | None) -> list[str]:
    """The names of the corruptions to measure, in the order of `CHANGES`.

    Args:
        every: measure all of them, unless some are chosen.
        chosen: names, comma-separated.

    Raises:
        ConfigError: a corruption is unknown.
        VideoError: H.264 is chosen, but PyAV has no x264.
    """
    default = list(CHANGES) if every else []
    names = default if chosen is None else [name.strip() for name in chosen.split(",")]
    unknown = [name for name in names if name not in CHANGES]
    if unknown:
        raise ConfigError(
            f"--robustness-changes: found {unknown[0]!r}; choose from {', '.join(CHANGES)}, comma-separated."
        )
    if "h264" in names:
        changed(np.zeros((1, 32, 32, 3), np.uint8), "h264", 1, [0])
    return [name for name in CHANGES if name in names]


def written(formats: Collection[str]) -> list[str]:
    """The names of the files that `robustness` writes, with the plot in these further formats, too."""
    return [FILES[0], *(path.name for path in also(Path(FILES[1]), formats)), FILES[2]]


def robustness(
    settings: Evaluate, scored: Judged, names: list[str], output: Path, progress: Progress
) -> list[dict[str, Any]]:
    """Score corrupted frames, and write ``robustness.csv``, ``robustness.png`` and ``changes.png``.

    Args:
        settings: of the evaluation.
        scored: the evaluated frames, and the detector.
        names: the corruptions.
        output: folder of the files.
        progress: called with the number of scored images and the total, over all corruptions and strengths.

    Returns:
        A row for the clean frames (``none``, strength 0), then one per corruption and strength: ``change``, ``strength``,
        ``parameter``, and at ``frame`` and ``video`` level ``n`` and the `FIGURES` with intervals.

    Raises:
        ManifestError: an image cannot be decoded, or a score is not finite.
    """
    assert scored.detector  # there is one, if there are no predictions
    chosen = middles(scored.frames.drop(columns="score"), settings.robustness_frames)
    kinds = [NONE, *product(names, STRENGTHS)]
    raw, image = _scores(settings, scored.detector, chosen, kinds, progress)
    scores = scored.calibrated.scores(raw)
    assess = partial(
        assess_table,
        threshold=scored.threshold,
        resamples=settings.resamples,
        seed=settings.seed,
        pool=scored.pool,
        interval=settings.interval,
        sliced=False,
    )
    rows = [
        _row(name, strength, assess(chosen.assign(score=values)))
        for (name, strength), values in zip(kinds, scores, strict=True)
    ]
    _write(output, rows, names, image, settings)
    return rows


def _scores(
    settings: Evaluate,
    detector: Trained | Exported,
    chosen: "pd.DataFrame",
    kinds: list[tuple[str, int]],
    progress: Progress,
) -> tuple[np.ndarray, np.ndarray]:
    """Scores, float64 (kinds, frames), and the middle image of the first video."""
    scores, done, total = np.empty((len(kinds), len(chosen))), 0, len(chosen) * len(kinds)
    start, image = 0, np.empty(0)
    for videos in chunks(by_video(detector.images(chosen, AT_ONCE), lengths(chosen)), AT_ONCE):  # decoded once
        if not start:
            image = videos[0][len(videos[0]) // 2]
        end = start + sum(map(len, videos))
        for number, kind in enumerate(kinds):
            images = np.concatenate(_changed(videos, chosen.index[start:end].tolist(), kind, settings.seed))
            scores[number, start:end] = detector.scores_of(images)
            done += end - start
            progress(done, total)
        start = end
    if not np.isfinite(scores).all():
        raise ManifestError("Some scores are not finite; train the detector again.")
    return scores, image


def _changed(videos: list[np.ndarray], places: list[int], kind: tuple[str, int], seed: int) -> list[np.ndarray]:
    """Apply one corruption to some videos; `places` are the indices of their frames in the list."""
    if kind == NONE:
        return videos
    ends = np.cumsum([len(video) for video in videos])
    return [
        changed(video, *kind, places[end - len(video) : end], seed) for video, end in zip(videos, ends, strict=True)
    ]


def _row(name: str, strength: int, metrics: dict[str, Any]) -> dict[str, Any]:
    parameter = CHANGES[name].described(strength) if strength else "as they are"
    levels = {
        level: {"n": metrics[level]["n"]} | {figure: metrics[level][figure] for figure in FIGURES}
        for level in ("frame", "video")
    }
    return {"change": name, "strength": strength, "parameter": parameter, **levels}


def _write(output: Path, rows: list[dict[str, Any]], names: list[str], image: np.ndarray, settings: Evaluate) -> None:
    from deepfake_cli.reporting.figures.changes import changes_sheet
    from deepfake_cli.reporting.figures.robustness import robustness_plot

    keys = ("change", "strength", "parameter")
    columns = {"_".join(place): place for place in product(("frame", "video"), FIGURES, ("value", "low", "high"))}
    flat = [
        {key: row[key] for key in keys}
        | {name: row[level][figure][end] for name, (level, figure, end) in columns.items()}
        for row in rows
    ]
    manifest.write(output / FILES[0], [*keys, *columns], flat)
    robustness_plot(output / FILES[1], rows, settings.plot_formats)
    changes_sheet(output / FILES[2], image, names, settings.seed)
