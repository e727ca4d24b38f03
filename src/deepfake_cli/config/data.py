"""Options of the commands that make and look at lists: split, make-csv, audit, forge."""

from pathlib import Path
from typing import Literal

from pydantic import model_validator

from deepfake_cli.config.base import CLUSTER, IMAGES, LISTS, Step, argument, option
from deepfake_cli.config.choices import ADAPTERS, DEGRADATIONS, FACE_DETECTORS, FORGERIES, either
from deepfake_cli.storage.remote import is_remote, url

ADAPTER = f"The data set's layout: {either(ADAPTERS)}, see deepfake datasets; or your own as module:function."
FACE_DETECTOR = f"Face detector: {either(FACE_DETECTORS)}, or your own as module:function."


class Split(Step):
    """Cut videos into frames or face crops."""

    adapter: str = argument(..., ADAPTER)
    viddir: Path = option(..., "The data set's folder, as downloaded.", remote=True)
    imgdir: Path = option(IMAGES, "Where the frames and manifest.csv go.", remote=True)
    realdir: Path | None = option(
        None, "Folder of the real videos where they come apart from the fakes (timit: VidTIMIT).", remote=True
    )
    crop: Literal["face", "none"] = option("face", "Cut out the tracked face, or keep whole frames.")
    faces: Literal["largest", "all"] = option(
        "largest", "Of several people keep the largest track, or all, each in a folder of its own."
    )
    boxes: bool = option(True, "With --crop none, find the face all the same and list its box; or look for none.")
    margin: float = option(1.3, "Side of the square crop, in sides of the face box.", ge=1, le=4)
    size: int = option(256, "Side of the face crop, in pixels.", ge=16, le=4096)
    align: bool = option(False, "Turn each crop until the eyes are level; needs a face detector that finds eyes.")
    face_detector: str = option("rfb320", FACE_DETECTOR, former="detector")
    min_score: float = option(0.7, "Least face detector score that counts as a face.", gt=0, lt=1)
    detect_every: int = option(
        2,
        "Detect faces on every N-th frame of the video; boxes between are interpolated where a face barely moves.",
        ge=1,
        le=25,
    )
    max_gap: int = option(
        12, "Bridge gaps of up to this many source frames in which a face is lost; 0: none.", ge=0, le=50
    )
    every: int = option(1, "Keep every N-th frame.", ge=1)
    max_frames: int | None = option(None, "Keep at most this many frames a video, evenly spaced.", ge=1)
    reencode: int | None = option(
        None,
        "Pass every video through H.264 at this CRF first, so that reals and fakes of different codecs leak less; "
        "as ffmpeg's libx264: 0 near lossless, 23 usual, 40 strong.",
        ge=0,
        le=51,
    )
    format: Literal["jpg", "png"] = option("jpg", "Format of the written frames.")
    quality: int = option(95, "JPEG quality.", ge=1, le=100)
    pack: bool | None = option(
        None,
        "Put the images of each video into one tar, or into a folder. [default: into a folder, but where --imgdir is an object "
        "store, which is slow at many small files]",
        flag="--pack/--no-pack",
    )
    workers: int | None = option(None, "Processes that read videos. [default: the cores]", ge=1, le=256)
    cluster: str | None = option(None, CLUSTER)
    overwrite: bool = option(False, "Redo videos that are finished.")
    strict: bool = option(False, "Exit 1 if any video could not be read.")

    @model_validator(mode="after")
    def _cuts_what_it_finds(self) -> "Split":
        if self.crop == "face" and not self.boxes:
            raise ValueError("crop face cuts along boxes: leave --no-boxes out, or give --crop none")
        if self.crop == "none" and (self.faces == "all" or self.align):
            raise ValueError(
                f"{'align' if self.align else 'faces all'} is for face crops: crop none keeps whole frames"
            )
        return self

    @model_validator(mode="after")
    def _packs_what_is_far(self) -> "Split":
        if self.pack is False and is_remote(self.imgdir):
            raise ValueError(f"{url(self.imgdir)} takes tars only: leave --no-pack out")
        return self

    @property
    def packs(self) -> bool:
        """Whether each video's images go into one tar."""
        return is_remote(self.imgdir) if self.pack is None else self.pack


