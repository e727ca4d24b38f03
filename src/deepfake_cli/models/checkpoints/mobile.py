"""EfficientNet, MobileNetV2 and MobileNetV3 under the names of timm and torchvision, see `inverted`.

https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/_efficientnet_builder.py and
https://github.com/pytorch/vision/tree/main/torchvision/models: `efficientnet.py`, `mobilenetv2.py`, `mobilenetv3.py`.
"""

from collections.abc import Iterator
from itertools import count, takewhile
from typing import Any

from keras import layers

from deepfake_cli.errors import ModelError
from deepfake_cli.models.checkpoints.inverted import RELU6, SWISH, V3, Block, InvertedResiduals, Unit
from deepfake_cli.models.checkpoints.tensors import AGAIN, Tensors
from deepfake_cli.models.checkpoints.torch_layers import TorchLayers

STRIDES = (1, 2, 2, 2, 1, 2, 1)  # of the first block of each stage: EfficientNet, MobileNetV2
STRIDES_OF_V3 = (2, 2, 2, 1, 2)  # of the small one
BLOCKS_OF_V2, BLOCKS_OF_V3 = (1, 2, 3, 4, 3, 3, 1), (1, 2, 3, 2, 3)  # by stage; names of torchvision do not tell
STYLES = {"efficientnet_b": SWISH, "efficientnet_lite": RELU6, "mobilenetv2": RELU6, "mobilenetv3_small": V3}
EPSILON_OF_TF, EPSILON_OF_V3, EPSILON_OF_B5 = 1e-3, 1e-3, 1e-3
WIDTH_OF_B5 = 2048  # of its last feature map


def timm(net: TorchLayers, x: Any, prefix: str, name: str) -> Any:
    """The features of a model of timm.

    Args:
        net: layers of the checkpoint; it tells width and number of blocks.
        x: normalised images.
        prefix: before the names of all tensors.
        name: of the model, such as ``tf_efficientnet_b4_ns``: with ``tf_``, it has TensorFlow's padding and epsilon.
    """
    bare = name.removeprefix("tf_")
    style, tensors = next(style for start, style in STYLES.items() if bare.startswith(start)), net.tensors
    strides = STRIDES_OF_V3 if style is V3 else STRIDES
    style = style._replace(epsilon=EPSILON_OF_TF) if bare != name else style
    parts = InvertedResiduals(net, style, x.shape[1] if bare != name else None)
    x = parts.unit(x, Unit(f"{prefix}conv_stem", f"{prefix}bn1"), stride=2, activation=style.activation)
    stages = [
        [_timm(tensors, each) for each in _numbered(tensors, f"{prefix}blocks.{stage}.{{}}", "conv_dw.weight")]
        for stage in range(len(strides))
    ]
    x = parts.stages(x, stages, strides)
    if strides is STRIDES:
        return parts.unit(x, Unit(f"{prefix}conv_head", f"{prefix}bn2"), activation=style.activation)
    last = f"{prefix}blocks.{len(strides)}.0"
    x = parts.unit(x, Unit(f"{last}.conv", f"{last}.bn1"), activation=style.activation)
    return layers.Activation(style.activation)(net.dense(layers.GlobalAveragePooling2D()(x), f"{prefix}conv_head"))


def torchvision_efficientnet(net: TorchLayers, x: Any, prefix: str, name: str) -> Any:
    """The feature map of torchvision's EfficientNet, B0 to B7; its stages are numbered."""
    top = len(STRIDES) + 1
    wide = len(net.tensors.take(f"{prefix}features.{top}.1.weight")) >= WIDTH_OF_B5
    style = SWISH._replace(epsilon=EPSILON_OF_B5) if wide else SWISH
    stages = [
        [_torchvision(net.tensors, each) for each in _numbered(net.tensors, pattern, "block.0.0.weight")]
        for pattern in (f"{prefix}features.{stage}.{{}}" for stage in range(1, top))
    ]
    return _torchvision_features(InvertedResiduals(net, style, None), x, f"{prefix}features", stages, STRIDES, top)


