"""Keras layers with the tensors and the arithmetic of PyTorch's: sizes come from the tensors, padding is explicit."""

from typing import Any

import keras
import numpy as np
from keras import layers

from deepfake_cli.errors import ModelError
from deepfake_cli.models.checkpoints.tensors import AGAIN, Tensors
from deepfake_cli.models.head import PROBABILITY

LOWEST = float(np.finfo("float32").min)
Padding = tuple[int, int]  # before and after, in pixels, of rows and of columns


class TorchLayers:
    """Layers whose weights are the tensors of a checkpoint; tensors in channels last, (batch, rows, columns, channels)."""

    def __init__(self, tensors: Tensors):
        self.tensors = tensors

    def convolution(self, x: Any, name: str, *, stride: int = 1, padding: Padding = (0, 0), dilation: int = 1) -> Any:
        """`torch.nn.Conv2d`, plain or depthwise, with a bias if the checkpoint has one."""
        kernel = self.tensors.take(f"{name}.weight")  # (channels out, channels in / groups, rows, columns)
        bias = [self.tensors.take(f"{name}.bias")] if f"{name}.bias" in self.tensors else []
        depthwise = kernel.ndim == 4 and kernel.shape[1] == 1 and kernel.shape[0] == x.shape[-1] > 1
        if kernel.ndim != 4 or (not depthwise and kernel.shape[1] != x.shape[-1]):
            raise ModelError(
                f"{self.tensors.path}: {name}.weight has the shape {kernel.shape}, but its input has {x.shape[-1]} channels. "
                f"{AGAIN}"
            )
        x = layers.ZeroPadding2D((padding, padding))(x) if any(padding) else x
        size, options = kernel.shape[2:], {"strides": stride, "use_bias": bool(bias), "dilation_rate": dilation}
        if depthwise:
            return self._set(layers.DepthwiseConv2D(size, **options), x, [kernel.transpose(2, 3, 0, 1), *bias], name)
        layer = layers.Conv2D(kernel.shape[0], size, **options)
        return self._set(layer, x, [kernel.transpose(2, 3, 1, 0), *bias], name)

    def normalisation(self, x: Any, name: str, *, epsilon: float = 1e-5) -> Any:
        """`torch.nn.BatchNorm2d`, with its stored statistics."""
        values = [self.tensors.take(f"{name}.{role}") for role in ("weight", "bias", "running_mean", "running_var")]
        return self._set(layers.BatchNormalization(epsilon=epsilon), x, values, name)

    def layer_norm(self, x: Any, name: str, layer: str, *, epsilon: float = 1e-5) -> Any:
        """`torch.nn.LayerNorm`; the Keras layer is called `layer`."""
        values = [self.tensors.take(f"{name}.{role}") for role in ("weight", "bias")]
        return self._set(layers.LayerNormalization(epsilon=epsilon, name=layer), x, values, name)

    def dense(self, x: Any, name: str) -> Any:
        """`torch.nn.Linear`, or a convolution of the whole map; PyTorch flattens a map channels first."""
        weight = self.tensors.take(f"{name}.weight")
        weight = weight.reshape(len(weight), -1)
        if len(x.shape) == 4:
            _, rows, columns, channels = x.shape
            if weight.shape[1] == rows * columns * channels:
                weight = weight.reshape(-1, channels, rows, columns).transpose(0, 2, 3, 1).reshape(len(weight), -1)
            x = layers.Flatten()(x)
        return self._set(layers.Dense(len(weight)), x, [weight.T, self.tensors.take(f"{name}.bias")], name)

    def head(self, features: Any, name: str, *, fake: int = 1) -> Any:
        """`torch.nn.Linear` as the probability of fake: the softmax of two logits, or the sigmoid of one.

        Args:
            features: (batch, channels).
            name: of the tensors; the bias may be missing.
            fake: index of the class fake; of one logit, what 1 means: 1 fake, 0 real.
        """
        weight, channels = self.tensors.take(f"{name}.weight"), features.shape[-1]
        bias = (
            self.tensors.take(f"{name}.bias") if f"{name}.bias" in self.tensors else np.zeros(len(weight), np.float32)
        )
        if weight.shape not in ((1, channels), (2, channels)) or bias.shape != weight.shape[:1]:
            raise ModelError(
                f"{self.tensors.path}: {name}.weight has the shape {weight.shape} and its bias {bias.shape}; expected "
                f"(2, {channels}) and (2,), two classes, or (1, {channels}) and (1,), one logit. {AGAIN}"
            )
        if len(weight) == 2:
            weight, bias = weight[1:] - weight[:1], bias[1:] - bias[:1]
        sign = 1 if fake else -1
        dense = layers.Dense(1, activation="sigmoid", dtype="float32", name=PROBABILITY)
        return self._set(dense, features, [sign * weight.T, sign * bias], name)

    def pooled_classifier(self, inputs: Any, features: Any, name: str, head: str, *, fake: int = 1) -> keras.Model:
        """The model from `inputs` to the probability of fake, given a feature map and the name of the head's tensors."""
        pooled = layers.Dropout(0.2, name="dropout")(layers.GlobalAveragePooling2D(name="pooling")(features))
        return keras.Model(inputs, self.head(pooled, head, fake=fake), name=name)

    def _set(self, layer: Any, x: Any, values: list[np.ndarray], name: str) -> Any:
        output = layer(x)
        try:
            layer.set_weights(values)
        except ValueError:
            found, wanted = ([tuple(each.shape) for each in some] for some in (values, layer.weights))
            raise ModelError(
                f"{self.tensors.path}: the tensors of {name} have the shapes {found}; expected {wanted}. {AGAIN}"
            ) from None
        return output


def max_pooling(x: Any, size: int, *, stride: int, padding: int) -> Any:
    """`torch.nn.MaxPool2d`, whose border never is the maximum."""
    if padding:
        x = keras.ops.pad(x, [(0, 0), (padding, padding), (padding, padding), (0, 0)], constant_values=LOWEST)
    return layers.MaxPooling2D(size, stride)(x)
