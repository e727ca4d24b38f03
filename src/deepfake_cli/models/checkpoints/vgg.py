"""VGG as torchvision and timm have it, with or without batch normalisation.

Karen Simonyan, Andrew Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015,
https://arxiv.org/abs/1409.1556; names: https://github.com/pytorch/vision/blob/main/torchvision/models/vgg.py.
"""

import re
from typing import Any

from keras import layers

from deepfake_cli.errors import ModelError
from deepfake_cli.models.checkpoints.torch_layers import TorchLayers

POOLED = 7  # rows and columns of the map that the dense layers take
DENSE = {"classifier.0": "classifier.3", "pre_logits.fc1": "pre_logits.fc2"}  # torchvision, timm: first and second


def vgg(net: TorchLayers, x: Any, prefix: str, name: str) -> Any:
    """The features of a VGG of any depth, after the second dense layer: (batch, channels).

    Raises:
        ModelError: the image size is not 224 px, the only one at which no pooled cells overlap.
    """
    pattern = re.compile(rf"{re.escape(prefix)}features\.(\d+)\.weight")
    places = sorted(int(found[1]) for each in net.tensors.names if (found := pattern.fullmatch(each)))
    at = {place: f"{prefix}features.{place}" for place in places}
    convolutions = [place for place in places if net.tensors.take(f"{at[place]}.weight").ndim == 4]
    for place, after in zip(convolutions, [*convolutions[1:], None], strict=True):
        x, last = net.convolution(x, at[place], padding=(1, 1)), place + 1  # its activation
        if last in at:
            x, last = net.normalisation(x, at[last]), last + 1
        x = layers.ReLU()(x)
        if after != last + 1:  # a place between two convolutions is that of a pooling layer
            x = layers.MaxPooling2D(2)(x)
    if x.shape[1] != POOLED:
        raise ModelError(
            f"{net.tensors.path}: VGG's last map has {x.shape[1]} rows at this image_size; expected {POOLED}: 224 px."
        )
    first, second = next(
        (pair for pair in DENSE.items() if f"{prefix}{pair[0]}.weight" in net.tensors), next(iter(DENSE.items()))
    )
    for each in (first, second):
        x = layers.ReLU()(net.dense(x, f"{prefix}{each}"))  # timm's is a convolution of the whole map
    return x
