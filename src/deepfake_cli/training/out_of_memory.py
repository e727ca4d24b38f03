"""Recognise out-of-memory errors."""

import tensorflow as tf

WORDS = ("out of memory", "OUT_OF_MEMORY", "ALLOC_FAILED", "RESOURCE_EXHAUSTED")  # of CUDA, cuDNN and XLA
NO_DISK = "left on device"  # TensorFlow's error of a full disk has the same class


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory, of the machine or of a GPU, was not enough."""
    if isinstance(error, MemoryError):
        return True
    if not isinstance(error, tf.errors.OpError) or NO_DISK in str(error):
        return False
    return isinstance(error, tf.errors.ResourceExhaustedError) or any(word in str(error) for word in WORDS)
