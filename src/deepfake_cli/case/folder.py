"""Write a case folder, whole or not at all."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from deepfake_cli.case import log, ontology, schema, signature, sums
from deepfake_cli.case.frames import write_frames
from deepfake_cli.case.pdf import write_pdf
from deepfake_cli.config import Predict
from deepfake_cli.config.command_line import command
from deepfake_cli.errors import CaseError
from deepfake_cli.explain.page import page
from deepfake_cli.explain.top_frames import read_again
from deepfake_cli.inference.detector import Detector
from deepfake_cli.inference.record import machine, now, tool
from deepfake_cli.inference.recording import file_hash
from deepfake_cli.inference.result import Verdict
from deepfake_cli.storage.disk import writing
from deepfake_cli.storage.downloads import downloaded
from deepfake_cli.storage.file_sets import process_folder
from deepfake_cli.storage.files import write_text
from deepfake_cli.storage.folders import is_case
from deepfake_cli.storage.hashes import sha256
from deepfake_cli.storage.json_files import json_text
from deepfake_cli.storage.urls import url

CHANGED_SINCE = "the file changed after it was judged: the frames shown may not be those that were scored"
HTML, PDF = "report.html", "report.pdf"


class CaseFolder:
    """A case that is being written.

    Attributes:
        sha256: hash of ``SHA256SUMS``, which stands for the whole folder; empty until it is closed.
    """

    def __init__(self, partial: Path, settings: Predict, detector: Detector, key: Any):
        self._folder, self._settings, self._detector, self._key = partial, settings, detector, key
        self._log = log.Log(partial / log.NAME)
        self._files: list[dict[str, Any]] = []
        self.sha256 = ""
        self._log.add("began", tool=tool(), machine=machine().name, command=command("predict", settings))
        examiner = detector.examiner
        self._log.add("loaded detector", model=examiner.model, sha256=examiner.sha256, thresholds=detector.thresholds)

    def add(self, verdict: Verdict) -> None:
        """Add a verdict: its frames and its entry in the record."""
        record = verdict.record
        shown: list[dict[str, Any]] = []
        place = f"frames/{len(self._files) + 1:04d}"
        with downloaded(verdict.path) as local:
            local_verdict = replace(verdict, path=local)
            with read_again(local_verdict):
                shown = write_frames(self._folder, place, local_verdict, self._detector)
            if shown and record and file_hash(local) != record.file.sha256_after:
                verdict.notes.append(CHANGED_SINCE)
        hashes = {"sha256": record.file.sha256, "sha256_after": record.file.sha256_after} if record else {}
        self._log.add("read", path=url(verdict.path), began=record.began if record else None, **hashes)
        facts = verdict.facts()
        self._log.add("judged", path=facts["path"], **{name: facts[name] for name in ("verdict", "reason", "score")})
        self._files.append(facts | {"shown": shown})

    def close(
        self, parts: Sequence[dict[str, Any]], words: str, skipped: Sequence[Path], unread: dict[Path, str]
    ) -> None:
        """Write the reports and the record, then the hashes and the signature.

        Args:
            parts: of the page, one per verdict.
            words: the detector, as text.
            skipped: files that were not judged.
            unread: folders that could not be listed.
        """
        detector, settings = self._detector, self._settings
        record: dict[str, Any] = {
            "version": 1,
            "created": now(),
            "command": command("predict", settings),
            "settings": settings.model_dump(mode="json"),
            "detector": words,
            "rates": detector.rates,
            "terms": detector.terms,
            "files": self._files,
            "skipped": [url(path) for path in skipped],
            "unread": {url(path): reason for path, reason in unread.items()},
        }
        schema.Case.model_validate(record)  # or it is a bug of this package
        self._write(schema.NAME, record)
        self._write(schema.SCHEMA, schema.schema())
        self._write(ontology.NAME, ontology.graph(record))
        write_text(self._folder / HTML, page(parts, detector, record["command"], verbal=settings.verbal))
        write_pdf(self._folder / PDF, record, parts, self._folder)
        self._log.add("wrote reports", files=[HTML, PDF, schema.NAME])
        if self._key:
            signature.write_signer(self._folder, self._key)
            self._log.add("signing", key=signature.fingerprint(self._key.public_key()))
        self._log.add("ended")
        self.sha256 = sha256(sums.write(self._folder))
        if self._key:
            signature.sign(self._folder, self._key)

    def _write(self, name: str, value: Any) -> None:
        write_text(self._folder / name, json_text(value, indent=2) + "\n")


def check(settings: Predict) -> None:
    """Check, before the work, that the case can be written and signed.

    Raises:
        CaseError: there is a folder of this name, or the key cannot be used.
    """
    if settings.case is not None:
        _check_free(settings.case)
    if settings.sign is not None:
        signature.private_key(settings.sign)


@contextmanager
def opened(settings: Predict, detector: Detector) -> Iterator[CaseFolder]:
    """Yield a case that appears under its name, `Predict.case`, if the block succeeds."""
    assert settings.case is not None
    folder = settings.case.absolute()
    key = signature.private_key(settings.sign) if settings.sign else None
    partial = process_folder(folder.parent, f".{folder.name}.")
    with writing(folder, partial):
        partial.mkdir(parents=True)
        try:
            yield CaseFolder(partial, settings, detector, key)
            _check_free(folder)  # another process may have written it meanwhile
            if folder.is_dir():
                folder.rmdir()
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _check_free(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise CaseError(f"{folder}: exists already. A case is never changed; choose another folder.")
    if around := next(filter(is_case, folder.absolute().parents), None):
        raise CaseError(f"{folder}: is in the case {around}. A case is never changed; choose another folder.")
