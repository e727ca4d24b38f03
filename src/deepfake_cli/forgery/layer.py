"""Base classes of the layers: seeds, and activity in training only."""

from typing import Any
from zlib import crc32

import keras
from keras import ops

from deepfake_cli.forgery.chance import Chance
from deepfake_cli.forgery.region import Window, mask
from deepfake_cli.forgery.resample import images_of, planes


class Seeded(keras.layers.Layer):
    """A layer that changes images at random in training, and returns them unchanged otherwise.

    Args:
        strength: of the change; 0 for none.
        seed: of the layer's generator, used for calls without a seed.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        keras.saving.register_keras_serializable("deepfake_cli")(cls)  # or a saved model with it could not be loaded

    def __init__(self, strength: float = 1.0, *, seed: int | None = None, **options: Any):
        super().__init__(**{"dtype": "float32"} | options)  # half precision would round pixel values
        if strength < 0:
            raise ValueError(f"strength must be at least 0. Received: {strength}")
        self.strength, self.seed = strength, seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any, seed: Any = None, training: bool = False) -> Any:
        """Change a batch in training.

        Args:
            images: RGB (batch, size, size, 3) in 0..255.
            seed: an integer or two, see `chance.Chance`; None to use the layer's generator.
            training: whether to change the images.

        Returns:
            Images, float32 of the same shape and range.
        """
        if not training:
            return images
        return self.change(ops.cast(images, "float32"), self.generator.next() if seed is None else seed)

    def change(self, images: Any, seed: Any) -> Any:
        """Change the images; float32 in, float32 out."""
        raise NotImplementedError

    def chance(self, images: Any, seed: Any) -> Chance:
        """The random numbers of this layer for a batch."""
        return Chance(seed, ops.shape(images)[0], crc32(type(self).__name__.encode()))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the images."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for `from_config`."""
        return super().get_config() | {"strength": self.strength, "seed": self.seed}


class Forgery(Seeded):
    """A layer that turns real faces into pseudo-fakes. Subclasses define `fake`, the fake face.

    Args:
        strength: 0 for no change, 1 visible to a trained eye, 2 visible to anyone.
        margin: side of the crops in longer sides of the face's box, as in ``deepfake split``.
        options: those of `Seeded`, such as `seed`.
    """

    elastic = 0.07  # largest distortion of a mask's outline, in half heights of the face
    cuts = True  # whether some masks are cut off at a line

    def __init__(self, strength: float = 1.0, *, margin: float = 1.3, **options: Any):
        super().__init__(strength, **options)
        self.margin = margin

    def change(self, images: Any, seed: Any) -> Any:
        """Forge the images; return them without masks."""
        return self.forge(images, seed)[0]

    def forge(self, images: Any, seed: Any, eyes: Any = None) -> tuple[Any, Any]:
        """Forge every image of a batch.

        Args:
            images: RGB (batch, size, size, 3) in 0..255, any number type; crops of ``deepfake split``.
            seed: an integer or two, see `chance.Chance`; the same seed gives the same forgeries.
            eyes: positions of the eyes, see `region.centred`; None if unknown.

        Returns:
            The forged images, float32 of the same shape and range; and their blending masks, float32
            (batch, size, size, 1) in 0..1. Where a mask is 0, the image is unchanged.
        """
        images = ops.cast(images, "float32")
        if not self.strength:
            return images, ops.zeros_like(images[..., :1])
        chance, window = self.chance(images, seed), Window.of(images.shape[1], self.margin)
        real = planes(window.cut(images))
        alpha = mask(window, images.shape[1], chance, elastic=self.elastic, cuts=self.cuts, eyes=eyes)
        alpha = alpha * self.opacity(chance)[..., None]
        fake = ops.clip(self.fake(real, chance, window), 0.0, 255.0)
        start = (0, window.top, window.left, 0)
        forged = ops.slice_update(images, start, images_of(real + alpha * (fake - real)))
        return forged, ops.slice_update(ops.zeros_like(images[..., :1]), start, images_of(alpha))

    def fake(self, real: Any, chance: Chance, window: Window) -> Any:
        """Make the fake face, from RGB planes to planes of the same shape; values may leave 0..255."""
        raise NotImplementedError

    def opacity(self, chance: Chance) -> Any:
        """The opacity of the fake face where the mask is 1, (batch, 1, 1) in 0..1."""
        return ops.ones((1, 1, 1))

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for `from_config`."""
        return super().get_config() | {"margin": self.margin}


class Degradation(Seeded):
    """A layer that degrades images of both classes, like cameras, codecs and uploads. Subclasses define `degraded`.

    Args:
        strength: 0 for no change, 1 for a common one.
        share: of the images to change, in 0..1; each is changed by a random part of the strength.
        options: those of `Seeded`, such as `seed`.
    """

    def __init__(self, strength: float = 1.0, *, share: float = 0.5, **options: Any):
        super().__init__(strength, **options)
        self.share = share

    def change(self, images: Any, seed: Any) -> Any:
        """The degraded images, clipped to 0..255."""
        if not self.strength or not self.share:
            return images
        chance = self.chance(images, seed)
        severity = self.strength * ops.relu(1.0 - chance.uniform() / self.share)
        return ops.clip(images_of(self.degraded(planes(images), severity, chance)), 0.0, 255.0)

    def degraded(self, picture: Any, severity: Any, chance: Chance) -> Any:
        """Degrade RGB planes by `severity`, (batch, 1, 1) in 0..strength; at 0 an image must not change."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The arguments of the layer, for `from_config`."""
        return super().get_config() | {"share": self.share}
