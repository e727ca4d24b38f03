"""ResNet as torchvision and timm have it: the second convolution of a bottleneck has the stride, in Keras' the first.

Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun: Deep Residual Learning for Image Recognition, CVPR 2016,
https://arxiv.org/abs/1512.03385; names: https://github.com/pytorch/vision/blob/main/torchvision/models/resnet.py.
"""

from itertools import count, takewhile
from typing import Any

from keras import layers

from deepfake_cli.models.checkpoints.torch_layers import TorchLayers, max_pooling


def resnet(net: TorchLayers, x: Any, prefix: str = "") -> Any:
    """The feature map of a ResNet of any depth, after the last activation.

    Args:
        net: layers of the checkpoint; it tells width and number of blocks.
        x: normalised images.
        prefix: before the names of all tensors.
    """
    x = net.convolution(x, f"{prefix}conv1", stride=2, padding=(3, 3))
    x = max_pooling(layers.ReLU()(net.normalisation(x, f"{prefix}bn1")), 3, stride=2, padding=1)
    for stage in (1, 2, 3, 4):
        names = (f"{prefix}layer{stage}.{number}" for number in count())
        for number, name in enumerate(takewhile(lambda name: f"{name}.conv1.weight" in net.tensors, names)):
            x = _block(net, x, name, stride=2 if stage > 1 and number == 0 else 1)
    return x


def _block(net: TorchLayers, x: Any, name: str, *, stride: int) -> Any:
    """A bottleneck of three convolutions, or a basic block of two, beside a shortcut."""
    bottleneck = f"{name}.conv3.weight" in net.tensors
    sizes = (1, 3, 1) if bottleneck else (3, 3)
    y = x
    for number, size in enumerate(sizes, 1):
        y = layers.ReLU()(y) if number > 1 else y
        step = stride if number == (2 if bottleneck else 1) else 1
        y = net.convolution(y, f"{name}.conv{number}", stride=step, padding=(size // 2, size // 2))
        y = net.normalisation(y, f"{name}.bn{number}")
    if f"{name}.downsample.0.weight" in net.tensors:
        x = net.normalisation(net.convolution(x, f"{name}.downsample.0", stride=stride), f"{name}.downsample.1")
    return layers.ReLU()(layers.Add()([y, x]))