def torchvision_v2(net: TorchLayers, x: Any, prefix: str, name: str) -> Any:
    """The feature map of torchvision's MobileNetV2, of any width."""
    names = list(_numbered(net.tensors, f"{prefix}features.{{}}", "conv.0.0.weight", start=1))
    stages = _staged(net.tensors, [_torchvision_v2(net.tensors, each) for each in names], BLOCKS_OF_V2)
    parts = InvertedResiduals(net, RELU6, None)
    return _torchvision_features(parts, x, f"{prefix}features", stages, STRIDES, len(names) + 1)


def torchvision_v3(net: TorchLayers, x: Any, prefix: str, name: str) -> Any:
    """The features of torchvision's small MobileNetV3, of any width, after its first dense layer: (batch, channels)."""
    names = list(_numbered(net.tensors, f"{prefix}features.{{}}", "block.0.0.weight", start=1))
    stages = _staged(net.tensors, [_torchvision(net.tensors, each) for each in names], BLOCKS_OF_V3)
    parts = InvertedResiduals(net, V3._replace(epsilon=EPSILON_OF_V3), None)
    x = _torchvision_features(parts, x, f"{prefix}features", stages, STRIDES_OF_V3, len(names) + 1)
    x = net.dense(layers.GlobalAveragePooling2D()(x), f"{prefix}classifier.0")
    return layers.Activation(V3.activation)(x)


def _torchvision_features(
    parts: InvertedResiduals, x: Any, name: str, stages: list[list[Block]], strides: tuple[int, ...], top: int
) -> Any:
    activation = parts.style.activation
    x = parts.unit(x, Unit(f"{name}.0.0", f"{name}.0.1"), stride=2, activation=activation)
    x = parts.stages(x, stages, strides)
    return parts.unit(x, Unit(f"{name}.{top}.0", f"{name}.{top}.1"), activation=activation)


def _numbered(tensors: Tensors, pattern: str, tensor: str, start: int = 0) -> Iterator[str]:
    """The names of a sequence of modules, as long as each has the tensor."""
    return takewhile(lambda name: f"{name}.{tensor}" in tensors, map(pattern.format, count(start)))


def _staged(tensors: Tensors, blocks: list[Block], sizes: tuple[int, ...]) -> list[list[Block]]:
    if len(blocks) != sum(sizes):
        raise ModelError(
            f"{tensors.path}: {len(blocks)} blocks of inverted residuals; expected {sum(sizes)}: another variant. {AGAIN}"
        )
    rest = iter(blocks)
    return [[next(rest) for _ in range(size)] for size in sizes]


def _timm(tensors: Tensors, name: str) -> Block:
    excitation = (f"{name}.se.conv_reduce", f"{name}.se.conv_expand")
    found = excitation if f"{excitation[0]}.weight" in tensors else None
    if f"{name}.conv_pwl.weight" not in tensors:
        return Block(None, Unit(f"{name}.conv_dw", f"{name}.bn1"), found, Unit(f"{name}.conv_pw", f"{name}.bn2"))
    expand, depthwise = Unit(f"{name}.conv_pw", f"{name}.bn1"), Unit(f"{name}.conv_dw", f"{name}.bn2")
    return Block(expand, depthwise, found, Unit(f"{name}.conv_pwl", f"{name}.bn3"))


def _torchvision(tensors: Tensors, name: str) -> Block:
    """Of EfficientNet and MobileNetV3: two or three units, with the excitation before the last."""
    units = [Unit(f"{each}.0", f"{each}.1") for n in range(4) if f"{(each := f'{name}.block.{n}')}.0.weight" in tensors]
    names = (f"{name}.block.{n}" for n in range(4))
    excitation = next(((f"{each}.fc1", f"{each}.fc2") for each in names if f"{each}.fc1.weight" in tensors), None)
    if len(units) not in (2, 3):
        raise ModelError(f"{tensors.path}: {name} is no inverted residual: it has {len(units)} convolutions. {AGAIN}")
    expand = units[0] if len(units) == 3 else None
    return Block(expand, units[-2], excitation, units[-1])


def _torchvision_v2(tensors: Tensors, name: str) -> Block:
    units = [Unit(f"{name}.conv.{n}.0", f"{name}.conv.{n}.1") for n in (0, 1)]
    if f"{name}.conv.3.weight" in tensors:
        return Block(units[0], units[1], None, Unit(f"{name}.conv.2", f"{name}.conv.3"))
    return Block(None, units[0], None, Unit(f"{name}.conv.1", f"{name}.conv.2"))
