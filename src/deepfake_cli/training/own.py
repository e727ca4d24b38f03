"""A model, an optimizer and callbacks of the user's own, given to `deepfake_cli.train` as Keras objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deepfake_cli.config import Train
from deepfake_cli.errors import ConfigError


@dataclass(frozen=True)
class Own:
    """Keras objects that replace or follow those of the settings.

    Attributes:
        model: a `keras.Model` from RGB in 0..255, (batch, size, size, 3), to the probability of fake, (batch, 1); None for the
            one of the settings.
        optimizer: a `keras.optimizers.Optimizer`; None for the one of the settings.
        callbacks: `keras.callbacks.Callback` objects, called after those of the run.
    """

    model: Any = None
    optimizer: Any = None
    callbacks: Sequence[Any] = ()

    def applied(self, settings: Train) -> Train:
        """Return the settings with the learning rate of the optimizer, after a check that they leave room for these objects.

        Raises:
            ConfigError: they do not.
        """
        if self.model is not None and not hasattr(self.model, "count_params"):
            raise ConfigError(f"model: expected a name or a Keras model. Received: {self.model!r}.")
        if self.optimizer is not None and not hasattr(self.optimizer, "get_config"):
            raise ConfigError(f"optimizer: expected a Keras optimizer. Received: {self.optimizer!r}.")
        if not isinstance(self.callbacks, list | tuple):
            raise ConfigError(f"callbacks: expected a list. Received: {type(self.callbacks).__name__}.")
        if self.model is not None and (settings.resume or settings.snapshot or settings.weights):
            raise ConfigError(
                "model: a Keras model cannot be combined with resume, snapshot or weights; leave them out."
            )
        if self.optimizer is not None and (settings.resume or settings.snapshot):
            raise ConfigError("optimizer: it cannot be combined with resume or snapshot, which bring theirs.")
        if self.optimizer is not None and settings.unfreeze_epoch:
            raise ConfigError("optimizer: it cannot be combined with unfreeze_epoch, which starts a new optimizer.")
        if settings.cluster and (self.model is not None or self.optimizer is not None or self.callbacks):
            raise ConfigError("cluster: Keras objects cannot be sent to a cluster; give a model as module:function.")
        return settings if self.optimizer is None else settings.model_copy(update={"lr": self._rate()})

    def _rate(self) -> float:
        rate = self.optimizer.get_config()["learning_rate"]
        if not isinstance(rate, float | int):
            raise ConfigError(
                "optimizer: expected a constant learning rate; choose a schedule with schedule and warmup."
            )
        return float(rate)
