"""EfficientNet as the package `efficientnet_pytorch` has it, B0 to B7.

Mingxing Tan and Quoc V. Le: EfficientNet, ICML 2019, https://arxiv.org/abs/1905.11946; names and padding:
https://github.com/lukemelas/EfficientNet-PyTorch. It fixes the padding of every convolution when it is built, for one image size,
and keeps it for images of any other: a detector that is used at another size has that padding, too.
"""

from itertools import count, takewhile
from typing import Any

from keras import layers

from deepfake_cli.models.checkpoints.torch_layers import Padding, TorchLayers

EPSILON = 1e-3
STRIDES = (1, 2, 2, 2, 1, 2, 1)  # of the first block of each stage


def efficientnet(net: TorchLayers, x: Any, prefix: str, *, side: int, stem_padding: bool = True) -> Any:
    """The feature map of EfficientNet, after the last activation.

    Args:
        net: layers of the checkpoint; it tells width and number of blocks.
        x: normalised images.
        prefix: before the names of all tensors.
        side: image size that the padding is computed for, in pixels: of B4, 380.
        stem_padding: whether the first convolution is padded.
    """
    padding, side = same(side, 3, 2)
    x = net.convolution(x, f"{prefix}_conv_stem", stride=2, padding=padding if stem_padding else (0, 0))
    x = _swish(net.normalisation(x, f"{prefix}_bn0", epsilon=EPSILON))
    strides, width = iter(STRIDES[1:]), 0
    names = (f"{prefix}_blocks.{number}" for number in count())
    for name in takewhile(lambda name: f"{name}._depthwise_conv.weight" in net.tensors, names):
        channels = net.tensors.take(f"{name}._project_conv.weight").shape[0]
        stride = next(strides, 1) if width and channels != width else 1  # the first block of a stage has another width
        x, side, width = *_block(net, x, name, stride, side), channels
    x = net.convolution(x, f"{prefix}_conv_head")
    return _swish(net.normalisation(x, f"{prefix}_bn1", epsilon=EPSILON))


def same(side: int, size: int, stride: int) -> tuple[Padding, int]:
    """TensorFlow's padding of a side for a convolution, and the side after it, in pixels."""
    after = -(-side // stride)
    missing = max((after - 1) * stride + size - side, 0)
    return (missing // 2, missing - missing // 2), after


def _block(net: TorchLayers, x: Any, name: str, stride: int, side: int) -> tuple[Any, int]:
    """Inverted residual with squeeze and excitation; added to its input if the shapes agree."""
    start = x
    if f"{name}._expand_conv.weight" in net.tensors:
        x = _swish(net.normalisation(net.convolution(x, f"{name}._expand_conv"), f"{name}._bn0", epsilon=EPSILON))
    size = net.tensors.take(f"{name}._depthwise_conv.weight").shape[-1]
    padding, side = same(side, size, stride)
    x = net.convolution(x, f"{name}._depthwise_conv", stride=stride, padding=padding)
    x = _swish(net.normalisation(x, f"{name}._bn1", epsilon=EPSILON))
    squeezed = layers.GlobalAveragePooling2D(keepdims=True)(x)
    squeezed = net.convolution(_swish(net.convolution(squeezed, f"{name}._se_reduce")), f"{name}._se_expand")
    x = layers.Multiply()([x, layers.Activation("sigmoid")(squeezed)])
    x = net.normalisation(net.convolution(x, f"{name}._project_conv"), f"{name}._bn2", epsilon=EPSILON)
    return (layers.Add()([x, start]) if stride == 1 and x.shape[-1] == start.shape[-1] else x), side


def _swish(x: Any) -> Any:
    return layers.Activation("silu")(x)
