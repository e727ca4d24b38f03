"""Options of the commands that prepare and check data: split, make-csv, datasets verify, audit, forge."""

from pathlib import Path
from typing import Any, Literal

from pydantic import model_validator

from deepfake_cli.config.base import IMAGES, LISTS, Step, argument, option
from deepfake_cli.config.choices import ADAPTERS, DEGRADATIONS, FACE_DETECTORS, FORGERIES, OWN, either
from deepfake_cli.config.panels import Panel
from deepfake_cli.config.texts import CLUSTER, FIGURES, ON_THIS_MACHINE, SEVERAL
from deepfake_cli.storage.folders import is_folder
from deepfake_cli.storage.urls import is_remote, url

ADAPTER = f"{either(ADAPTERS)}; {OWN}"
DETECTOR = f"{either(FACE_DETECTORS)}; {OWN}"
MARGIN = "Side of the square crop, relative to the face box"
LONGER = "To its longer side"


class Split(Step):
    """Cut videos into frames or face crops."""

    adapter: str = argument(..., "Data set, see deepfake datasets", choices=ADAPTER)
    viddir: Path = argument(..., "Folder of the data set", flag="--viddir", remote=True)
    imgdir: Path = option(IMAGES, "Output folder for the frames and manifest.csv", remote=True, writes="folder")
    realdir: Path | None = option(
        None,
        "Folder of the reals, if it is a separate one",
        more="timit: VidTIMIT",
        metavar="FOLDER",
        remote=True,
    )
    crop: Literal["face", "none"] = option("face", "Write face crops (face) or whole frames (none)")
    every: int = option(1, "Keep every N-th frame", ge=1)
    max_frames: int | None = option(None, "Maximum number of frames per video, evenly spaced", metavar="N", ge=1)
    size: int = option(256, "Side of the face crop, in pixels", ge=16, le=4096)
    margin: float = option(1.3, MARGIN, more=LONGER, ge=1, le=4)
    workers: int | None = option(None, "Number of processes [default: number of CPU cores]", metavar="N", ge=1, le=256)
    overwrite: bool = option(False, "Process finished videos again")
    strict: bool = option(False, "Exit with status 1 if any video cannot be read")

    faces: Literal["largest", "all"] = option(
        "largest",
        "Faces to keep of several people: largest or all",
        more="The largest face track, or all, each in its own folder",
        panel=Panel.FACES,
    )
    boxes: bool = option(True, "With --crop none, detect faces and record their boxes", panel=Panel.FACES)
    align: bool = option(
        False,
        "Rotate each crop until the eyes are level",
        more="Needs a face detector that finds eyes",
        panel=Panel.FACES,
    )
    face_detector: str = option("rfb320", "Face detector", choices=DETECTOR, panel=Panel.FACES, former="detector")
    min_score: float = option(0.7, "Minimum score of a detected face", panel=Panel.FACES, gt=0, lt=1)
    detect_every: int = option(
        2,
        "Detect faces on every N-th frame",
        more="In between, boxes are interpolated where the face barely moves",
        panel=Panel.FACES,
        ge=1,
        le=25,
    )
    max_gap: int = option(
        12, "Bridge gaps of up to this many frames in a face track; 0: none", panel=Panel.FACES, ge=0, le=50
    )

    reencode: int | None = option(
        None,
        "Re-encode all videos as H.264 at this CRF first, such as 23",
        more="It reduces codec differences between reals and fakes: 0 near lossless, 23 usual, 40 strong",
        panel=Panel.FRAMES,
        metavar="CRF",
        ge=0,
        le=51,
    )
    format: Literal["jpg", "png"] = option("jpg", "Image format: jpg or png", panel=Panel.FRAMES)
    quality: int = option(95, "JPEG quality, 1 to 100", panel=Panel.FRAMES, ge=1, le=100)
    pack: bool | None = option(
        None,
        "Write a tar per video [default: only to an object store]",
        more="Instead of a folder; --imgdir may be an object store",
        panel=Panel.OUTPUT,
        flag="--pack/--no-pack",
    )
    cluster: str | None = option(None, CLUSTER, more=ON_THIS_MACHINE, panel=Panel.SPEED, metavar="ADDRESS")

    @model_validator(mode="before")
    @classmethod
    def _data_set_first(cls, values: dict[str, Any]) -> dict[str, Any]:
        name, folder = (str(values.get(key) or "") for key in ("adapter", "viddir"))
        if name and is_folder(Path(name)) and name not in ADAPTERS:
            named = folder if folder in ADAPTERS else "folder"
            raise ValueError(
                f"{name} is a folder, not a data set; name the data set first: deepfake split {named} {name}"
            )
        return values

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

    adapter: str | None = argument(None, "Data set, see deepfake datasets", choices=ADAPTER)
    imgdir: Path = option(
        IMAGES, "Folder of frames", more="With a manifest.csv from split, or made by another tool", remote=True
    )
    csvdir: Path = option(
        LISTS,
        "Output folder for the lists and protocol.json",
        more="The lists are train/train.csv, val/validation.csv and test/test.csv",
        remote=True,
        writes="folder",
    )
    protocol: Literal["ratio", "official"] = option(
        "ratio",
        "Split by --ratio (ratio) or as published (official)",
        more="official: the published split of the data set",
    )
    by: Literal["person", "pair", "video"] | None = option(
        None,
        "What two lists may not share [default: the strictest available]",
        more="A person, a pair of target and donor, or a source video",
    )
    ratio: float = option(0.8, "Fraction of the groups for training", gt=0, lt=1)
    test_ratio: float = option(0.0, "Fraction of the groups for testing", more="The rest is for validation", ge=0, lt=1)
    folds: int | None = option(
        None,
        "Write K folds, fold1/ to foldK/, instead of one split",
        more="Each validates on other groups",
        metavar="K",
        ge=2,
        le=1000,
    )
    seed: int = option(0, "Random seed of the split", ge=0)
    check: bool = option(
        False, "Check the lists in --csvdir; write nothing", more="Against protocol.json and each other"
    )
    check_frames: int = option(
        8,
        "Frames per video that --check compares; 0: none",
        more="Between lists, by perceptual hash",
        ge=0,
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

    adapter: str = argument(..., "Data set, see deepfake datasets", choices=ADAPTER)
    folder: Path = argument(..., "Folder of the data set")
    realdir: Path | None = option(
        None, "Folder of the real videos, if it is a separate one (timit: VidTIMIT)", metavar="FOLDER"
    )
    full: bool = option(
        False,
        "Decode every frame, not only the first and the last ones",
        more="Which also finds damage in the middle of a file",
    )
    complete: bool = option(False, "Parts that are not there, such as a method, are missing too")
    workers: int | None = option(
        None, "Number of processes [default: number of CPU cores]", panel=Panel.SPEED, metavar="N", ge=1, le=256
    )
    record: Path = option(
        Path("verify.csv"),
        "CSV of the videos checked so far",
        more="Unchanged intact ones are not checked again",
        writes="file",
    )
    overwrite: bool = option(False, "Check unchanged videos again")


class Audit(Step):
    """Find shortcuts in the data: codec, size, blur."""

    csv: list[Path] = argument(
        [Path("csv/train/train.csv"), Path("csv/val/validation.csv")],
        "Lists, or a manifest.csv",
        more="As make-csv and split write them",
        remote=True,
    )
    sample: int = option(2000, "Number of images to measure", more="Spread evenly over videos and classes", ge=2)
    seed: int = option(0, "Random seed of the sample, the folds and the bootstrap", ge=0)
    output: Path = option(
        Path("audit"), "Output folder for audit.json, audit.html, audit.png and faces.png", remote=True, writes="folder"
    )
    figures: str | None = option(None, FIGURES, more=SEVERAL, panel=Panel.OUTPUT, metavar="FORMATS")
    workers: int | None = option(
        None,
        "Number of threads that read images [default: number of CPU cores]",
        panel=Panel.SPEED,
        metavar="N",
        ge=1,
        le=256,
    )
    cluster: str | None = option(None, CLUSTER, more=ON_THIS_MACHINE, panel=Panel.SPEED, metavar="ADDRESS")


class Forge(Step):
    """Preview pseudo-fakes and degradations."""

    paths: list[Path] = argument(..., "Images, videos, or folders of them")
    forgery: str = option(
        ",".join(FORGERIES),
        "Pseudo-fake methods",
        choices=f"{', '.join(FORGERIES)}, comma-separated; {OWN}",
    )
    degradation: str | None = option(
        None,
        "Degradations to apply afterwards",
        choices=f"{', '.join(DEGRADATIONS)}, comma-separated; {OWN}",
        metavar="NAMES",
    )
    strength: float = option(1.0, "Strength of each pseudo-fake and degradation", gt=0, le=4)
    count: int = option(6, "Number of rows in the image", ge=1, le=100)
    seed: int = option(0, "Random seed", ge=0)
    output: Path = option(Path("forge.png"), "Output PNG file", writes="file")
    crop: bool = option(
        True,
        "Detect and crop the largest face, as split does",
        more="With --no-crop the images are face crops",
        panel=Panel.FACES,
    )
    margin: float = option(1.3, MARGIN, more=LONGER, panel=Panel.FACES, ge=1, le=4)
    size: int = option(224, "Side of the crop, in pixels", panel=Panel.FACES, ge=32, le=2048)
    face_detector: str = option("rfb320", "Face detector", choices=DETECTOR, panel=Panel.FACES, former="detector")
    min_score: float = option(0.7, "Minimum score of a detected face", panel=Panel.FACES, gt=0, lt=1)

    @model_validator(mode="after")
    def _output_is_a_png(self) -> "Forge":
        if self.output.suffix.lower() != ".png":
            raise ValueError(f"output must end in .png; found {str(self.output)!r}")
        return self
