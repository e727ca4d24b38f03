"""Xception as PyTorch has it: other padding than Keras' before the strides, so the same weights would score otherwise there.

François Chollet: Xception: Deep Learning with Depthwise Separable Convolutions, CVPR 2017, https://arxiv.org/abs/1610.02357, in
the version of https://github.com/Cadene/pretrained-models.pytorch, which FaceForensics++, DeepfakeBench and timm's
`legacy_xception` share.
"""

from itertools import count, takewhile
from typing import Any

from keras import layers

from deepfake_cli.models.checkpoints.torch_layers import TorchLayers, max_pooling


def xception(net: TorchLayers, x: Any, prefix: str = "") -> Any:
    """The feature map of Xception, after the last activation.

    Args:
        net: layers of the checkpoint; it tells width and number of blocks.
        x: normalised images.
        prefix: before the names of all tensors.
    """
    for number, stride in ((1, 2), (2, 1)):
        x = net.normalisation(net.convolution(x, f"{prefix}conv{number}", stride=stride), f"{prefix}bn{number}")
        x = layers.ReLU()(x)
    for number in takewhile(lambda number: _start(net, f"{prefix}block{number}") is not None, count(1)):
        x = _block(net, x, f"{prefix}block{number}")
    for number in (3, 4):
        x = _separable(net, x, f"{prefix}conv{number}")
        x = layers.ReLU()(net.normalisation(x, f"{prefix}bn{number}"))
    return x


def _start(net: TorchLayers, block: str) -> int | None:
    """The place of a block's first convolution among its layers: 1 after an activation; None if there is no such block."""
    return next((place for place in (0, 1) if f"{block}.rep.{place}.conv1.weight" in net.tensors), None)


def _block(net: TorchLayers, x: Any, name: str) -> Any:
    """Separable convolutions beside a shortcut; one with weights has a stride of 2."""
    y, place = x, _start(net, name) or 0
    while f"{name}.rep.{place}.conv1.weight" in net.tensors:
        y = layers.ReLU()(y) if place else y
        y = net.normalisation(_separable(net, y, f"{name}.rep.{place}"), f"{name}.rep.{place + 1}")
        place += 3  # convolution, normalisation, activation
    if f"{name}.skip.weight" in net.tensors:
        y = max_pooling(y, 3, stride=2, padding=1)
        x = net.normalisation(net.convolution(x, f"{name}.skip", stride=2), f"{name}.skipbn")
    return layers.Add()([x, y])


def _separable(net: TorchLayers, x: Any, name: str) -> Any:
    return net.convolution(net.convolution(x, f"{name}.conv1", padding=(1, 1)), f"{name}.pointwise")
