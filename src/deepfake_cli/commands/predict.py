"""``deepfake predict``: classify files."""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.config import Predict
from deepfake_cli.config.command_line import command
from deepfake_cli.explain.files import Reasons
from deepfake_cli.inference.detector import Detector
from deepfake_cli.inference.on_cluster import predict_there
from deepfake_cli.inference.result import Verdict, Verdicts
from deepfake_cli.inference.sources import files
from deepfake_cli.inference.tables import FRAME_COLUMNS, VERDICT_COLUMNS, frame_rows, row
from deepfake_cli.storage.csv_cells import write_rows
from deepfake_cli.storage.files import write_text
from deepfake_cli.storage.folders import PASSED

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[Path, int, int], None]  # file, frames done, total


@dataclass(repr=False)
class PredictResult:
    """Result of `predict`: a sequence of verdicts, with what else was found.

    Attributes:
        verdicts: one per file, in order.
        detector: name, runtime and thresholds of the detector, as text.
        rates: its measured error rates, as text; empty if not measured.
        terms: what its licence forbids, as text; empty if it forbids no use.
        missed: whether a verdict matches `Predict.fail_on`.
        written: images and videos written.
        skipped: files of the given folders and patterns that are not named as videos or images.
        unread: folders that cannot be listed, links to folders that are read already, and cases, with the reason.
        case_sha256: hash of the file SHA256SUMS of the case, which stands for the whole folder; empty without a case.
    """

    verdicts: Verdicts
    detector: str
    rates: str
    missed: bool
    written: list[Path]
    skipped: list[Path] = field(default_factory=list)
    unread: dict[Path, str] = field(default_factory=dict)
    terms: str = ""
    case_sha256: str = ""

    @property
    def closed(self) -> list[Path]:
        """The folders that cannot be listed; each has an undecided verdict, too."""
        return [path for path, reason in self.unread.items() if reason not in PASSED]

    def __len__(self) -> int:
        return len(self.verdicts)

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self.verdicts)

    def __getitem__(self, index: int) -> Verdict:
        return self.verdicts[index]

    def __repr__(self) -> str:
        return repr(self.verdicts)

    def _repr_html_(self) -> str:
        return self.verdicts._repr_html_()

    def to_dict(self) -> list[dict[str, Any]]:
        """See `deepfake_cli.inference.result.Verdicts.to_dict`."""
        return self.verdicts.to_dict()

    def to_df(self) -> "pd.DataFrame":
        """See `deepfake_cli.inference.result.Verdicts.to_df`."""
        return self.verdicts.to_df()

    def save(self, path: str | Path) -> Path:
        """See `deepfake_cli.inference.result.Verdicts.save`."""
        return self.verdicts.save(path)


def predict(
    settings: Predict,
    progress: Progress = lambda path, done, total: None,
    begin: Progress = lambda path, number, count: None,
) -> PredictResult:
    """Classify files, one after another or on a cluster; an unreadable file does not stop the others.

    Args:
        settings: see `deepfake_cli.config.Predict`.
        progress: called after frames; on a cluster, after files.
        begin: called with each file before it is judged, its number from 1 and the number of files; not on a cluster.

    Raises:
        ConfigError: no files are given, none of them exists, or a pattern or folder has none.
        ModelError: the detector cannot be loaded.
        ClusterError: there is no such cluster, or a machine of it cannot read the files.
    """
    _check_case(settings)
    skipped: list[Path] = []
    unread: dict[Path, str] = {}
    paths = list(files(settings.paths, skipped, unread, settings.folders))
    detector = Detector.load(
        settings.detector,
        runtime=settings.runtime,
        threads=settings.threads,
        threshold=settings.threshold,
        trust=settings.trust,
    )
    reasons = Reasons(detector, settings.explain, wants_page=bool(settings.report or settings.case))
    judged = (
        predict_there(settings, paths, progress)
        if settings.cluster
        else _judge_locally(settings, paths, detector, progress, begin)
    )
    name = settings.detector or f"the starter detector of this package ({detector.traits.model})"
    words = f"{name} on {detector.network.runs_on}, {detector.thresholds}"
    verdicts, sha256 = Verdicts(), ""
    with _case(settings, detector) as case:
        for verdict in judged:
            reasons.add(verdict, partial(progress, verdict.path))
            verdicts.append(verdict)
            if case:
                case.add(verdict)
        if case:
            case.close(reasons.parts, words, skipped, unread)
            sha256 = case.sha256
    _write(settings, verdicts, reasons, detector)
    failing = {"any": ("fake", "undecided"), None: ()}.get(settings.fail_on, (settings.fail_on,))
    missed = any(verdict.label in failing for verdict in verdicts)
    rates, terms = detector.rates, detector.terms
    return PredictResult(verdicts, words, rates, missed, reasons.written, skipped, unread, terms, sha256)


def _write(settings: Predict, verdicts: Verdicts, reasons: Reasons, detector: Detector) -> None:
    """Write the page and the CSV files that the settings name."""
    if settings.report:
        from deepfake_cli.explain.page import page

        write_text(settings.report, page(reasons.parts, detector, command("predict", settings), verbal=settings.verbal))
    if settings.csv:
        write_csv(settings.csv, VERDICT_COLUMNS, map(row, verdicts))
    if settings.frames_csv:
        write_csv(settings.frames_csv, FRAME_COLUMNS, (face for verdict in verdicts for face in frame_rows(verdict)))


def _check_case(settings: Predict) -> None:
    if settings.case:
        from deepfake_cli.case.folder import check

        check(settings)


def _case(settings: Predict, detector: Detector) -> AbstractContextManager[Any]:
    """The case folder to write; None if none is wanted."""
    if settings.case is None:
        return nullcontext()
    from deepfake_cli.case.folder import opened

    return opened(settings, detector)


def _judge_locally(
    settings: Predict, paths: Sequence[Path], detector: Detector, progress: Progress, begin: Progress
) -> Iterator[Verdict]:
    """Judge files one after another, since the network uses all cores."""
    for number, path in enumerate(paths, 1):
        begin(path, number, len(paths))
        yield detector.judge(path, **settings.per_file, progress=partial(progress, path))


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    """Write rows as CSV, atomically."""
    text = io.StringIO()
    write_rows(text, columns, rows)
    write_text(path, text.getvalue())
