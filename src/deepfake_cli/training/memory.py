"""The memory of a training step: the largest batch that fits, and the error where one does not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import keras
import numpy as np
import psutil
import tensorflow as tf

from deepfake_cli.config import Train
from deepfake_cli.distributed.devices import Gpu, Plan
from deepfake_cli.errors import ModelError
from deepfake_cli.models.keras_private import flatten_layers
from deepfake_cli.training.out_of_memory import is_out_of_memory
from deepfake_cli.training.scoring import image_size
from deepfake_cli.training.xla import without_xla

FIRST, MOST = 8, 256  # images of a replica on a GPU: tried first, and the most that --batch-size auto takes
MOST_ON_CPU = 16  # images of a replica that it takes on a CPU
GPU_SHARE, CPU_SHARE = 0.9, 0.5  # of the GPU's memory, and of the free memory of the machine, that a step may take
KEPT = 2  # times that a step holds each value between the layers, as an estimate: the value and its gradient
FOR_WEIGHTS = 4  # times that it holds each weight: itself, its gradient, Adam's two averages
# what --batch-size auto chose, on a GPU or not
WHY = {
    True: f"the largest power of two that fits, up to {MOST} on each GPU",
    False: f"at most {MOST_ON_CPU} on a CPU",
}


def largest(fits: Callable[[int], bool], first: int, most: int) -> int | None:
    """The largest power of two that fits: found by doubling `first`, or by halving it if it does not fit.

    Args:
        fits: whether a batch of so many images fits.
        first: a power of two, tried first.
        most: the largest that is tried.

    Returns:
        The number of images; None if not even one fits.
    """
    size = first
    while not fits(size):
        if size == 1:
            return None
        size //= 2
    while size >= first and 2 * size <= most and fits(2 * size):
        size *= 2
    return size


class Trial:
    """Whole training steps on images of noise, which leave the model, its optimizer and its seeds as they were.

    Args:
        model: compiled and built, as it trains; on several replicas each takes a batch of its own.
        plan: the devices.
        visible: the GPUs of this machine.
    """

    def __init__(self, model: keras.Model, plan: Plan, visible: list[Gpu]):
        self.model, self.device = model, "GPU:0" if plan.gpus else None
        sizes = [gpu.memory_mib * 2**20 for gpu in visible if gpu.index in plan.gpus and gpu.memory_mib]
        self.limit = GPU_SHARE * min(sizes) if sizes else None
        self.peaks: dict[int, int] = {}  # bytes, by number of images
        self.kept = [keras.ops.convert_to_numpy(variable) for variable in self._variables()]
        self._step = self._compiled()

    def fits(self, images: int) -> bool:
        """Whether a step on a batch of so many images, on each replica, fits in memory and leaves some of it free."""
        if self.limit and self._expected(images) > self.limit:
            return False
        if self.device:
            tf.config.experimental.reset_memory_stats(self.device)
        try:
            self._step(*noise(images, image_size(self.model)))
        except (tf.errors.OpError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return False
        finally:
            for variable, value in zip(self._variables(), self.kept, strict=True):
                variable.assign(value)
        if self.device:
            self.peaks[images] = tf.config.experimental.get_memory_info(self.device)["peak"]
        return not self.limit or self.peaks[images] <= self.limit

    def _expected(self, images: int) -> float:
        """The peak of a batch, in bytes: on the line through the two largest that were measured; 0 before that."""
        if len(self.peaks) < 2:
            return 0
        (less, low), (more, high) = sorted(self.peaks.items())[-2:]
        return high + (images - more) * (high - low) / (more - less)

    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self.model.optimizer.variables]

    def _compiled(self) -> Callable[..., Any]:
        """The step as a graph, traced once for all sizes, without XLA: that would compile each size for a minute.

        With XLA it takes less memory: what fits here fits there.
        """
        model, size = self.model, image_size(self.model)
        shapes = (((None, size, size, 3), tf.uint8), ((None, 1), tf.float32), ((None, 1), tf.int64))

        def step(*batch: tf.Tensor) -> Any:
            return model.distribute_strategy.run(model.train_step, (batch,))

        traced = tf.function(step, input_signature=[tf.TensorSpec(*each) for each in shapes], jit_compile=False)
        with without_xla(model):
            return traced.get_concrete_function()


def noise(images: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A batch as `input_pipeline.training_batches` makes it, of noise: half real, half fake."""
    places = np.arange(images, dtype=np.int64)[:, None]
    pixels = np.random.default_rng(0).integers(0, 256, (images, size, size, 3), np.uint8)
    return pixels, (places % 2).astype(np.float32), places


