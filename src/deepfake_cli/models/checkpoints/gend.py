"""GenD: CLIP's ViT-L/14 with trained normalisation layers and a linear head on its class token, scaled to unit length.

Andrii Yermakov, Jan Cech, Jiri Matas, Mario Fritz: Deepfake Detection that Generalizes Across Benchmarks, WACV 2026,
https://arxiv.org/abs/2508.06248. File: ``model.safetensors`` of https://huggingface.co/yermandy/GenD_CLIP_L_14; code:
https://github.com/yermandy/GenD.

It saw aligned faces with a scale of 1.3, resized to 224 px with bicubic interpolation, normalised with CLIP's mean and deviation.
Class 1 is fake.
"""

from collections.abc import Iterator
from itertools import count, takewhile
from pathlib import Path

import keras
import numpy as np
from keras import layers

from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.models.checkpoints.imported import Imported
from deepfake_cli.models.checkpoints.tensors import AGAIN, Tensors, read
from deepfake_cli.models.checkpoints.torch_layers import TorchLayers
from deepfake_cli.models.vit import Shape, class_token

VISION = "feature_extractor.vision_model."
UNNEEDED = ("feature_extractor.visual_projection.", f"{VISION}embeddings.position_ids")  # not in the path to the score
HEAD_WIDTH = 64  # of CLIP's attention, at every size
CARD = {
    "name": "GenD CLIP ViT-L/14",
    "authors": "Andrii Yermakov, Jan Cech, Jiri Matas, Mario Fritz",
    "paper": "Deepfake Detection that Generalizes Across Benchmarks, WACV 2026, https://arxiv.org/abs/2508.06248",
    "source": "https://github.com/yermandy/GenD",
    "licence": "MIT",
    "commercial": True,
    "trained_on": "FaceForensics++ c23: four kinds of fakes and their originals, in pairs",
}


def gend(path: Path) -> Imported:
    """Read ``model.safetensors`` of ``GenD_CLIP_L_14``.

    Raises:
        ModelError: it is another file.
    """
    tensors = read(path)
    kernel = tensors.take(f"{VISION}embeddings.patch_embedding.weight")  # (width, 3, rows, columns)
    positions = tensors.take(f"{VISION}embeddings.position_embedding.weight")  # (1 + patches, width)
    blocks = sum(1 for _ in takewhile(lambda n: f"{VISION}encoder.layers.{n}.mlp.fc1.weight" in tensors, count()))
    width, side = kernel.shape[0], round((len(positions) - 1) ** 0.5)
    if width % HEAD_WIDTH or side * side != len(positions) - 1:
        raise ModelError(f"{path}: not an image encoder of CLIP: width {width}, {len(positions)} tokens. {AGAIN}")
    shape = Shape(kernel.shape[-1], width, blocks, width // HEAD_WIDTH)
    inputs = keras.Input((side * shape.patch, side * shape.patch, 3))
    unit = layers.UnitNormalization(name="unit")(class_token(inputs, shape))
    head = TorchLayers(tensors).two_classes(layers.Dropout(0.2, name="dropout")(unit), "model.linear")
    model = keras.Model(inputs, head, name="vit_clip")
    for name, values in _weights(tensors, kernel, positions, shape):
        try:
            model.get_layer(name).set_weights(values)
        except ValueError as error:
            raise ModelError(
                f"{path}: the tensors of {name} do not fit: {' '.join(str(error).split())}. {AGAIN}"
            ) from None
    tensors.check_all_used(*UNNEEDED)
    traits = Traits(model=model.name, image_size=side * shape.patch, margin=1.3, resize="bicubic", card=CARD)
    return Imported(model, traits)


def _weights(
    tensors: Tensors, kernel: np.ndarray, positions: np.ndarray, shape: Shape
) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Yield the names of the model's layers and their weights, in Keras' order and shapes."""
    first = tensors.take(f"{VISION}embeddings.class_embedding") + positions[0]
    yield "tokens", [kernel.transpose(2, 3, 1, 0).reshape(-1, shape.width), np.vstack([first, positions[1:]])]
    yield "norm_in", _pair(tensors, f"{VISION}pre_layrnorm")
    for number in range(shape.blocks):
        ours, theirs = f"block_{number}", f"{VISION}encoder.layers.{number}."
        yield f"{ours}_norm_1", _pair(tensors, f"{theirs}layer_norm1")
        yield f"{ours}_attention", list(_attention(tensors, f"{theirs}self_attn.", shape))
        yield f"{ours}_norm_2", _pair(tensors, f"{theirs}layer_norm2")
        for dense in (1, 2):
            weight, bias = _pair(tensors, f"{theirs}mlp.fc{dense}")
            yield f"{ours}_dense_{dense}", [weight.T, bias]
    yield "norm_out", _pair(tensors, f"{VISION}post_layernorm")


def _attention(tensors: Tensors, name: str, shape: Shape) -> Iterator[np.ndarray]:
    """Kernels (width, heads, width of a head) and biases of query, key and value; then those of the output."""
    inside = (shape.heads, shape.width // shape.heads)
    for part in "qkv":
        weight, bias = _pair(tensors, f"{name}{part}_proj")
        yield weight.T.reshape(-1, *inside)
        yield bias.reshape(inside)
    weight, bias = _pair(tensors, f"{name}out_proj")
    yield weight.T.reshape(*inside, -1)
    yield bias


def _pair(tensors: Tensors, name: str) -> list[np.ndarray]:
    return [tensors.take(f"{name}.weight"), tensors.take(f"{name}.bias")]
