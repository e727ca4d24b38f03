"""Networks of inverted residuals: EfficientNet, MobileNetV2 and MobileNetV3, under the names of any PyTorch package.

Mark Sandler et al.: MobileNetV2, CVPR 2018, https://arxiv.org/abs/1801.04381; Andrew Howard et al.: Searching for MobileNetV3,
ICCV 2019, https://arxiv.org/abs/1905.02244; Mingxing Tan and Quoc V. Le: EfficientNet, ICML 2019,
https://arxiv.org/abs/1905.11946.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from keras import layers

from deepfake_cli.models.checkpoints.torch_layers import Padding, TorchLayers


class Unit(NamedTuple):
    """Names of the tensors of a convolution and of the batch normalisation after it."""

    convolution: str
    normalisation: str


class Block(NamedTuple):
    """Names of the tensors of an inverted residual."""

    expand: Unit | None
    depthwise: Unit
    excitation: tuple[str, str] | None  # two convolutions of the pooled features
    project: Unit


class Style(NamedTuple):
    """What the tensors do not tell. Activations have the names of Keras."""

    activation: str = "silu"
    early: str | None = None  # activation of the first two stages, if another
    squeezed: str = "silu"  # activation between the two convolutions of the pooled features
    gate: str = "sigmoid"
    epsilon: float = 1e-5  # of batch normalisation


EARLY = 2  # stages
SWISH, RELU6 = Style(), Style("relu6")
V3 = Style("hard_silu", "relu", "relu", "hard_sigmoid")


class InvertedResiduals:
    """Layers of a network of inverted residuals, in the order in which they are called.

    Args:
        net: layers of the checkpoint.
        style: what its tensors do not tell.
        side: image size that TensorFlow's padding is computed for, in pixels; None pads by half of the kernel on each side.
    """

    def __init__(self, net: TorchLayers, style: Style, side: int | None):
        self.net, self.style, self.side = net, style, side

    def unit(self, x: Any, names: Unit, *, stride: int = 1, activation: str | None = None, padded: bool = True) -> Any:
        """A convolution, batch normalisation and an activation."""
        size = self.net.tensors.take(f"{names.convolution}.weight").shape[-1]
        padding = self._padding(size, stride)
        x = self.net.convolution(x, names.convolution, stride=stride, padding=padding if padded else (0, 0))
        x = self.net.normalisation(x, names.normalisation, epsilon=self.style.epsilon)
        return layers.Activation(activation)(x) if activation else x

    def stages(self, x: Any, stages: Sequence[Iterable[Block]], strides: Sequence[int]) -> Any:
        """All blocks; the first of each stage has its stride."""
        for number, (stage, stride) in enumerate(zip(stages, strides, strict=True)):
            activation = (number < EARLY and self.style.early) or self.style.activation
            for place, block in enumerate(stage):
                x = self._block(x, block, 1 if place else stride, activation)
        return x

    def _block(self, x: Any, names: Block, stride: int, activation: str) -> Any:
        """Expand, depthwise convolution, squeeze and excitation, project; added to its input if the shapes agree."""
        start = x
        x = self.unit(x, names.expand, activation=activation) if names.expand else x
        x = self.unit(x, names.depthwise, stride=stride, activation=activation)
        if names.excitation:
            reduce, expand = names.excitation
            squeezed = self.net.convolution(layers.GlobalAveragePooling2D(keepdims=True)(x), reduce)
            squeezed = self.net.convolution(layers.Activation(self.style.squeezed)(squeezed), expand)
            x = layers.Multiply()([x, layers.Activation(self.style.gate)(squeezed)])
        x = self.unit(x, names.project)
        return layers.Add()([x, start]) if stride == 1 and x.shape[-1] == start.shape[-1] else x

    def _padding(self, size: int, stride: int) -> Padding:
        if self.side is None:
            return size // 2, size // 2
        padding, self.side = same(self.side, size, stride)
        return padding


def same(side: int, size: int, stride: int) -> tuple[Padding, int]:
    """TensorFlow's padding of a side for a convolution, and the side after it, in pixels."""
    after = -(-side // stride)
    missing = max((after - 1) * stride + size - side, 0)
    return (missing // 2, missing - missing // 2), after
