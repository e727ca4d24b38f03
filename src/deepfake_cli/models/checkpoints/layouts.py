"""Architectures by the names of their tensors in timm, torchvision and other packages."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from keras import layers

from deepfake_cli.errors import ConfigError, ModelError
from deepfake_cli.models.checkpoints import mobile
from deepfake_cli.models.checkpoints.clip import OPENAI, TIMM, TRANSFORMERS, Encoder, Names
from deepfake_cli.models.checkpoints.efficientnet import efficientnet
from deepfake_cli.models.checkpoints.resnet import resnet
from deepfake_cli.models.checkpoints.tensors import Tensors
from deepfake_cli.models.checkpoints.torch_layers import TorchLayers
from deepfake_cli.models.checkpoints.vgg import vgg
from deepfake_cli.models.checkpoints.xception import xception


class Images(NamedTuple):
    """The input of a network.

    Attributes:
        inputs: RGB in 0..255, (batch, size, size, 3).
        scaling: arguments of `Rescaling` that normalise it.
        padding_size: image size that fixed padding is computed for, in pixels.
    """

    inputs: Any
    scaling: dict[str, Any]
    padding_size: int

    @property
    def normalised(self) -> Any:
        """The images as the network expects them."""
        return layers.Rescaling(**self.scaling)(self.inputs)


class Layout(NamedTuple):
    """How a package names the tensors of an architecture.

    Attributes:
        package: that has it.
        architecture: what it is, for messages and as the model's name.
        models: pattern of the names of its models.
        examples: of these names.
        build: from the layers of a checkpoint, images, a prefix and the model's name to features: a map (batch, rows, columns,
            channels), or (batch, channels).
        needed: whether the model's name has to be given, since tensors of several models have the same names and shapes.
    """

    package: str
    architecture: str
    models: str
    examples: str
    build: Callable[[TorchLayers, Images, str, str], Any]
    needed: bool = False


def _map(build: Callable[..., Any]) -> Callable[[TorchLayers, Images, str, str], Any]:
    return lambda net, images, prefix, name: build(net, images.normalised, prefix, name)


def _efficientnet(net: TorchLayers, images: Images, prefix: str, _: str) -> Any:
    return efficientnet(net, images.normalised, prefix, side=images.padding_size)


def _clip(names: Names, net: TorchLayers, images: Images, prefix: str, name: str) -> Any:
    encoder, quick = Encoder(net.tensors, names, prefix), names is TRANSFORMERS or "/" in name or "quickgelu" in name
    if encoder.side != images.inputs.shape[1]:
        raise ConfigError(
            f"image_size = {images.inputs.shape[1]}, but {net.tensors.path} has the positions of {encoder.side} px."
        )
    return encoder.features(images.inputs, images.scaling, quick=quick)


VGG = Layout("torchvision or timm", "vgg", r"vgg\d+(_bn)?([_.].*)?", "vgg16, vgg19_bn", _map(vgg))
LAYOUTS: dict[str, Layout] = {  # by a tensor that no other has
    "layer1.0.conv1.weight": Layout(
        "torchvision or timm",
        "resnet",
        r"(wide_)?resnet\d+(_2)?([_.].*)?",
        "resnet18, resnet50",
        _map(lambda net, x, prefix, _: resnet(net, x, prefix)),
    ),
    "block1.rep.0.conv1.weight": Layout(
        "timm",
        "xception",
        r"(legacy_)?xception([_.].*)?",
        "legacy_xception",
        _map(lambda net, x, prefix, _: xception(net, x, prefix)),
    ),
    "_conv_stem.weight": Layout(
        "efficientnet_pytorch", "efficientnet", r"efficientnet-b\d", "efficientnet-b4", _efficientnet
    ),
    "conv_stem.weight": Layout(
        "timm",
        "efficientnet, mobilenetv2 or mobilenetv3_small",
        r"(tf_)?(efficientnet_b\d|efficientnet_lite\d|mobilenetv2_\d+d?|mobilenetv3_small_\d+)([_.].*)?",
        "efficientnet_b0, tf_efficientnet_b4_ns, efficientnet_lite0, mobilenetv2_100, mobilenetv3_small_100",
        _map(mobile.timm),
        needed=True,
    ),
    "features.1.0.block.0.0.weight": Layout(
        "torchvision",
        "efficientnet",
        r"efficientnet_b\d",
        "efficientnet_b0, efficientnet_b4",
        _map(mobile.torchvision_efficientnet),
    ),
    "features.1.conv.0.0.weight": Layout(
        "torchvision", "mobilenet_v2", "mobilenet_v2", "mobilenet_v2", _map(mobile.torchvision_v2)
    ),
    "features.1.block.0.0.weight": Layout(
        "torchvision", "mobilenet_v3_small", "mobilenet_v3_small", "mobilenet_v3_small", _map(mobile.torchvision_v3)
    ),
    "features.2.weight": VGG,  # plain
    "features.3.weight": VGG,  # with batch normalisation, or VGG11
    "patch_embed.proj.weight": Layout(
        "timm",
        "vit_clip",
        r"vit_(base|large)_patch\d+_clip_(quickgelu_)?\d+([_.].*)?",
        "vit_base_patch16_clip_224, vit_large_patch14_clip_quickgelu_224",
        partial(_clip, TIMM),
        needed=True,
    ),
    "transformer.resblocks.0.ln_1.weight": Layout(
        "clip or open_clip",
        "vit_clip",
        r"ViT-[BL](/\d+|-\d+(-quickgelu)?)",
        "ViT-L/14 of clip, ViT-L-14 or ViT-L-14-quickgelu of open_clip",
        partial(_clip, OPENAI),
        needed=True,
    ),
    "embeddings.patch_embedding.weight": Layout(
        "transformers",
        "vit_clip",
        r"clip-vit-(base|large)-patch\d+",
        "clip-vit-base-patch16, clip-vit-large-patch14",
        partial(_clip, TRANSFORMERS),
        needed=True,
    ),
}


def layout_of(tensors: Tensors, name: str) -> tuple[Layout, str]:
    """The layout of a checkpoint, and the prefix of its tensors, such as ``backbone.``.

    Args:
        tensors: of the checkpoint.
        name: of the model in its package, or an empty string.

    Raises:
        ModelError: it is none, or several.
        ConfigError: the name is of another layout, or needed and missing.
    """
    found = {
        each.removesuffix(key): layout
        for key, layout in LAYOUTS.items()
        for each in tensors.names
        if each == key or each.endswith(f".{key}")
    }
    if len(found) != 1:
        kinds = ", ".join(
            f"{layout.architecture} of {layout.package} at {prefix or 'the top'}" for prefix, layout in found.items()
        )
        known = ", ".join(dict.fromkeys(f"{each.architecture} of {each.package}" for each in LAYOUTS.values()))
        some = ", ".join(tensors.names[:4])
        raise ModelError(
            f"{tensors.path}: has {len(found)} networks: {kinds}. Save the state dictionary of one."
            if found
            else f"{tensors.path}: no known architecture has tensors with its names, such as {some}. Known: {known}."
        )
    ((prefix, layout),) = found.items()
    of = f"{tensors.path} has the names of {layout.architecture} of {layout.package}"
    if name and not re.fullmatch(layout.models, name):
        raise ConfigError(f'architecture = "{name}", but {of}. Expected a name such as {layout.examples}.')
    if layout.needed and not name:
        raise ConfigError(
            f"architecture: missing. {of}, and the weights alone do not tell which model. Expected a name such as "
            f"{layout.examples}."
        )
    return layout, prefix
