"""Stop a training that diverged, before anything is saved."""

import keras
import numpy as np

from deepfake_cli.errors import ModelError
from deepfake_cli.runs.files import BEST
from deepfake_cli.runs.run import Run
from deepfake_cli.storage.urls import url
from deepfake_cli.training import checkpoint
from deepfake_cli.training.loop import Logs, Loop


class TerminateOnNaN(keras.callbacks.Callback):
    """Stop with an error at a loss or weight that is NaN or infinite, before anything is saved.

    Reading a loss waits until the device has computed it. So a loss is read one step later, while the device computes the next.
    """

    def __init__(self, run: Run, loop: Loop):
        super().__init__()
        self.run, self.loop = run, loop

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Check the loss of the step before; in the first step that of this one."""
        check_loss(self.run, self.loop)
        self.loop.unread = self.loop.step, (logs or {})["loss"]
        if batch == 0:
            check_loss(self.run, self.loop)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Check the last loss, and the weights."""
        check_loss(self.run, self.loop)
        check_weights(self.model, self.run, self.loop)


def check_loss(run: Run, loop: Loop) -> None:
    """Read the last loss that was not read yet, and check that it is a finite number.

    Raises:
        ModelError: it is not.
    """
    if not loop.unread:
        return
    (step, loss), loop.unread = loop.unread, None
    loop.loss = float(loss)
    if not np.isfinite(loop.loss):
        raise diverged(f"The loss is {loop.loss}", loop.epoch, step, run)


def check_weights(model: keras.Model, run: Run, loop: Loop) -> None:
    """Check that all weights are finite numbers.

    Raises:
        ModelError: one is not.
    """
    if not checkpoint.is_finite(model):
        raise diverged("A weight is NaN or infinite", loop.epoch, loop.step, run)


def diverged(what: str, epoch: int, step: int, run: Run) -> ModelError:
    """The error of a run whose loss or weights are NaN or infinite: what was saved, and a lower rate to try."""
    lower = f"--lr {run.settings.lr / 10:g}"
    good = next((name for name in reversed(run.recipe["snapshots"]) if name != BEST), None)
    again = f"deepfake train --snapshot {url(run.location.path / good)} {lower}" if good else f"deepfake train {lower}"
    return ModelError(
        f"Training diverged in epoch {epoch} at step {step}. {what}. {run.saved_note()}. "
        f"Try a lower learning rate, with the other options of this run: {again}"
    )