def chosen(model: keras.Model, plan: Plan, visible: list[Gpu]) -> int:
    """The batch size of ``--batch-size auto``, over all replicas.

    A power of two for each replica: on a GPU the largest up to `MOST` whose step was tried and takes no more than nine tenths of
    the memory; on a CPU the largest up to `MOST_ON_CPU` that `estimated` sees in half of the free memory and whose step was
    tried.

    Raises:
        ModelError: not even one image fits.
    """
    first, most = (FIRST, MOST) if plan.gpus else (_on_cpu(model, plan.replicas),) * 2
    found = largest(Trial(model, plan, visible).fits, first, most)
    if found is None:
        raise ModelError(
            f"{described(model)} does not fit in the memory of {_where(plan)}, not even with one image a step."
        )
    return found * plan.replicas


def _on_cpu(model: keras.Model, replicas: int) -> int:
    free, size = CPU_SHARE * psutil.virtual_memory().available, MOST_ON_CPU
    while size > 1 and replicas * estimated(model, size) > free:
        size //= 2
    return size


def estimated(model: keras.Model, images: int) -> int:
    """The memory of a training step in bytes, estimated from the shapes of weights and values between the layers."""
    values = 0
    for layer in flatten_layers(model):
        with suppress(AttributeError, ValueError):  # a layer without a shape, such as one of another model's code
            for output in keras.tree.flatten(layer.output):
                values += int(np.prod([length or 1 for length in output.shape[1:]]))
    return 4 * (FOR_WEIGHTS * model.count_params() + KEPT * images * values)


def explained(error: BaseException, model: keras.Model, settings: Train, plan: Plan, visible: list[Gpu]) -> ModelError:
    """The error to raise after running out of memory, with the largest batch that fits, found by trial."""
    found = None
    with suppress(tf.errors.OpError, MemoryError, RuntimeError):  # a device that cannot be used any more
        limit = max(1, settings.batch // plan.replicas)
        found = largest(Trial(model, plan, visible).fits, 1 << (limit.bit_length() - 1), 0)
    asked = f"{described(model)} does not fit in the memory of {_where(plan)} with --batch-size {settings.batch}."
    if found is None:
        return ModelError(f"{asked} Start a new run with a lower --batch-size or --image-size.")
    if found * plan.replicas >= settings.batch:
        return ModelError(
            f"Out of memory on {_where(plan)}, though {described(model)} alone fits with --batch-size {settings.batch}: "
            f"stop other programs that use the memory{', or leave out --cache' * settings.cache}."
        )
    return ModelError(
        f"{asked} The largest that fits is {found * plan.replicas}: start a new run with it, or with auto."
    )


@contextmanager
def explained_scoring(model: keras.Model, batch: int) -> Iterator[None]:
    """Raise a `ModelError` with the largest batch that fits, where memory was not enough to score batches of this size."""
    try:
        yield
    except (tf.errors.OpError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        found, size = None, image_size(model)
        with suppress(tf.errors.OpError, MemoryError, RuntimeError):
            found = largest(lambda images: _scores(model, images, size), 1 << (batch.bit_length() - 1), 0)
        advice = (
            f"The largest that fits is --batch-size {found}" if found else "Choose a lower --batch-size, or --gpu cpu"
        )
        raise ModelError(f"{described(model)} runs out of memory with --batch-size {batch}. {advice}.") from None


def _scores(model: keras.Model, images: int, size: int) -> bool:
    try:
        model.predict_on_batch(noise(images, size)[0])
    except (tf.errors.OpError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return False
    return True


def described(model: Any) -> str:
    """A model and its input size, for messages."""
    return f"{model.name} at {image_size(model)} px"


def _where(plan: Plan) -> str:
    if not plan.gpus:
        return "this machine"
    return f"GPU {plan.gpus[0]}" if len(plan.gpus) == 1 else f"GPUs {', '.join(map(str, plan.gpus))}"
