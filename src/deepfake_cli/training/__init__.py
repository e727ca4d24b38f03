"""Train a detector: input pipeline, augmentation, callbacks, schedule, checkpoints, TensorBoard."""
