"""Choose the numeric precision by the device, with the reason."""

from dataclasses import dataclass

from deepfake_cli.distributed.devices import Plan

BFLOAT16_FROM, FLOAT16_FROM = (8, 0), (7, 0)  # compute capability with tensor cores for them: Ampere, Volta


@dataclass(frozen=True)
class Precision:
    """How a model is computed.

    Attributes:
        policy: Keras' dtype policy; weights are float32 under each.
        reason: why, for the user.
    """

    policy: str
    reason: str


def choose(precision: str, plan: Plan, capability: tuple[int, int] | None) -> Precision:
    """Choose the precision from the option and the device.

    On CPUs, float32 is fastest, even with AVX512-BF16 (``benchmarks/precision.py``). GPUs with bfloat16 tensor cores use
    bfloat16, which needs no loss scaling; older ones float16.

    Args:
        precision: ``--precision``: a dtype policy, or ``"auto"``.
        plan: the devices.
        capability: compute capability of the first GPU; None without a GPU, or if unknown.
    """
    policy, why = _fastest(plan, capability) if precision == "auto" else (precision, "as asked")
    return Precision(policy, f"{policy} ({why})")


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
