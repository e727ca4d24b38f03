"""CLIP's image encoder under the names of transformers, timm, and OpenAI's own code, which open_clip shares.

Alec Radford et al.: Learning Transferable Visual Models From Natural Language Supervision, ICML 2021,
https://arxiv.org/abs/2103.00020. Names: https://github.com/huggingface/transformers/tree/main/src/transformers/models/clip,
https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/vision_transformer.py and
https://github.com/openai/CLIP/blob/main/clip/model.py.
"""

from collections.abc import Iterator, Mapping
from itertools import count, takewhile
from typing import Any, NamedTuple

import keras
import numpy as np

from deepfake_cli.errors import ModelError
from deepfake_cli.models.checkpoints.tensors import AGAIN, Tensors
from deepfake_cli.models.vit import PIXELS, Shape, class_token

HEAD_WIDTH = 64  # of CLIP's attention, base and large


class Names(NamedTuple):
    """Names of an encoder's tensors: whole ones, and those of layers without ``.weight`` and ``.bias``."""

    patches: str
    positions: str
    token: str
    norm_in: str
    block: str  # with a place for the number
    parts: tuple[str, str, str, str, str]  # of a block: norm, output of the attention, norm, dense, dense
    attention: tuple[str, ...]  # of query, key and value: of each, or of all together; {} is weight or bias
    norm_out: str


TRANSFORMERS = Names(
    "embeddings.patch_embedding.weight", "embeddings.position_embedding.weight", "embeddings.class_embedding", "pre_layrnorm",
    "encoder.layers.{}.", ("layer_norm1", "self_attn.out_proj", "layer_norm2", "mlp.fc1", "mlp.fc2"),
    ("self_attn.q_proj.{}", "self_attn.k_proj.{}", "self_attn.v_proj.{}"), "post_layernorm",
)  # fmt: skip
TIMM = Names(
    "patch_embed.proj.weight", "pos_embed", "cls_token", "norm_pre",
    "blocks.{}.", ("norm1", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2"), ("attn.qkv.{}",), "norm",
)  # fmt: skip
OPENAI = Names(
    "conv1.weight", "positional_embedding", "class_embedding", "ln_pre",
    "transformer.resblocks.{}.", ("ln_1", "attn.out_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"), ("attn.in_proj_{}",), "ln_post",
)  # fmt: skip


class Encoder:
    """An image encoder in a checkpoint.

    Args:
        tensors: of the checkpoint.
        names: of the encoder's tensors.
        prefix: before all of them.

    Attributes:
        shape: its size.
        side: of the images, in pixels.

    Raises:
        ModelError: it is no image encoder of CLIP, base or large.
    """

    def __init__(self, tensors: Tensors, names: Names, prefix: str):
        self.tensors, self.names, self.prefix = tensors, names, prefix
        kernel = self._take(names.patches)  # (width, 3, rows, columns)
        blocks = takewhile(lambda n: f"{prefix}{names.block.format(n)}{names.parts[3]}.weight" in tensors, count())
        width, tokens = kernel.shape[0], self._take(names.positions).size // kernel.shape[0]
        side = round((tokens - 1) ** 0.5) if tokens else 0
        if width % HEAD_WIDTH or not side or side * side != tokens - 1 or kernel.ndim != 4:
            raise ModelError(
                f"{tensors.path}: not an image encoder of CLIP: patches {kernel.shape}, {tokens} tokens. {AGAIN}"
            )
        self.shape = Shape(kernel.shape[-1], width, sum(1 for _ in blocks), width // HEAD_WIDTH)
        self.side = side * self.shape.patch

    def features(self, inputs: Any, pixels: Mapping[str, Any] = PIXELS, quick: bool = True) -> Any:
        """The class token after the last normalisation, see `deepfake_cli.models.vit.class_token`.

        Raises:
            ModelError: a tensor is missing or does not fit.
        """
        token = class_token(inputs, self.shape, pixels=pixels, quick=quick)
        model = keras.Model(inputs, token)
        for name, values in self._weights():
            try:
                model.get_layer(name).set_weights(values)
            except ValueError as error:
                raise ModelError(
                    f"{self.tensors.path}: the tensors of {name} do not fit: {' '.join(str(error).split())}. {AGAIN}"
                ) from None
        return token

    def _weights(self) -> Iterator[tuple[str, list[np.ndarray]]]:
        """Yield the names of the model's layers and their weights, in Keras' order and shapes."""
        kernel, width = self._take(self.names.patches), self.shape.width
        positions = self._take(self.names.positions).reshape(-1, width)
        first = self._take(self.names.token).reshape(-1)
        if first.shape != (width,):
            raise ModelError(
                f"{self.tensors.path}: {self.names.token} has {first.size} values; expected {width}. {AGAIN}"
            )
        tokens = [kernel.transpose(2, 3, 1, 0).reshape(-1, width), np.vstack([first + positions[0], positions[1:]])]
        yield "tokens", tokens
        yield "norm_in", self._pair(self.names.norm_in)
        for number in range(self.shape.blocks):
            ours, theirs = f"block_{number}", self.names.block.format(number)
            norm_1, out, norm_2, *dense = (f"{theirs}{part}" for part in self.names.parts)
            yield f"{ours}_norm_1", self._pair(norm_1)
            yield f"{ours}_attention", list(self._attention(theirs, out))
            yield f"{ours}_norm_2", self._pair(norm_2)
            for place, each in enumerate(dense, 1):
                weight, bias = self._pair(each)
                yield f"{ours}_dense_{place}", [weight.T, bias]
        yield "norm_out", self._pair(self.names.norm_out)

    def _attention(self, block: str, out: str) -> Iterator[np.ndarray]:
        """Kernels (width, heads, width of a head) and biases of query, key and value; then those of the output."""
        width, inside = self.shape.width, (self.shape.heads, HEAD_WIDTH)
        weight, bias = (
            np.concatenate([self._take(f"{block}{name.format(role)}") for name in self.names.attention])
            for role in ("weight", "bias")
        )
        if weight.shape != (3 * width, width) or bias.shape != (3 * width,):
            raise ModelError(
                f"{self.tensors.path}: the attention of {block[:-1]} has other shapes than CLIP's. {AGAIN}"
            )
        for each, offset in zip(np.split(weight, 3), np.split(bias, 3), strict=True):
            yield each.T.reshape(-1, *inside)
            yield offset.reshape(inside)
        weight, bias = self._pair(out)
        yield weight.T.reshape(*inside, -1) if weight.shape[1:] == (width,) else weight
        yield bias

    def _take(self, name: str) -> np.ndarray:
        return self.tensors.take(f"{self.prefix}{name}")

    def _pair(self, name: str) -> list[np.ndarray]:
        return [self._take(f"{name}.weight"), self._take(f"{name}.bias")]
