"""CLIP's image encoder, a vision transformer, built from Keras' own layers; its pretrained weights are loaded with KerasHub.

Alec Radford et al.: Learning Transferable Visual Models From Natural Language Supervision, ICML 2021,
https://arxiv.org/abs/2103.00020; the transformer: Dosovitskiy et al., ICLR 2021, https://arxiv.org/abs/2010.11929.

Train it with ``--tune norm``: only layer normalisation and the head, 0.03 % of the weights. A ViT-L/14 trained this way on
FaceForensics++ had the best cross-dataset results in: Andrii Yermakov, Jan Cech, Jiri Matas, Mario Fritz:
Deepfake Detection that Generalizes Across Benchmarks, WACV 2026, https://arxiv.org/abs/2508.06248. Their unit-length
features and second loss are left out.

KerasHub's transformer blocks are layers of its own: reading a snapshot would need KerasHub, and they are saved without the
frozen state of their parts. So only the weights are taken from it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers

from deepfake_cli.errors import ModelError
from deepfake_cli.installation import install
from deepfake_cli.models.applications import downloading, standardised
from deepfake_cli.models.head import ending

HUB = "kaggle.com"
PIXELS = standardised((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))  # as CLIP was trained
EPSILON = 1e-5


class Shape(NamedTuple):
    """Size of a vision transformer; the hidden layer of a block has four times the width."""

    patch: int  # side, in pixels
    width: int
    blocks: int
    heads: int


B16 = Shape(16, 768, 12, 12)  # 86 M weights
L14 = Shape(14, 1024, 24, 16)  # 303 M weights


def vit_clip(preset: str, shape: Shape) -> Callable[[tuple[int, int, int], str | None], keras.Model]:
    """Return the architecture function of one of CLIP's image encoders.

    Args:
        preset: name of its weights, for `keras_hub.models.CLIPBackbone.from_preset`.
        shape: its size.
    """

    def build(input_shape: tuple[int, int, int], weights: str | None) -> keras.Model:
        model = _untrained(input_shape, shape, preset)
        if weights:
            copy_weights(model, _pretrained(preset).vision_encoder)
        return model

    return build


def _untrained(input_shape: tuple[int, int, int], shape: Shape, name: str) -> keras.Model:
    if input_shape[0] % shape.patch:
        raise ModelError(
            f"{name} divides an image into patches of {shape.patch} px. --image-size must be a multiple of that, such as "
            f"{max(1, round(input_shape[0] / shape.patch)) * shape.patch}. Received {input_shape[0]}."
        )
    inputs = keras.Input(input_shape)
    return ending(inputs, class_token(inputs, shape), name)


def class_token(inputs: Any, shape: Shape, *, pixels: Mapping[str, Any] = PIXELS, quick: bool = True) -> Any:
    """The class token after the last normalisation, (batch, width).

    Args:
        inputs: RGB in 0..255, (batch, rows, columns, 3).
        shape: size of the transformer.
        pixels: arguments of `Rescaling`.
        quick: whether dense layers have QuickGELU, as in CLIP's own weights; else GELU.
    """
    x = _tokens(layers.Rescaling(**pixels)(inputs), shape)
    x = layers.LayerNormalization(epsilon=EPSILON, name="norm_in")(x)
    for number in range(shape.blocks):
        x = _block(x, shape, f"block_{number}", quick=quick)
    x = layers.Cropping1D((0, x.shape[1] - 1), name="class_token")(x)
    return layers.Flatten(name="features")(layers.LayerNormalization(epsilon=EPSILON, name="norm_out")(x))


def _tokens(image: Any, shape: Shape) -> Any:
    """Patch embeddings after an empty one for the class token, plus position embeddings.

    The first position embedding includes the class token.
    """
    side, patch = image.shape[1] // shape.patch, shape.patch
    x = layers.Reshape((side, patch, side, patch, 3))(image)
    x = layers.Reshape((side * side, patch * patch * 3))(layers.Permute((1, 3, 2, 4, 5))(x))
    x = layers.ZeroPadding1D((1, 0))(x)
    embed = layers.EinsumDense(
        "bsp,pd->bsd", (side * side + 1, shape.width), bias_axes="sd", bias_initializer="random_normal", name="tokens"
    )
    return embed(x)


def _block(x: Any, shape: Shape, name: str, *, quick: bool) -> Any:
    """Self-attention, then two dense layers per token, each with a residual connection."""
    y = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_norm_1")(x)
    y = layers.MultiHeadAttention(shape.heads, shape.width // shape.heads, name=f"{name}_attention")(y, y)
    x = layers.Add(name=f"{name}_add_1")([x, y])
    y = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_norm_2")(x)
    y = layers.Dense(4 * shape.width, name=f"{name}_dense_1")(y)
    if quick:
        gate = layers.Activation("sigmoid")(layers.Rescaling(1.702)(y))  # QuickGELU, CLIP's approximation of GELU
    else:  # not Keras' GELU, which the ONNX converter turns into an operator that ONNX lacks
        gate = layers.Rescaling(0.5, 0.5)(keras.ops.erf(layers.Rescaling(0.5**0.5)(y)))
    y = layers.Dense(shape.width, name=f"{name}_dense_2")(layers.Multiply()([y, gate]))
    return layers.Add(name=f"{name}_add_2")([x, y])


def _pretrained(preset: str) -> Any:
    """Return KerasHub's CLIP with pretrained weights, from its cache or the network."""
    try:
        import keras_hub
    except ImportError:
        raise ModelError(
            f"The weights of {preset} need KerasHub: {install('hub')}. Or use other weights with "
            "--weights FILE, or random ones with --no-weights."
        ) from None
    try:
        with downloading():
            return keras_hub.models.CLIPBackbone.from_preset(preset)
    except OSError as error:  # includes those of requests
        raise ModelError(
            f"The weights of {preset} are not in ~/.cache/kagglehub and cannot be downloaded from {HUB}: {_reason(error)}. "
            "Connect to the network once to cache them, or use other weights with --weights FILE, random ones with "
            "--no-weights, or --model efficientnet_lite0, whose ImageNet weights are installed with this package."
        ) from None


