"""Options of export."""

from pathlib import Path
from typing import Literal

from deepfake_cli.config.base import RUNS, Step, argument, option
from deepfake_cli.config.choices import FAMILIES, either
from deepfake_cli.config.panels import Panel
from deepfake_cli.config.texts import ARCHITECTURE, ITS_SIZE


class Export(Step):
    """Export a detector to ONNX, LiteRT or SavedModel."""

    snapshot: Path | None = argument(
        None,
        "Snapshot to export, .keras or .h5; or a checkpoint for --from",
        more="By default best.keras of the newest run",
        remote=True,
    )
    family: str | None = option(
        None,
        "Import a published checkpoint of this family",
        choices=f"{either(FAMILIES)}; or a .toml file that describes it",
        metavar="FAMILY",
        flag="--from",
    )
    download: bool = option(
        False, "Download the checkpoint first", more="If it is published under a licence that allows it"
    )
    format: Literal["onnx", "litert", "tflite", "saved_model"] = option(
        "onnx",
        "Format: onnx, litert (or tflite) or saved_model",
        more="onnx for predict, litert (formerly tflite) for phones, saved_model for TensorFlow Serving",
    )
    output: Path | None = option(
        None, "Output file or folder [default: next to the snapshot]", more="A folder for saved_model", remote=True
    )
    compact: bool = option(
        False,
        "Store the weights of an ONNX file as float16",
        more="Half the size; scores differ by up to 0.005",
    )
    model: str | None = option(None, ARCHITECTURE, panel=Panel.MODEL, metavar="NAME")
    image_size: int | None = option(None, ITS_SIZE, panel=Panel.MODEL, metavar="PIXELS", ge=32, le=2048)
    runs_dir: Path = option(RUNS, "Folder of the runs", panel=Panel.MODEL, remote=True)
