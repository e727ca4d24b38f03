"""What the layers share: seeds, and being active in training only."""

from typing import Any
from zlib import crc32

import keras
from keras import ops

from deepfake_cli.forgery.chance import Chance
from deepfake_cli.forgery.region import Window, mask
from deepfake_cli.forgery.resample import images_of, planes


class Seeded(keras.layers.Layer):
    """A layer that changes images at random in training and passes them on otherwise.

    Args:
        strength: how much, 0 for nothing.
        seed: of the layer's own generator, which is asked where a call brings no seed.
    """

    def __init__(self, strength: float = 1.0, *, seed: int | None = None, **options: Any):
        super().__init__(**{"dtype": "float32"} | options)  # pixel values would lose their last bits in half precision
        if strength < 0:
            raise ValueError(f"strength is at least 0. Received: {strength}")
        self.strength = strength
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any, seed: Any = None, training: bool = False) -> Any:
        """Change a batch in training.

        Args:
            images: RGB (batch, size, size, 3) in 0..255.
            seed: an integer or two, see `chance.Chance`; from the layer's own generator, if None.
            training: whether to.

        Returns:
            float32 of the same shape and range.
        """
        if not training:
            return images
        return self.change(ops.cast(images, "float32"), self.generator.next() if seed is None else seed)

    def change(self, images: Any, seed: Any) -> Any:
        """The change itself; float32 in, float32 out."""
        raise NotImplementedError

    def chance(self, images: Any, seed: Any) -> Chance:
        """This layer's random numbers for a batch."""
        return Chance(seed, ops.shape(images)[0], crc32(type(self).__name__.encode()))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The images' own."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """What the layer can be built from again."""
        return super().get_config() | {"strength": self.strength}


class Forgery(Seeded):
    """A layer that makes pseudo-fakes of real faces: subclasses say what the fake face looks like, and where.

    Args:
        strength: 0 forges nothing, 1 is plain to a trained eye, 2 to any.
        margin: side of the crops, in longer sides of the face's box, as given to ``deepfake split``.
        seed: as in `Seeded`.
    """

    elastic = 0.07  # most that a mask's outline is bent, in half heights of the face
    cuts = True  # whether masks are cut off by a line

    def __init__(self, strength: float = 1.0, *, margin: float = 1.3, **options: Any):
        super().__init__(strength, **options)
        self.margin = margin

    def change(self, images: Any, seed: Any) -> Any:
        """The forged images alone."""
        return self.forge(images, seed)[0]

    def forge(self, images: Any, seed: Any, eyes: Any = None) -> tuple[Any, Any]:
        """Forge every image of a batch.

        Args:
            images: RGB (batch, size, size, 3) in 0..255, any number type; crops as of ``deepfake split``.
            seed: an integer or two, see `chance.Chance`: the same seed, the same forgeries.
            eyes: where the eyes are, if known, see `region.centred`.

        Returns:
            The forged images, float32 of the same shape and range, and the masks that they were blended with, float32
            (batch, size, size, 1) in 0..1: where a mask is 0, the image is as it was.
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
        """Make the fake face: planes of RGB to planes of the same shape; values may leave 0..255."""
        raise NotImplementedError

    def opacity(self, chance: Chance) -> Any:
        """How much of the fake shows where the mask is full, (batch, 1, 1) in 0..1."""
        return ops.ones((1, 1, 1))

    def get_config(self) -> dict[str, Any]:
        """What the layer can be built from again."""
        return super().get_config() | {"margin": self.margin}


class Degradation(Seeded):
    """A layer that makes images worse, as cameras, codecs and uploads do: reals and fakes alike, after the forgery.

    Args:
        strength: 0 changes nothing, 1 as much as is common.
        share: of the images that are changed at all, in 0..1; each of them by a random part of the strength.
        seed: as in `Seeded`.
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
        """Degrade planes of RGB by `severity`, (batch, 1, 1) in 0..strength; 0 must leave an image as it is."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """What the layer can be built from again."""
        return super().get_config() | {"share": self.share}
