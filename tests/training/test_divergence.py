"""A training that diverges, without a training."""

import pytest

from deepfake_cli.errors import ModelError
from deepfake_cli.training import divergence
from deepfake_cli.training.divergence import TerminateOnNaN
from deepfake_cli.training.loop import Loop


class Loss:
    """A loss on a device, which notes when it is waited for."""

    def __init__(self, value: float, read: list[float]):
        self.value, self.read = value, read

    def __float__(self) -> float:
        self.read.append(self.value)
        return self.value


@pytest.fixture
def steps(monkeypatch):
    """Take steps with these losses: the losses that were read by the end of each, and the loop."""
    monkeypatch.setattr(divergence, "diverged", lambda what, epoch, step, run: ModelError(f"{what} at {step}"))
    loop, read = Loop(epoch=1), []
    callback = TerminateOnNaN(None, loop)

    def take(losses):
        for batch, value in enumerate(losses):
            loop.step = batch + 1
            callback.on_train_batch_end(batch, {"loss": Loss(value, read)})
            yield list(read), loop

    return take


def test_no_step_waits_for_its_own_loss_but_the_first(steps):
    seen = [(len(read), loop.loss) for read, loop in steps([4.0, 3.0, 2.0, 1.0])]
    assert seen == [(1, 4.0), (1, 4.0), (2, 3.0), (3, 2.0)]


def test_a_loss_that_is_no_number_stops_one_step_later_and_names_its_step(steps):
    taken = steps([1.0, float("nan"), 1.0, 1.0])
    next(taken), next(taken)
    with pytest.raises(ModelError, match="nan at 2"):
        next(taken)


def test_nothing_is_saved_before_the_last_loss_is_checked(steps):
    (*_, (_, loop)) = steps([1.0, float("inf")])
    with pytest.raises(ModelError, match="inf at 2"):
        divergence.check_loss(None, loop)
    divergence.check_loss(None, loop)  # checked once
