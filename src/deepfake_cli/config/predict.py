"""Options of the commands that judge files: predict and app."""

from pathlib import Path
from typing import Any, Literal

from pydantic import model_validator

from deepfake_cli.config.base import Step, argument, option
from deepfake_cli.config.choices import OWN, RUNTIMES, either
from deepfake_cli.config.panels import Panel
from deepfake_cli.config.texts import CLUSTER, ON_THIS_MACHINE


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
    crops: bool = option(
        False,
        "The images are face crops; do not detect faces",
        more="Without --margin they are as tight as the detector expects; for the starter, the face box itself",
        panel=Panel.FRAMES,
    )
    margin: float | None = option(
        None,
        "With --crops, margin of the crops [default: the detector's]",
        more="1.3 for crops of split; they are cut to what the detector expects",
        panel=Panel.FRAMES,
        metavar="MARGIN",
        ge=1,
        le=4,
    )

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

    trust: Path | None = option(
        None, "Certificates (PEM) of signers of Content Credentials to trust", more="Such as the C2PA trust list"
    )

    @property
    def per_file(self) -> dict[str, Any]:
        """The arguments of `deepfake_cli.Detector.predict`."""
        return {
            name: getattr(self, name) for name in ("every", "max_frames", "faces", "crops", "margin", "max_seconds")
        }

    @model_validator(mode="after")
    def _margin_of_crops(self) -> "Judging":
        if self.margin and not self.crops:
            raise ValueError("margin is of images that are face crops: add --crops")
        return self


class Predict(Judging):
    """Classify videos and images as real, fake or undecided."""

    paths: list[Path] = argument([], "Videos, images, folders, or patterns such as 'clips/*.mp4'", remote=True)
    report: Path | None = option(
        None, "Write an HTML page here", more="With timelines, top frames and heat maps", remote=True, writes="page"
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
    case: Path | None = option(
        None,
        "Write a case to this new folder",
        more="Report (HTML, PDF), record (JSON), frames (PNG), log, SHA256SUMS",
        panel=Panel.CASE,
        metavar="FOLDER",
        writes="folder",
    )
    sign: Path | None = option(
        None, "Sign the case with this private key", more="Ed25519, PEM or OpenSSH", panel=Panel.CASE, metavar="KEY"
    )
    verify: Path | None = option(
        None,
        "Check that the case in this folder is as it was written",
        more="No files are classified",
        panel=Panel.CASE,
        metavar="FOLDER",
    )
    signed_by: Path | None = option(
        None,
        "With --verify: the public key that must have signed",
        more="By default the one in the folder",
        panel=Panel.CASE,
        metavar="KEY",
    )
    verbal: bool = option(False, "State a likelihood ratio in the words of ENFSI's scale, too", panel=Panel.CASE)
    folders: Literal["auto", "video", "files"] = option(
        "auto",
        "Take a folder of images as one video: auto, video or files",
        more="auto: if they are numbered; video: always; files: never",
        panel=Panel.FRAMES,
    )

    @model_validator(mode="after")
    def _one_task(self) -> "Predict":
        if self.sign and not self.case:
            raise ValueError("sign needs case: give the folder to sign as --case FOLDER")
        if self.signed_by and not self.verify:
            raise ValueError("signed_by needs verify: give the folder to check as --verify FOLDER")
        made = (self.paths, self.case, self.report, self.explain, self.csv, self.frames_csv)
        if self.verify and any(made):
            raise ValueError("verify cannot be combined with files to classify or to write; run it alone")
        return self


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
