"""EfficientNet as the package `efficientnet_pytorch` has it, B0 to B7.

Mingxing Tan and Quoc V. Le: EfficientNet, ICML 2019, https://arxiv.org/abs/1905.11946; names and padding:
https://github.com/lukemelas/EfficientNet-PyTorch. It fixes the padding of every convolution when it is built, for one image size,
and keeps it for images of any other: a detector that is used at another size has that padding, too.
"""

from itertools import count, takewhile
from typing import Any

from deepfake_cli.models.checkpoints.inverted import SWISH, Block, InvertedResiduals, Unit
from deepfake_cli.models.checkpoints.torch_layers import TorchLayers

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
    style = SWISH._replace(epsilon=EPSILON)
    layers = InvertedResiduals(net, style, side)
    stem, top = (
        Unit(f"{prefix}_conv_{place}", f"{prefix}_bn{number}") for number, place in enumerate(("stem", "head"))
    )
    x = layers.unit(x, stem, stride=2, activation=style.activation, padded=stem_padding)
    stages: list[list[Block]] = []
    width = 0
    names = (f"{prefix}_blocks.{number}" for number in count())
    for name in takewhile(lambda name: f"{name}._depthwise_conv.weight" in net.tensors, names):
        channels = net.tensors.take(f"{name}._project_conv.weight").shape[0]
        if channels != width:  # the first block of a stage has another width
            stages.append([])
        stages[-1].append(_block(net, name))
        width = channels
    x = layers.stages(x, stages, STRIDES[: len(stages)] + (1,) * (len(stages) - len(STRIDES)))
    return layers.unit(x, top, activation=style.activation)


def _block(net: TorchLayers, name: str) -> Block:
    expand = Unit(f"{name}._expand_conv", f"{name}._bn0") if f"{name}._expand_conv.weight" in net.tensors else None
    depthwise = Unit(f"{name}._depthwise_conv", f"{name}._bn1")
    excitation = (f"{name}._se_reduce", f"{name}._se_expand")
    return Block(expand, depthwise, excitation, Unit(f"{name}._project_conv", f"{name}._bn2"))
