"""A list of frames to batches: decoded, scaled, drawn in a seeded order and varied, by tf.data."""

from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

BRIGHTNESS = 0.1 * 255  # most that is added or taken, in pixel values
CONTRAST = (0.85, 1.15)
CHUNK = 100_000  # strings handed over at once


def training_batches(
    table: pd.DataFrame,
    *,
    image_size: int,
    batch_size: int,
    steps: int,
    first_epoch: int = 0,
    first_step: int = 0,
    balance: bool = True,
    random_transform: bool = True,
    seed: int = 0,
    workers: int | None = None,
) -> tf.data.Dataset:
    """Endless training batches from a step on.

    What a batch holds depends on the seed and its place in the run alone: a run that is resumed sees the batches that it
    would have seen.

    Args:
        table: a list as `deepfake_cli.manifest.read` returns it.
        image_size: side of the images, in pixels.
        batch_size: images a batch; every batch is full.
        steps: batches an epoch.
        first_epoch: epochs that were trained already.
        first_step: steps of the next epoch that were.
        balance: draw reals and fakes equally often.
        random_transform: flip, and vary brightness and contrast.
        seed: of the order and the transforms.
        workers: threads that read images; as TensorFlow sees fit, if None.

    Returns:
        Batches of images, float32 RGB (batch_size, image_size, image_size, 3) in 0..255, and labels, float32
        (batch_size, 1), fake = 1.
    """
    labels = table["label"].to_numpy()
    start = (first_epoch * steps + first_step) * batch_size
    first_pass = start // len(table)

    def indices(number: tf.Tensor) -> tf.data.Dataset:
        order = tf.numpy_function(lambda n: draw(labels, int(n), balance=balance, seed=seed), [number], tf.int64)
        return tf.data.Dataset.from_tensor_slices(tf.ensure_shape(order, [len(labels)]))

    stream = tf.data.Dataset.range(first_pass, np.iinfo(np.int64).max).flat_map(indices)
    stream = stream.skip(start % len(table)).enumerate(start)
    paths, answers = _strings(table["path"]), tf.constant(labels[:, None], tf.float32)

    def load(place: tf.Tensor, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image = read_image(paths[index], image_size)
        return (transform(image, tf.stack([tf.cast(seed, tf.int64), place])) if random_transform else image), answers[
            index
        ]

    images = stream.map(load, num_parallel_calls=workers or tf.data.AUTOTUNE)
    return _ordered(images.batch(batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE))


def draw(labels: np.ndarray, number: int, *, balance: bool, seed: int) -> np.ndarray:
    """The order, int64 indices, of the `number`-th pass through a list: a shuffle, or a draw with both classes alike."""
    random = np.random.default_rng([seed, number])
    if not balance:
        return random.permutation(len(labels))
    share = np.bincount(labels, minlength=2)[labels]
    return random.choice(len(labels), size=len(labels), p=(1 / share) / (1 / share).sum())


def scoring_batches(
    table: pd.DataFrame, *, image_size: int, batch_size: int, workers: int | None = None
) -> tf.data.Dataset:
    """Every image of a list once, in its order, the last partial batch too.

    Returns:
        Batches of images, float32 RGB (at most batch_size, image_size, image_size, 3) in 0..255.
    """
    paths = tf.data.Dataset.from_tensor_slices(_strings(table["path"]))
    images = paths.map(lambda path: read_image(path, image_size), num_parallel_calls=workers or tf.data.AUTOTUNE)
    return _ordered(images.batch(batch_size).prefetch(tf.data.AUTOTUNE))


def _strings(paths: "pd.Series[str]") -> tf.Tensor:
    """Hand a column of strings to TensorFlow, some at a time, so that millions of Python objects never live at once."""
    chunks = range(0, len(paths), CHUNK)
    return tf.concat([tf.constant(paths.iloc[start : start + CHUNK].to_list()) for start in chunks], 0)


def read_image(path: tf.Tensor, image_size: int) -> tf.Tensor:
    """Decode an image of any size and scale it: float32 RGB (image_size, image_size, 3) in 0..255."""
    image = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
    image.set_shape((None, None, 3))
    same = tf.reduce_all(tf.shape(image)[:2] == image_size)
    scaled = tf.cond(same, lambda: tf.cast(image, tf.float32), lambda: _scale(image, image_size))
    return tf.ensure_shape(scaled, (image_size, image_size, 3))


def _scale(image: tf.Tensor, image_size: int) -> tf.Tensor:
    """Smooth before shrinking by more than half, or detail would alias; it costs too much to do always."""
    smooth = tf.reduce_min(tf.shape(image)[:2]) > 2 * image_size
    size = (image_size, image_size)
    return tf.cond(smooth, lambda: tf.image.resize(image, size, antialias=True), lambda: tf.image.resize(image, size))


def transform(image: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Flip, and vary brightness and contrast, as `seed` (two integers) says; values stay in 0..255."""
    image = tf.image.stateless_random_flip_left_right(image, seed)
    image = tf.image.stateless_random_brightness(image, BRIGHTNESS, seed)
    image = tf.image.stateless_random_contrast(image, *CONTRAST, seed)
    return tf.clip_by_value(image, 0.0, 255.0)


def _ordered(batches: Any) -> tf.data.Dataset:
    """Same order every time; over several replicas each batch is divided, not the list."""
    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return batches.with_options(options)
