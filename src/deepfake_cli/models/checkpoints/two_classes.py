"""Any two-class state dictionary of an architecture below, described in a small TOML file.

```toml
architecture = "resnet"           # or xception, efficientnet
image_size = 224                  # pixels
mean = [0.485, 0.456, 0.406]      # of RGB in 0..1, that the network expects to be subtracted
deviation = [0.229, 0.224, 0.225]
fake = 1                          # which of the two classes is fake
name = "My detector"
licence = "MIT"
commercial = true                 # whether the licence allows commercial use
trained_on = "my videos"
```
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import keras
from keras import layers
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deepfake_cli.config.files import parsed
from deepfake_cli.errors import ConfigError
from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.models.applications import standardised
from deepfake_cli.models.checkpoints.efficientnet import efficientnet
from deepfake_cli.models.checkpoints.imported import Imported
from deepfake_cli.models.checkpoints.resnet import resnet
from deepfake_cli.models.checkpoints.tensors import read
from deepfake_cli.models.checkpoints.torch_layers import TorchLayers
from deepfake_cli.models.checkpoints.xception import xception
from deepfake_cli.storage.json_files import worded

Mean = Annotated[float, Field(ge=-1, le=2)]
Deviation = Annotated[float, Field(ge=1e-3, le=100)]


class Network(NamedTuple):
    """An architecture: its function, and the names of its head in a checkpoint."""

    features: Callable[..., Any]
    heads: tuple[str, ...]


NETWORKS: dict[str, Network] = {
    "resnet": Network(lambda net, x, prefix, side: resnet(net, x, prefix), ("fc",)),  # torchvision, timm
    "xception": Network(lambda net, x, prefix, side: xception(net, x, prefix), ("fc", "last_linear")),  # timm
    "efficientnet": Network(  # efficientnet_pytorch
        lambda net, x, prefix, side: efficientnet(net, x, prefix, side=side), ("_fc",)
    ),
}


class Description(BaseModel):
    """What the TOML file says."""

    model_config = ConfigDict(extra="forbid")

    architecture: Literal["resnet", "xception", "efficientnet"]
    image_size: Annotated[int, Field(ge=32, le=2048)]
    mean: tuple[Mean, Mean, Mean]
    deviation: tuple[Deviation, Deviation, Deviation]
    fake: Literal[0, 1]
    name: str
    licence: str
    commercial: bool
    trained_on: str
    padding_size: Annotated[int, Field(ge=32, le=2048)] | None = (
        None  # image size that efficientnet_pytorch was built for
    )
    prefix: str = ""  # before the names of all tensors, such as "backbone."
    margin: Annotated[float, Field(ge=1, le=4)] = 1.3  # side of the crop, relative to the face box
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    authors: str = ""
    paper: str = ""
    source: str = ""


def two_classes(path: Path, description: Path) -> Imported:
    """Read a checkpoint as a TOML file describes it.

    Raises:
        ConfigError: the TOML file is missing or invalid.
        ModelError: the checkpoint does not fit.
    """
    about = _described(description)
    tensors = read(path)
    net, inputs = TorchLayers(tensors), keras.Input((about.image_size, about.image_size, 3))
    x = layers.Rescaling(**standardised(about.mean, about.deviation))(inputs)
    network = NETWORKS[about.architecture]
    features = network.features(net, x, about.prefix, about.padding_size or about.image_size)
    heads = [f"{about.prefix}{head}" for head in network.heads]
    head = next((head for head in heads if f"{head}.weight" in tensors), heads[0])
    model = net.pooled_classifier(inputs, features, about.architecture, head, fake=about.fake)
    tensors.check_all_used()
    card = about.model_dump(include={"name", "authors", "paper", "source", "licence", "commercial", "trained_on"})
    traits = Traits(
        model=model.name, image_size=about.image_size, margin=about.margin, threshold=about.threshold, card=card
    )
    return Imported(model, traits)


def _described(path: Path) -> Description:
    try:
        return Description.model_validate(parsed(path))
    except ValidationError as error:
        raise ConfigError(f"{path}: {worded(error)}") from None
