"""Choose the images of a batch to forge, and the forgery of each."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from deepfake_cli.forgery.chance import Chance
from deepfake_cli.forgery.layer import Forgery

SALT = 1


def forge_reals(
    images: Any, labels: Any, forgeries: Sequence[Forgery], seed: Any, *, share: float = 0.5
) -> tuple[Any, Any, Any]:
    """Forge some reals of a batch and label them fake.

    Args:
        images: RGB (batch, size, size, 3) in 0..255.
        labels: (batch, 1), fake = 1; fakes are unchanged.
        forgeries: layers; each forges an equal part of the batch.
        seed: an integer or two, see `chance.Chance`.
        share: of the reals to forge, in 0..1.

    Returns:
        Images, float32; labels, float32 (batch, 1); and masks (batch, size, size, 1), all 0 for images that were not
        forged.
    """
    chosen = Chance(seed, ops.shape(images)[0], SALT).uniform(shape=(1,)) < share
    chosen = ops.cast(ops.logical_and(chosen, labels < 0.5), "float32")
    forged, masks = forge_all(images, forgeries, seed)
    picked = chosen[:, :, None, None]
    images = picked * forged + (1.0 - picked) * ops.cast(images, "float32")
    return images, ops.maximum(ops.cast(labels, "float32"), chosen), masks * picked


def forge_pairs(reals: Any, forgeries: Sequence[Forgery], seed: Any) -> tuple[Any, Any]:
    """Make a batch of pairs, a real and its pseudo-fake, as in Shiohara and Yamasaki (CVPR 2022).

    Args:
        reals: RGB (batch, size, size, 3) in 0..255; the first half is used.
        forgeries: layers; each forges an equal part.
        seed: an integer or two, see `chance.Chance`.

    Returns:
        Images, float32 (batch, size, size, 3): the first half of the reals (the larger half, if the batch is odd), then
        its pseudo-fakes; and labels, float32 (batch, 1).
    """
    batch = ops.shape(reals)[0]
    half = batch // 2
    kept = ops.cast(reals[: batch - half], "float32")
    forged, _ = forge_all(kept[:half], forgeries, seed)
    labels = ops.concatenate([ops.zeros((batch - half, 1)), ops.ones((half, 1))])
    return ops.concatenate([kept, forged]), labels


def forge_all(images: Any, forgeries: Sequence[Forgery], seed: Any) -> tuple[Any, Any]:
    """Forge all images, with each forgery an equal part of the batch; returns images and masks as `Forgery.forge` does."""
    batch, count = ops.shape(images)[0], len(forgeries)
    ends = [batch * number // count for number in range(count + 1)]
    parts = [layer.forge(images[ends[n] : ends[n + 1]], seed) for n, layer in enumerate(forgeries)]
    forged, masks = zip(*parts, strict=True)
    return ops.concatenate(forged), ops.concatenate(masks)
