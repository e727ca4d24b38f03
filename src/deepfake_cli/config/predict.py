"""Options of the commands that judge files: predict and app."""

from pathlib import Path
from typing import Any, Literal

from deepfake_cli.config.base import CLUSTER, ON_THIS_MACHINE, Step, argument, option
from deepfake_cli.config.choices import OWN, RUNTIMES, either
from deepfake_cli.config.panels import Panel


class Judging(Step):
    """How files are judged."""

    detector: Path | None = option(
        None, "Exported detector, .onnx [default: the starter detector]", metavar="FILE", remote=True
    )
    threshold: float | None = option(
        None,
        "Scores at or above this are fake [default: the detector's own]",
        more="All below are real",
        metavar="SCORE",
        ge=0,
        le=1,
    )
    every: int = option(1, "Judge every N-th frame of a video", panel=Panel.FRAMES, ge=1)
    max_frames: int | None = option(
        None, "Maximum number of frames per video, evenly spaced", panel=Panel.FRAMES, metavar="N", ge=1
    )
    faces: Literal["largest", "all"] = option(
        "largest",
        "Faces to judge in each frame: largest or all",
        more="With all, the one with the highest score decides",
        panel=Panel.FRAMES,
    )
    crops: bool = option(False, "The images are face crops; do not detect faces", panel=Panel.FRAMES)

    max_seconds: float = option(
        3600,
        "Time limit per file, in seconds",
        more="The verdict is then on the frames read so far",
        panel=Panel.LIMITS,
        gt=0,
    )
    runtime: str = option("onnx", "Runtime of the detector", choices=f"{either(RUNTIMES)}; {OWN}", panel=Panel.SPEED)
    threads: int | None = option(
        None, "Number of threads [default: one per core]", panel=Panel.SPEED, metavar="N", ge=1
    )
    cluster: str | None = option(None, CLUSTER, more=ON_THIS_MACHINE, panel=Panel.SPEED, metavar="ADDRESS")

    @property
    def per_file(self) -> dict[str, Any]:
        """The arguments of `deepfake_cli.Detector.predict`."""
        return {name: getattr(self, name) for name in ("every", "max_frames", "faces", "crops", "max_seconds")}


class Predict(Judging):
    """Classify videos and images as real, fake or undecided."""

    paths: list[Path] = argument([], "Videos, images, folders, or patterns such as 'clips/*.mp4'", remote=True)
    report: Path | None = option(
        None, "Write an HTML page here", more="With timelines, top frames and heat maps", remote=True, writes="file"
    )
    csv: Path | None = option(None, "Write a CSV here, with a row per file", remote=True, writes="file")
    fail_on: Literal["fake", "undecided", "any"] | None = option(
        None,
        "Exit with status 3 if a file is fake, undecided or either",
        more="any: either of the two. By default the status is 0",
    )
    frames_csv: Path | None = option(
        None,
        "Write a CSV here, with a row per face and frame",
        panel=Panel.OUTPUT,
        remote=True,
        writes="file",
    )
    explain: Path | None = option(
        None,
        "Write the top faces (PNG) and annotated videos (MP4) to this folder",
        more="The top faces are those with the highest scores",
        panel=Panel.OUTPUT,
        metavar="FOLDER",
        writes="folder",
    )
    folders: Literal["auto", "video", "files"] = option(
        "auto",
        "Take a folder of images as one video: auto, video or files",
        more="auto: if they are numbered; video: always; files: never",
        panel=Panel.FRAMES,
    )


class App(Judging):
    """Classify files on a local web page."""

    host: str = option("127.0.0.1", "Address to listen on", more="0.0.0.0 opens the page to anyone on the network")
    port: int = option(8765, "Port to listen on; 0: any free port", ge=0, le=65535)
    open: bool = option(True, "Open the page in the browser")
    max_mb: float = option(200, "Maximum size of an upload, in megabytes", panel=Panel.LIMITS, gt=0)
    max_seconds: float = option(
        120,
        "Time limit per file, in seconds",
        more="The verdict is then on the frames read so far",
        panel=Panel.LIMITS,
        gt=0,
    )
    max_minutes: float = option(10, "Time limit per file, in minutes", panel=Panel.LIMITS, gt=0)
    workers: int = option(2, "Number of files to judge at the same time", panel=Panel.SPEED, ge=1, le=64)
    queue: int = option(
        20,
        "Maximum number of files waiting or in progress",
        more="Half of them from one address; more are rejected",
        panel=Panel.LIMITS,
        ge=1,
    )
    keep: float = option(30, "Delete a result after this many minutes", panel=Panel.LIMITS, gt=0)
