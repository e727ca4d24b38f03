"""What is done to images on the device, right before the model sees them: reals are forged, then both classes degraded."""

from typing import Any

import keras
import pandas as pd
from keras import ops

from deepfake_cli.config import Train
from deepfake_cli.forgery import DEGRADATIONS, FORGERIES, Degradation, Forgery, build
from deepfake_cli.forgery.degradations import Flip, Light
from deepfake_cli.forgery.mix import forge_pairs, forge_reals, in_turn

JITTER = 2.0  # strength of the light that --random-transform changes in every image
FORGED = " (forged)"  # after a video's name
MIXED, ALONE = 1 / 3, 1 / 2  # share of the reals that is forged beside a list's fakes, and without them


class Change:
    """Forges and degrades batches; what happens to one depends on the seed and its place in the run alone.

    Args:
        forgeries: make fakes of reals; none of them, if empty.
        degradations: done to both classes, one after the other.
        share: of the reals that is forged, in 0..1.
        pairs: the batches are all real: make each of half a batch's images a pair of it and its forgery.
        seed: of the run.
    """

    def __init__(
        self, forgeries: list[Forgery], degradations: list[Degradation], *, share: float, pairs: bool, seed: int
    ):
        self.forgeries, self.degradations = forgeries, degradations
        self.share, self.pairs, self.seed = share, pairs, seed

    @classmethod
    def of(cls, settings: Train) -> "Change":
        """The change that settings ask for.

        Raises:
            DeepfakeError: there is no forgery or degradation of a name.
        """
        forgeries = []
        if settings.forgery:
            strength, margin = settings.forgery_strength, settings.margin
            forgeries = build(settings.forgery, FORGERIES, "forgery", strength=strength, margin=margin)
        strength, degradations = settings.degradation_strength, []
        if settings.degradation:
            degradations = build(settings.degradation, DEGRADATIONS, "degradation", strength=strength)
        if settings.random_transform:
            degradations += [Flip(strength), Light(JITTER * strength, share=1.0)]
        return cls(
            forgeries,
            degradations,
            share=share(settings),
            pairs=pairs(settings),
            seed=settings.seed,
        )

    def __call__(self, images: Any, labels: Any, places: Any) -> tuple[Any, Any]:
        """Change a training batch.

        Args:
            images: RGB (batch, size, size, 3) in 0..255.
            labels: (batch, 1), fake = 1.
            places: of the images in the run, integers (batch, 1).

        Returns:
            Images and labels, float32; a forged real is a fake.
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
        """Forge the images that are labelled fake, and degrade none: a list to validate on, without fakes of its own."""
        picked = ops.cast(labels, "float32")[:, :, None, None]
        fakes, _ = in_turn(images, self.forgeries, self._seed(places))
        return picked * fakes + (1.0 - picked) * ops.cast(images, "float32")

    def _seed(self, places: Any) -> Any:
        return ops.stack([ops.cast(self.seed, "int64"), ops.cast(places[0, 0], "int64")])


def with_forged(validation: pd.DataFrame) -> pd.DataFrame:
    """A list of reals, and each of them once more to be forged: `Change.forged` does it."""
    copies = validation.assign(label=1, video=validation["video"].astype(str) + FORGED)
    return pd.concat([validation, copies], ignore_index=True)


def pairs(settings: Train) -> bool:
    """Whether each real comes with its forgery in the same batch, so that nothing else tells the classes apart."""
    return settings.real_only and settings.forgery_share is None


def share(settings: Train) -> float:
    """Share of the reals that is forged: as asked, or such that reals and fakes come out equally often."""
    if not settings.forgery:
        return 0.0
    if settings.forgery_share is not None:
        return settings.forgery_share
    return ALONE if settings.real_only else MIXED


def reals_drawn(settings: Train) -> float:
    """Share of reals among the images to draw, so that half of a batch is real after forging."""
    return 0.5 / max(0.5, 1.0 - share(settings))


def before_each_step(model: keras.Model, change: Change) -> None:
    """Let `model` train on batches of `deepfake_cli.training.input_pipeline.training_batches`, changed as part of the step."""
    step = model.train_step

    def changed(batch: Any) -> Any:
        return step(change(*batch))

    model.train_step = changed
