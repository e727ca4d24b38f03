"""Choose the numeric precision and XLA by the device, with the reason."""

from dataclasses import dataclass

from deepfake_cli.distributed.devices import Plan

BFLOAT16_FROM, FLOAT16_FROM = (8, 0), (7, 0)  # compute capability with tensor cores for them: Ampere, Volta


@dataclass(frozen=True)
class Precision:
    """How a model is computed.

    Attributes:
        policy: Keras' dtype policy; weights are float32 under each.
        xla: whether XLA compiles the training step.
        reason: why, for the user.
    """

    policy: str
    xla: bool
    reason: str


def choose(precision: str, xla: str, plan: Plan, capability: tuple[int, int] | None, *, own: bool = False) -> Precision:
    """Choose precision and XLA from the options and the device.

    On CPUs, float32 is fastest, even with AVX512-BF16 (``benchmarks/precision.py``). GPUs with bfloat16 tensor cores use
    bfloat16, which needs no loss scaling; older ones float16. One GPU trains several times as fast with XLA
    (``benchmarks/gpu/choices.py``); on a CPU XLA is slower, and several replicas cannot sum their gradients in it.

    Args:
        precision: ``--precision``: a dtype policy, or ``"auto"``.
        xla: ``--xla``: ``"auto"``, ``"on"`` or ``"off"``.
        plan: the devices.
        capability: compute capability of the first GPU; None without a GPU, or if unknown.
        own: whether a part of the step is the user's own code, which XLA may not be able to compile.
    """
    policy, why = _fastest(plan, capability) if precision == "auto" else (precision, "as asked")
    compiled = xla == "on" or (xla == "auto" and plan.kind == "gpu" and not own)
    return Precision(policy, compiled, f"{policy} ({why}){', XLA' * compiled}")


def capability() -> tuple[int, int] | None:
    """The compute capability of the first GPU that TensorFlow may use; None without one."""
    import tensorflow as tf

    devices = tf.config.get_visible_devices("GPU")
    return tf.config.experimental.get_device_details(devices[0]).get("compute_capability") if devices else None


def _fastest(plan: Plan, capability: tuple[int, int] | None) -> tuple[str, str]:
    if not plan.gpus:
        return "float32", "the fastest on CPUs"
    if capability is None or capability < FLOAT16_FROM:
        return "float32", "this GPU has no known tensor cores"
    card = f"compute capability {capability[0]}.{capability[1]}"
    return ("mixed_bfloat16" if capability >= BFLOAT16_FROM else "mixed_float16"), card
