"""In which numbers a model is computed, and whether XLA compiles it: by the device, with the reason."""

from dataclasses import dataclass

from deepfake_cli.config import Train
from deepfake_cli.distributed.devices import Plan

BFLOAT16_FROM, FLOAT16_FROM = (8, 0), (7, 0)  # compute capability: Ampere's and Volta's tensor cores


@dataclass(frozen=True)
class Precision:
    """How a model is computed.

    Attributes:
        policy: Keras' dtype policy; weights are float32 under each.
        xla: whether XLA compiles the step.
        reason: why, for the user to read.
    """

    policy: str
    xla: bool
    reason: str


def choose(settings: Train, plan: Plan, capability: tuple[int, int] | None) -> Precision:
    """Decide on precision and XLA, from the options and the device alone.

    On CPUs both lose, AVX512-BF16 or not (``benchmarks/precision.py``). Cards with tensor cores for bfloat16 take that, since it
    needs no scaling of the loss; older ones float16. XLA is on where it is asked for only.

    Args:
        settings: see `deepfake_cli.config.Train`.
        plan: the devices.
        capability: the first GPU's compute capability; None without GPU, or if unknown.
    """
    policy, why = _fastest(plan, capability) if settings.precision == "auto" else (settings.precision, "as asked")
    xla = settings.xla == "on"
    return Precision(policy, xla, f"{policy} ({why}){', XLA' * xla}")


def capability() -> tuple[int, int] | None:
    """The compute capability of the first GPU that TensorFlow may use."""
    import tensorflow as tf

    devices = tf.config.get_visible_devices("GPU")
    return tf.config.experimental.get_device_details(devices[0]).get("compute_capability") if devices else None


def _fastest(plan: Plan, capability: tuple[int, int] | None) -> tuple[str, str]:
    if not plan.gpus:
        return "float32", "the fastest on CPUs"
    if capability is None or capability < FLOAT16_FROM:
        return "float32", "this GPU has no tensor cores that are known"
    card = f"compute capability {capability[0]}.{capability[1]}"
    return ("mixed_bfloat16" if capability >= BFLOAT16_FROM else "mixed_float16"), card