class MakeCsv(Step):
    """Write training, validation and test lists that share no person and no source video; or check them."""

    adapter: str | None = argument(None, ADAPTER)
    imgdir: Path = option(
        IMAGES, "Folder of frames: with a manifest.csv from split, or a tree that another tool made.", remote=True
    )
    csvdir: Path = option(
        LISTS, "Where train/train.csv, val/validation.csv, test/test.csv and protocol.json go.", remote=True
    )
    protocol: Literal["ratio", "official"] = option(
        "ratio", "Divide by the ratios, or as the data set's published split does, where it has one."
    )
    by: Literal["person", "pair", "video"] | None = option(
        None,
        "What two parts may not share: a person, a pair of target and donor, a source video. [default: the strictest]",
    )
    ratio: float = option(0.8, "Share of the groups to train on.", gt=0, lt=1)
    test_ratio: float = option(0.0, "Share of the groups to test on; the rest validates.", ge=0, lt=1)
    folds: int | None = option(
        None,
        "Instead of one division by --ratio, this many: fold1/ to foldK/, each validated on other groups.",
        ge=2,
        le=1000,
    )
    seed: int = option(0, "Seed of the draw: the same seed gives the same lists.", ge=0)
    check: bool = option(
        False, "Write nothing; check the lists in --csvdir against their protocol.json and against each other."
    )
    check_frames: int = option(
        8, "Frames of each video that --check compares with other parts by their look; 0: no image is read.", ge=0
    )

    @model_validator(mode="after")
    def _fits_together(self) -> "MakeCsv":
        if self.ratio + self.test_ratio >= 1 and not self.folds:
            raise ValueError(f"ratio {self.ratio} and test_ratio {self.test_ratio} leave nothing to validate on")
        if self.folds and self.protocol == "official":
            raise ValueError("folds and protocol official exclude each other")
        return self


class Audit(Step):
    """Look for what tells reals from fakes without a look at the face."""

    csv: list[Path] = argument(
        [Path("csv/train/train.csv"), Path("csv/val/validation.csv")],
        "Lists of make-csv, or the manifest.csv of split.",
        remote=True,
    )
    sample: int = option(2000, "Measure this many images, drawn evenly over videos and classes.", ge=2)
    seed: int = option(0, "Seed of the sample, the folds and the resamples.", ge=0)
    workers: int | None = option(None, "Threads that read images. [default: the cores]", ge=1, le=256)
    cluster: str | None = option(None, CLUSTER)
    output: Path = option(Path("audit"), "Where audit.json, audit.png and faces.png go.", remote=True)


class Forge(Step):
    """Show what forgeries and degradations make of faces."""

    paths: list[Path] = argument(..., "Images, videos, or folders of them.")
    forgery: str = option(
        ",".join(FORGERIES),
        f"What makes the fakes, in turn: {', '.join(FORGERIES)}, with commas; your own as module:function.",
    )
    degradation: str | None = option(
        None,
        f"What is done to them afterwards, one after the other: {', '.join(DEGRADATIONS)}, with commas; your own as "
        "module:function.",
    )
    strength: float = option(1.0, "Strength of each.", gt=0, le=4)
    seed: int = option(0, "Seed of their parameters.", ge=0)
    count: int = option(6, "Rows of the sheet.", ge=1, le=100)
    crop: bool = option(True, "Find the largest face and cut it out, as split does; or take whole images as crops.")
    margin: float = option(1.3, "Side of the square crop, in sides of the face box.", ge=1, le=4)
    size: int = option(224, "Side of the crop, in pixels.", ge=32, le=2048)
    face_detector: str = option("rfb320", FACE_DETECTOR, former="detector")
    min_score: float = option(0.7, "Least face detector score that counts as a face.", gt=0, lt=1)
    output: Path = option(Path("forge.png"), "Where the sheet goes, a PNG.")

    @model_validator(mode="after")
    def _draws_a_png(self) -> "Forge":
        if self.output.suffix.lower() != ".png":
            raise ValueError(f"output is a PNG; found {str(self.output)!r}, allowed is a name that ends in .png")
        return self
