"""Options of the commands that prepare and check data: split, make-csv, datasets verify, audit, forge."""

from pathlib import Path
from typing import Literal

from pydantic import model_validator

from deepfake_cli.config.base import CLUSTER, FIGURES, IMAGES, LISTS, Step, argument, option
from deepfake_cli.config.choices import ADAPTERS, DEGRADATIONS, FACE_DETECTORS, FORGERIES, either
from deepfake_cli.storage.remote import is_remote, url

ADAPTER = f"Data set: {either(ADAPTERS)}, see deepfake datasets; or your own as module:function"
FACE_DETECTOR = f"Face detector: {either(FACE_DETECTORS)}, or your own as module:function"


class Split(Step):
    """Cut videos into frames or face crops."""

    adapter: str = argument(..., ADAPTER)
    viddir: Path = option(..., "Folder of the data set", remote=True)
    imgdir: Path = option(IMAGES, "Output folder for the frames and manifest.csv", remote=True, writes="folder")
    realdir: Path | None = option(
        None, "Folder of the real videos, if it is a separate one (timit: VidTIMIT)", remote=True
    )
    crop: Literal["face", "none"] = option("face", "Write face crops, or whole frames (none)")
    faces: Literal["largest", "all"] = option(
        "largest", "With several people, keep the largest face track, or all, each in its own folder"
    )
    boxes: bool = option(True, "With --crop none, detect faces and record their boxes")
    margin: float = option(1.3, "Side of the square crop, relative to the longer side of the face box", ge=1, le=4)
    size: int = option(256, "Side of the face crop, in pixels", ge=16, le=4096)
    align: bool = option(False, "Rotate each crop until the eyes are level; needs a face detector that finds eyes")
    face_detector: str = option("rfb320", FACE_DETECTOR, former="detector")
    min_score: float = option(0.7, "Minimum score of a detected face", gt=0, lt=1)
    detect_every: int = option(
        2,
        "Detect faces on every N-th frame; in between, interpolate boxes where the face barely moves",
        ge=1,
        le=25,
    )
    max_gap: int = option(12, "Bridge gaps of up to this many frames in a face track; 0: none", ge=0, le=50)
    every: int = option(1, "Keep every N-th frame", ge=1)
    max_frames: int | None = option(None, "Maximum number of frames per video, evenly spaced", ge=1)
    reencode: int | None = option(
        None,
        "Re-encode all videos as H.264 at this CRF first, to reduce codec differences between reals and "
        "fakes: 0 near lossless, 23 usual, 40 strong",
        ge=0,
        le=51,
    )
    format: Literal["jpg", "png"] = option("jpg", "Image format")
    quality: int = option(95, "JPEG quality", ge=1, le=100)
    pack: bool | None = option(
        None,
        "Write one tar per video instead of a folder [default: only if --imgdir is an object store]",
        flag="--pack/--no-pack",
    )
    workers: int | None = option(None, "Number of processes [default: number of CPU cores]", ge=1, le=256)
    cluster: str | None = option(None, CLUSTER)
    overwrite: bool = option(False, "Process finished videos again")
    strict: bool = option(False, "Exit with status 1 if any video cannot be read")

    @model_validator(mode="after")
    def _crop_needs_boxes(self) -> "Split":
        if self.crop == "face" and not self.boxes:
            raise ValueError("crop face needs the face boxes: remove --no-boxes, or use --crop none")
        if self.crop == "none" and (self.faces == "all" or self.align):
            raise ValueError(f"{'align' if self.align else 'faces all'} needs face crops: remove --crop none")
        return self

    @model_validator(mode="after")
    def _object_store_needs_tars(self) -> "Split":
        if self.pack is False and is_remote(self.imgdir):
            raise ValueError(f"{url(self.imgdir)} is an object store, which gets tars only: remove --no-pack")
        return self

    @property
    def packs(self) -> bool:
        """Whether each video is written as one tar."""
        return is_remote(self.imgdir) if self.pack is None else self.pack


