"""The explanations that ``deepfake predict`` writes: image sheets, videos and a page."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from deepfake_cli.explain.top_frames import faces_of, read_again
from deepfake_cli.inference.detector import Detector
from deepfake_cli.inference.result import Verdict
from deepfake_cli.storage.downloads import downloaded
from deepfake_cli.storage.urls import url


class Reasons:
    """Explains verdicts one by one, while their files are available.

    Args:
        detector: that gave the verdicts.
        folder: for sheets and videos; None for none.
        wants_page: whether to collect `parts`.

    Attributes:
        written: sheets and videos.
        parts: input of `deepfake_cli.explain.page.page`.
    """

    def __init__(self, detector: Detector, folder: Path | None, *, wants_page: bool):
        self._detector, self._folder, self._wants_page = detector, folder, wants_page
        self._names: Counter[str] = Counter()
        self.written: list[Path] = []
        self.parts: list[dict[str, Any]] = []

    def add(self, verdict: Verdict, progress: Callable[[int, int], None]) -> None:
        """Explain a verdict; without a score, the page only gives the reason."""
        if not self._wants_page and not self._folder:
            return
        with downloaded(verdict.path) as local:
            local_verdict = replace(verdict, path=local)
            if self._wants_page:
                from deepfake_cli.explain.page import part

                self.parts.append(part(local_verdict, url(verdict.path), self._detector))
            if self._folder and faces_of(verdict) and verdict.score is not None:
                with read_again(local_verdict):
                    self._draw(local_verdict, self._folder, progress)

    def _draw(self, verdict: Verdict, folder: Path, progress: Callable[[int, int], None]) -> None:
        from deepfake_cli.explain.sheet import sheet
        from deepfake_cli.explain.top_frames import top_frames
        from deepfake_cli.explain.video import write_video

        name = self._name(verdict.path)
        for number, face in enumerate(verdict.faces, 1):
            path = folder / f"{name}{f'-face-{number}' if len(verdict.faces) > 1 else ''}.png"
            if frames := top_frames(verdict, face.timeline, self._detector):
                sheet(path, frames)
                self.written.append(path)
        if verdict.frames > 1:
            write_video(folder / f"{name}.mp4", verdict, self._detector, progress)
            self.written.append(folder / f"{name}.mp4")

    def _name(self, path: Path) -> str:
        """Base name of the outputs of a file; files of the same name in several folders are numbered."""
        self._names[path.stem] += 1
        return f"{path.stem}-explained{f'-{self._names[path.stem]}' if self._names[path.stem] > 1 else ''}"
