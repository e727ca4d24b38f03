"""What ``deepfake predict`` writes of its reasons: pictures, films and a page."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from deepfake_cli.inference.detector import Detector
from deepfake_cli.inference.result import Verdict
from deepfake_cli.storage.remote import lent, url


class Reasons:
    """Explains verdicts one after the other, while the files are there.

    Args:
        detector: what judges.
        folder: where pictures and films go; None for none.
        wants_page: whether a page will be asked for.

    Attributes:
        written: the pictures and films.
        parts: what `deepfake_cli.explain.page.page` is made of.
    """

    def __init__(self, detector: Detector, folder: Path | None, *, wants_page: bool):
        self._detector, self._folder, self._wants_page = detector, folder, wants_page
        self._names: Counter[str] = Counter()
        self.written: list[Path] = []
        self.parts: list[dict[str, Any]] = []

    def add(self, verdict: Verdict, progress: Callable[[int, int], None]) -> None:
        """Explain a verdict; an undecided one has no faces to show, only its reason on the page."""
        if not self._wants_page and not self._folder:
            return
        with lent(verdict.path) as local:
            here = replace(verdict, path=local)
            if self._wants_page:
                from deepfake_cli.explain.page import part

                self.parts.append(part(here, url(verdict.path), self._detector))
            if self._folder and verdict.score is not None:
                self._pictures(here, self._folder, progress)

    def _pictures(self, verdict: Verdict, folder: Path, progress: Callable[[int, int], None]) -> None:
        from deepfake_cli.explain.sheet import sheet
        from deepfake_cli.explain.top_frames import suspects
        from deepfake_cli.explain.video import film

        name = self._name(verdict.path)
        for number, face in enumerate(verdict.faces, 1):
            path = folder / f"{name}{f'-face-{number}' if len(verdict.faces) > 1 else ''}.png"
            if found := suspects(verdict, face.timeline, self._detector):
                sheet(path, found)
                self.written.append(path)
        if verdict.frames > 1:
            film(folder / f"{name}.mp4", verdict, self._detector, progress)
            self.written.append(folder / f"{name}.mp4")

    def _name(self, path: Path) -> str:
        """What a file's pictures are called; files of one name in several folders are numbered."""
        self._names[path.stem] += 1
        return f"{path.stem}-explained{f'-{self._names[path.stem]}' if self._names[path.stem] > 1 else ''}"