def _reason(error: OSError) -> str:
    return (str(error).rpartition("Caused by ")[2] or type(error).__name__).replace("\n", " ")


def copy_weights(model: keras.Model, encoder: Any) -> None:
    """Copy the weights of a `keras_hub.models.CLIPVisionEncoder` of the same size; the image size may differ."""
    for name, values in _tensors(encoder, model.get_layer("tokens").output.shape[1] - 1):
        model.get_layer(name).set_weights(values)


def _tensors(encoder: Any, patches: int) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Yield the names of the model's layers and their weights."""
    embedding = encoder.embedding
    kernel, array = embedding.patch_embedding.get_weights()[0], keras.ops.convert_to_numpy
    positions = array(embedding.position_embedding.embeddings)[array(embedding.position_ids)[0]]
    first = array(embedding.class_embedding) + positions[0]
    yield "tokens", [kernel.reshape(-1, kernel.shape[-1]), np.vstack([first, _resampled(positions[1:], patches)])]
    yield "norm_in", encoder.pre_layer_norm.get_weights()
    for number, block in enumerate(encoder.encoder_layers):
        yield f"block_{number}_norm_1", block.layer_norm_1.get_weights()
        yield f"block_{number}_attention", block.attention.get_weights()
        yield f"block_{number}_norm_2", block.layer_norm_2.get_weights()
        yield f"block_{number}_dense_1", block.dense_1.get_weights()
        yield f"block_{number}_dense_2", block.dense_2.get_weights()
    yield "norm_out", encoder.layer_norm.get_weights()


def _resampled(positions: np.ndarray, patches: int) -> np.ndarray:
    """Resample the position embeddings of a square of patches, (count, width), to another number of patches: (patches, width)."""
    if len(positions) == patches:
        return positions
    before, after = (round(count**0.5) for count in (len(positions), patches))
    grid = positions.reshape(before, before, -1)
    resized = keras.ops.image.resize(grid, (after, after), interpolation="bicubic", data_format="channels_last")
    return keras.ops.convert_to_numpy(resized).reshape(patches, -1)
