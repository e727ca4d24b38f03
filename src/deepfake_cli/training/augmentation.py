"""Augmentation of batches on the device: turn reals into pseudo-fakes, then degrade both classes."""

from typing import Any

import keras
import pandas as pd
from keras import ops

from deepfake_cli.config import Train
from deepfake_cli.data.crops import USUAL
from deepfake_cli.forgery import DEGRADATIONS, FORGERIES, Degradation, Forgery, build
from deepfake_cli.forgery.degradations import Flip, Light
from deepfake_cli.forgery.mix import forge_all, forge_pairs, forge_reals

JITTER = 2.0  # strength of brightness and contrast under --random-transform, in every image
FORGED = " (forged)"  # appended to a video's name
MIXED, ALONE = 1 / 3, 1 / 2  # default share of forged reals: with fakes in the list, without


class Augmentation:
    """Forges and degrades batches. The result depends only on the batch, the seed and the batch's place in the run.

    Args:
        forgeries: make pseudo-fakes of reals; empty for none.
        degradations: applied to both classes, one after the other.
        share: of the reals that is forged, in 0..1.
        pairs: batches are all real; turn the first half of each into pairs of a real and its pseudo-fake.
        seed: of the run.
    """

    def __init__(
        self, forgeries: list[Forgery], degradations: list[Degradation], *, share: float, pairs: bool, seed: int
    ):
        self.forgeries, self.degradations = forgeries, degradations
        self.share, self.pairs, self.seed = share, pairs, seed

    @classmethod
    def from_settings(cls, settings: Train) -> "Augmentation":
        """The augmentation that the settings ask for.

        Raises:
            DeepfakeError: a forgery or degradation is unknown.
        """
        forgeries = []
        if settings.forgery:
            strength, margin = settings.forgery_strength, settings.margin or USUAL
            forgeries = build(settings.forgery, FORGERIES, "forgery", strength=strength, margin=margin)
        strength, degradations = settings.degradation_strength, []
        if settings.degradation:
            degradations = build(settings.degradation, DEGRADATIONS, "degradation", strength=strength)
        if settings.random_transform:
            degradations += [Flip(strength), Light(JITTER * strength, share=1.0)]
        return cls(
            forgeries,
            degradations,
            share=forged_share(settings.forgery, settings.forgery_share, settings.real_only),
            pairs=settings.real_only and settings.forgery_share is None,  # then only the forgery separates the classes
            seed=settings.seed,
        )

    def __call__(self, images: Any, labels: Any, places: Any) -> tuple[Any, Any]:
        """Augment a training batch.

        Args:
            images: RGB (batch, size, size, 3) in 0..255.
            labels: (batch, 1), fake = 1.
            places: index of each image in the run, integers (batch, 1).

        Returns:
            Images and labels, float32; a forged real is labelled fake.
        """
        seed = self._seed(places)
        if self.pairs:
            images, labels = forge_pairs(images, self.forgeries, seed)
        elif self.forgeries:
            images, labels, _ = forge_reals(images, labels, self.forgeries, seed, share=self.share)
        for layer in self.degradations:
            images = layer.change(ops.cast(images, "float32"), seed)
        return images, labels

    def forged(self, images: Any, labels: Any, places: Any) -> Any:
        """Forge the images labelled fake, without degradation: for a validation list that `with_forged` made."""
        picked = ops.cast(labels, "float32")[:, :, None, None]
        fakes, _ = forge_all(images, self.forgeries, self._seed(places))
        return picked * fakes + (1.0 - picked) * ops.cast(images, "float32")

    def _seed(self, places: Any) -> Any:
        return ops.stack([ops.cast(self.seed, "int64"), ops.cast(places[0, 0], "int64")])


def with_forged(validation: pd.DataFrame) -> pd.DataFrame:
    """Append a copy of a list of reals, labelled fake; `Augmentation.forged` forges its images."""
    copies = validation.assign(label=1, video=validation["video"].astype(str) + FORGED)
    return pd.concat([validation, copies], ignore_index=True)


def forged_share(forgery: str | None, share: float | None, real_only: bool) -> float:
    """Share of the reals that is forged, in 0..1.

    Args:
        forgery: ``--forgery``; None for no forgery.
        share: ``--forgery-share``; None for the share that leaves as many reals as fakes.
        real_only: ``--real-only``: the list has no fakes.
    """
    if not forgery:
        return 0.0
    if share is not None:
        return share
    return ALONE if real_only else MIXED


def drawn_reals(share: float) -> float:
    """Share of reals to draw, so that half of a batch is real after `share` of them was forged."""
    return 0.5 / max(0.5, 1.0 - share)


def augment_each_step(model: keras.Model, augmentation: Augmentation) -> None:
    """Make augmentation part of the training step, for batches of `deepfake_cli.training.input_pipeline.training_batches`."""
    step = model.train_step

    def augmented(batch: Any) -> Any:
        return step(augmentation(*batch))

    model.train_step = augmented
