"""Any detector in a state dictionary of PyTorch with two classes or one logit, described in a small TOML file.

```toml
image_size = 224                  # pixels
mean = [0.485, 0.456, 0.406]      # of RGB in 0..1, that the network expects to be subtracted
deviation = [0.229, 0.224, 0.225]
fake = 1                          # which of the two classes is fake; of one logit: 1 if high is fake, 0 if high is real
name = "My detector"
licence = "MIT"
commercial = true                 # whether the licence allows commercial use
trained_on = "my videos"
architecture = "efficientnet_b0"  # of timm: the name of the model; of others the tensors tell it
```

See `deepfake_cli.models.checkpoints.layouts` for the architectures.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import keras
from keras import layers
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deepfake_cli.config.files import parsed
from deepfake_cli.errors import ConfigError, ModelError
from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.models.applications import standardised
from deepfake_cli.models.checkpoints.imported import Imported
from deepfake_cli.models.checkpoints.layouts import Images, layout_of
from deepfake_cli.models.checkpoints.tensors import Tensors, read
from deepfake_cli.models.checkpoints.torch_layers import TorchLayers
from deepfake_cli.storage.json_files import worded

Mean = Annotated[float, Field(ge=-1, le=2)]
Deviation = Annotated[float, Field(ge=1e-3, le=100)]


class Description(BaseModel):
    """What the TOML file says."""

    model_config = ConfigDict(extra="forbid")

    image_size: Annotated[int, Field(ge=32, le=2048)]
    mean: tuple[Mean, Mean, Mean]
    deviation: tuple[Deviation, Deviation, Deviation]
    fake: Literal[0, 1]
    name: str
    licence: str
    commercial: bool
    trained_on: str
    architecture: str = ""  # the name of the model in its package
    padding_size: Annotated[int, Field(ge=32, le=2048)] | None = (
        None  # image size that efficientnet_pytorch was built for
    )
    resize: Literal["linear", "bicubic"] = "linear"  # how crops are resized
    margin: Annotated[float, Field(ge=1, le=4)] = 1.3  # side of the crop, relative to the face box
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    authors: str = ""
    paper: str = ""
    source: str = ""


def two_classes(path: Path, description: Path) -> Imported:
    """Read a checkpoint as a TOML file describes it.

    Raises:
        ConfigError: the TOML file is missing or invalid, or describes another model.
        ModelError: the checkpoint does not fit.
    """
    about = _described(description)
    tensors = read(path)
    try:
        layout, prefix = layout_of(tensors, about.architecture)
        images = Images(
            keras.Input((about.image_size, about.image_size, 3)),
            standardised(about.mean, about.deviation),
            about.padding_size or about.image_size,
        )
        net = TorchLayers(tensors)
        features = layout.build(net, images, prefix, about.architecture)
    except ConfigError as error:
        raise ConfigError(f"{description}: {error}") from None
    name = (about.architecture or layout.architecture).replace("/", "-")
    model = _classified(net, images.inputs, features, name, about.fake)
    tensors.check_all_used()
    card = about.model_dump(include={"name", "authors", "paper", "source", "licence", "commercial", "trained_on"})
    kept = about.model_dump(include={"image_size", "margin", "threshold", "resize"})
    return Imported(model, Traits(model=model.name, card=card, **kept))


def _classified(net: TorchLayers, inputs: Any, features: Any, name: str, fake: int) -> keras.Model:
    """The model, whose head is what the features have left of the checkpoint, under any name."""
    head = _head(net.tensors)
    if len(features.shape) == 4:
        return net.pooled_classifier(inputs, features, name, head, fake=fake)
    dropped = layers.Dropout(0.2, name="dropout")(features)
    return keras.Model(inputs, net.head(dropped, head, fake=fake), name=name)


def _head(tensors: Tensors) -> str:
    left = tensors.left
    heads = [each.removesuffix(".weight") for each in left if each.endswith(".weight")]
    if len(heads) != 1 or not set(left) <= {f"{heads[0]}.weight", f"{heads[0]}.bias"}:
        raise ModelError(
            f"{tensors.path}: expected one layer after the features, with two classes or one logit; found "
            f"{len(left):,} tensors: {', '.join(left[:4]) or 'none'}. Its head or architecture is another one."
        )
    return heads[0]


def _described(path: Path) -> Description:
    try:
        return Description.model_validate(parsed(path))
    except ValidationError as error:
        raise ConfigError(f"{path}: {worded(error)}") from None
