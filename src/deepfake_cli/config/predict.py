"""Options of the commands that judge files: predict and app."""

from pathlib import Path
from typing import Any, Literal

from deepfake_cli.config.base import CLUSTER, Step, argument, option
from deepfake_cli.config.choices import RUNTIMES, either


class Judging(Step):
    """What judges files, and how."""

    detector: Path | None = option(None, "An exported detector, .onnx. [default: the one in this package]", remote=True)
    runtime: str = option("onnx", f"What runs it: {either(RUNTIMES)}; your own as module:function.")
    threads: int | None = option(None, "Threads to compute with. [default: one a core]", ge=1)
    cluster: str | None = option(None, CLUSTER)
    threshold: float | None = option(
        None, "Call scores from here on fake and all below real. [default: the detector's own]", ge=0, le=1
    )
    every: int = option(1, "Judge every N-th frame of a video.", ge=1)
    max_frames: int | None = option(None, "Judge at most so many frames of a video, spread evenly.", ge=1)
    faces: Literal["largest", "all"] = option(
        "largest", "Judge the largest face of each frame, or all: then the verdict is of the most suspicious one."
    )
    crops: bool = option(False, "The images are face crops already: take each as it is, without looking for a face.")

    @property
    def per_file(self) -> dict[str, Any]:
        """What `deepfake_cli.Detector.predict` is told about each file."""
        return {name: getattr(self, name) for name in ("every", "max_frames", "faces", "crops")}


class Predict(Judging):
    """Judge videos and images: fake, real, or undecided with the reason."""

    paths: list[Path] = argument([], "Videos, images, folders of them, or patterns such as 'clips/*.mp4'.", remote=True)
    report: Path | None = option(
        None, "Write a page here: timelines, the most suspicious faces, what speaks for fake.", remote=True
    )
    explain: Path | None = option(
        None,
        "Write each file's most suspicious faces as PNG to this folder, and videos as MP4 with boxes, scores and heat maps.",
    )
    csv: Path | None = option(None, "Write a row for each file here.", remote=True)
    frames_csv: Path | None = option(None, "Write a row for each face of each frame here.", remote=True)
    fail_on: Literal["fake", "undecided", "any"] | None = option(
        None,
        "Exit with status 3 if a file is fake, undecided, or either: for scripts. [default: 0 whatever the verdicts]",
    )


class App(Judging):
    """Judge what is dropped on a web page of this machine."""

    host: str = option("127.0.0.1", "Address to answer at; 0.0.0.0 lets anyone on the network use the page.")
    port: int = option(8765, "Port to answer at; 0: any that is free.", ge=0, le=65535)
    open: bool = option(True, "Show the page in the browser.")
    max_mb: float = option(200, "Largest file that is taken, in megabytes.", gt=0)
    max_minutes: float = option(10, "Longest that one file may be judged, in minutes.", gt=0)
    workers: int = option(2, "Files that are judged at once, so that a photo need not wait for a film.", ge=1, le=64)
    queue: int = option(20, "Files of all visitors that may be under way at once; more are sent away.", ge=1)
    keep: float = option(30, "Minutes after which a result is forgotten.", gt=0)
