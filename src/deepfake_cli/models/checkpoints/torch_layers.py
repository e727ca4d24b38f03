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
        """`torch.nn.Linear`."""
        weight, bias = self.tensors.take(f"{name}.weight"), self.tensors.take(f"{name}.bias")
        return self._set(layers.Dense(len(weight)), x, [weight.T, bias], name)

    def two_classes(self, features: Any, name: str, *, fake: int = 1) -> Any:
        """`torch.nn.Linear` with one logit per class, and the softmax of the two, as the probability of fake.

        Args:
            features: (batch, channels).
            name: of the tensors.
            fake: index of the class fake.
        """
        weight, bias = self.tensors.take(f"{name}.weight"), self.tensors.take(f"{name}.bias")
        for values, role, expected in ((weight, "weight", (2, features.shape[-1])), (bias, "bias", (2,))):
            if values.shape != expected:
                raise ModelError(
                    f"{self.tensors.path}: {name}.{role} has the shape {values.shape}; expected {expected}: two classes. {AGAIN}"
                )
        kernel, offset = weight[fake] - weight[1 - fake], bias[fake] - bias[1 - fake]
        head = layers.Dense(1, activation="sigmoid", dtype="float32", name=PROBABILITY)
        return self._set(head, features, [kernel[:, None], offset[None]], name)

    def pooled_classifier(self, inputs: Any, features: Any, name: str, head: str, *, fake: int = 1) -> keras.Model:
        """The model from `inputs` to the probability of fake, given a feature map and the name of the head's tensors."""
        pooled = layers.Dropout(0.2, name="dropout")(layers.GlobalAveragePooling2D(name="pooling")(features))
        return keras.Model(inputs, self.two_classes(pooled, head, fake=fake), name=name)

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