class MakeCsv(Step):
    """Write training, validation and test lists without shared people or source videos; or check them."""

    adapter: str | None = argument(None, ADAPTER)
    imgdir: Path = option(
        IMAGES, "Folder of frames: with a manifest.csv from split, or made by another tool", remote=True
    )
    csvdir: Path = option(
        LISTS,
        "Output folder for train/train.csv, val/validation.csv, test/test.csv and protocol.json",
        remote=True,
        writes="folder",
    )
    protocol: Literal["ratio", "official"] = option(
        "ratio", "Split by --ratio, or use the published split of the data set (official)"
    )
    by: Literal["person", "pair", "video"] | None = option(
        None,
        "What two lists may not share: a person, a pair of target and donor, or a source video [default: the "
        "strictest available]",
    )
    ratio: float = option(0.8, "Fraction of the groups for training", gt=0, lt=1)
    test_ratio: float = option(0.0, "Fraction of the groups for testing; the rest is for validation", ge=0, lt=1)
    folds: int | None = option(
        None,
        "Write K folds, fold1/ to foldK/, instead of one split; each validates on other groups",
        ge=2,
        le=1000,
    )
    seed: int = option(0, "Random seed of the split", ge=0)
    check: bool = option(False, "Check the lists in --csvdir against protocol.json and each other; write nothing")
    check_frames: int = option(
        8, "Frames per video that --check compares between lists by perceptual hash; 0: none", ge=0
    )

    @model_validator(mode="after")
    def _parts_fit(self) -> "MakeCsv":
        if self.ratio + self.test_ratio >= 1 and not self.folds:
            raise ValueError(f"ratio {self.ratio} and test_ratio {self.test_ratio} leave no groups for validation")
        if self.folds and self.protocol == "official":
            raise ValueError("folds and protocol official cannot be combined")
        return self

    def check_outputs(self) -> None:
        """As the others'; but --check writes nothing."""
        if not self.check:
            super().check_outputs()


class Verify(Step):
    """Check a data set for missing, damaged and unexpected files."""

    adapter: str = argument(..., ADAPTER)
    folder: Path = argument(..., "Folder of the data set")
    realdir: Path | None = option(None, "Folder of the real videos, if it is a separate one (timit: VidTIMIT)")
    full: bool = option(
        False, "Decode every frame, which also finds damage in the middle of a file; else the first and the last ones"
    )
    complete: bool = option(False, "Parts that are not there, such as a method, are missing too")
    workers: int | None = option(None, "Number of processes [default: number of CPU cores]", ge=1, le=256)
    record: Path = option(
        Path("verify.csv"),
        "CSV of the videos checked so far; unchanged intact ones are not checked again",
        writes="file",
    )
    overwrite: bool = option(False, "Check unchanged videos again")


class Audit(Step):
    """Find shortcuts in the data: codec, size, blur."""

    csv: list[Path] = argument(
        [Path("csv/train/train.csv"), Path("csv/val/validation.csv")],
        "Lists from make-csv, or the manifest.csv of split",
        remote=True,
    )
    sample: int = option(2000, "Number of images to measure, spread evenly over videos and classes", ge=2)
    seed: int = option(0, "Random seed of the sample, the folds and the bootstrap", ge=0)
    workers: int | None = option(
        None, "Number of threads that read images [default: number of CPU cores]", ge=1, le=256
    )
    cluster: str | None = option(None, CLUSTER)
    output: Path = option(
        Path("audit"), "Output folder for audit.json, audit.html, audit.png and faces.png", remote=True, writes="folder"
    )
    figures: str | None = option(None, FIGURES)


class Forge(Step):
    """Preview pseudo-fakes and degradations."""

    paths: list[Path] = argument(..., "Images, videos, or folders of them")
    forgery: str = option(
        ",".join(FORGERIES),
        f"Pseudo-fake methods, comma-separated: {', '.join(FORGERIES)}; or your own as module:function",
    )
    degradation: str | None = option(
        None,
        f"Degradations to apply afterwards, comma-separated: {', '.join(DEGRADATIONS)}; or your own as module:function",
    )
    strength: float = option(1.0, "Strength of each pseudo-fake and degradation", gt=0, le=4)
    seed: int = option(0, "Random seed", ge=0)
    count: int = option(6, "Number of rows in the image", ge=1, le=100)
    crop: bool = option(True, "Detect and crop the largest face, as split does; --no-crop: the images are face crops")
    margin: float = option(1.3, "Side of the square crop, relative to the longer side of the face box", ge=1, le=4)
    size: int = option(224, "Side of the crop, in pixels", ge=32, le=2048)
    face_detector: str = option("rfb320", FACE_DETECTOR, former="detector")
    min_score: float = option(0.7, "Minimum score of a detected face", gt=0, lt=1)
    output: Path = option(Path("forge.png"), "Output PNG file", writes="file")

    @model_validator(mode="after")
    def _output_is_a_png(self) -> "Forge":
        if self.output.suffix.lower() != ".png":
            raise ValueError(f"output must end in .png; found {str(self.output)!r}")
        return self
