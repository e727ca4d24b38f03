"""tf.data pipelines: from a list of frames to batches, decoded, scaled and in a seeded order."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import psutil
import tensorflow as tf

from deepfake_cli.errors import ConfigError
from deepfake_cli.training.images import read_image, reading
from deepfake_cli.training.order import draw, streamed, tar_codes

CHUNK = 100_000  # strings converted to a tensor at once
MOST_MEMORY = 0.7  # largest share of the free memory for cached images

as_it_is = tf.autograph.experimental.do_not_convert  # no function here branches on tensors; converting takes CPU time

ImageAt = Callable[[tf.Tensor], tf.Tensor]  # from a row of the list to its image


def training_batches(
    table: pd.DataFrame,
    *,
    image_size: int,
    batch_size: int,
    steps: int,
    first_epoch: int = 0,
    first_step: int = 0,
    reals: float | None = 0.5,
    seed: int = 0,
    workers: int | None = None,
    images: ImageAt | None = None,
    replicas: int = 1,
    parts: range = range(1),
) -> tf.data.Dataset:
    """Endless training batches from a step on.

    The content of a batch depends only on the seed and the batch's place in the run, so a resumed run sees the same batches
    as an uninterrupted one.

    Args:
        table: a list as `deepfake_cli.data.manifest.read` returns it.
        image_size: side of the images, in pixels.
        batch_size: images per batch; every batch is full.
        steps: batches per epoch.
        first_epoch: number of finished epochs.
        first_step: number of finished steps of the next epoch.
        reals: share of reals among the drawn images, in 0..1; None to take each image of the list once per pass.
        seed: of the order.
        workers: threads that read images; None for TensorFlow's choice.
        images: images in memory, from `in_memory`; None to read files.
        replicas: equal parts of each batch, in order, when several workers train.
        parts: the parts to load. Every worker knows the whole order and loads only its parts of every batch, so all workers
            together see the same batches as one. (Dividing the files between the workers instead would change the batches.)

    Returns:
        Batches of images, uint8 RGB (batch_size, image_size, image_size, 3); labels, float32 (batch_size, 1),
        fake = 1; and the index of each image in the run, int64 (batch_size, 1), which seeds the augmentation. Keras' own `fit`
        would take it for sample weights: for a model of your own use `deepfake_cli.load_dataset`.
    """
    labels = table["label"].to_numpy()
    start = (first_epoch * steps + first_step) * batch_size
    first_pass = start // len(table)

    tars = tar_codes(table["path"])

    def drawn(number: int) -> np.ndarray:
        order = draw(labels, int(number), reals=reals, seed=seed)
        return order if tars is None else streamed(order, tars, int(number), seed=seed)

    def indices(number: tf.Tensor) -> tf.data.Dataset:
        order = tf.numpy_function(drawn, [number], tf.int64)
        return tf.data.Dataset.from_tensor_slices(tf.ensure_shape(order, [len(labels)]))

    stream = tf.data.Dataset.range(first_pass, np.iinfo(np.int64).max).flat_map(as_it_is(indices))
    stream = stream.skip(start % len(table)).enumerate(start)
    size = batch_size // replicas
    if replicas > 1:
        stream = stream.filter(lambda place, _: _within(place % batch_size // size, parts))
    answers = tf.constant(labels[:, None], tf.float32)
    image_at = images or _in_files(table, image_size)

    def load(place: tf.Tensor, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        return image_at(index), answers[index], place[None]

    loaded = stream.map(as_it_is(load), num_parallel_calls=workers or tf.data.AUTOTUNE)
    return _ordered(loaded.batch(size, drop_remainder=True).prefetch(tf.data.AUTOTUNE))


def scoring_batches(
    table: pd.DataFrame,
    *,
    image_size: int,
    batch_size: int,
    workers: int | None = None,
    change: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor] | None = None,
    places: np.ndarray | None = None,
) -> tf.data.Dataset:
    """Every image of a list once, in its order, with the last partial batch.

    Args:
        table: a list as `deepfake_cli.data.manifest.read` returns it.
        image_size: side of the images, in pixels.
        batch_size: images per batch.
        workers: threads that read images; None for TensorFlow's choice.
        change: applied to each batch: a function of images, labels (batch, 1) and rows of the list (batch, 1).
        places: rows in the whole list, int64, if `table` is a part of it; passed to `change`.

    Returns:
        Batches of images, uint8 RGB (at most batch_size, image_size, image_size, 3) in 0..255.
    """
    places = np.arange(len(table)) if places is None else places
    paths = tf.data.Dataset.from_tensor_slices(strings(table["path"]))
    read = reading(table["path"])
    images = paths.map(
        as_it_is(lambda path: read_image(path, image_size, read)), num_parallel_calls=workers or tf.data.AUTOTUNE
    )
    batches = images.batch(batch_size)
    if change:
        rows = tf.data.Dataset.from_tensor_slices((table["label"].to_numpy()[:, None], places[:, None]))
        batches = tf.data.Dataset.zip(batches, rows.batch(batch_size)).map(lambda images, row: change(images, *row))
    return _ordered(batches.prefetch(tf.data.AUTOTUNE))


def _within(part: tf.Tensor, parts: range) -> tf.Tensor:
    return (part >= parts.start) & (part < parts.stop)


def strings(paths: "pd.Series[str]") -> tf.Tensor:
    """Convert a column of strings to a tensor, in chunks, so that millions of Python objects never exist at once."""
    chunks = range(0, len(paths), CHUNK)
    return tf.concat([tf.constant(paths.iloc[start : start + CHUNK].to_list()) for start in chunks], 0)


def _in_files(table: pd.DataFrame, image_size: int) -> ImageAt:
    paths, read = strings(table["path"]), reading(table["path"])
    return lambda index: read_image(paths[index], image_size, read)


def in_memory(table: pd.DataFrame, image_size: int, workers: int | None = None) -> ImageAt:
    """Read and scale all images of a list into memory.

    Raises:
        ConfigError: they do not fit.
    """
    needed, free = len(table) * image_size**2 * 3, psutil.virtual_memory().available
    if needed > free * MOST_MEMORY:
        raise ConfigError(
            f"--cache needs {needed / 1e9:.1f} GB for {len(table):,} images of {image_size} pixels; {free / 1e9:.1f} GB are "
            "free. Leave out --cache, or choose a lower --image-size."
        )
    images = np.empty((len(table), image_size, image_size, 3), np.uint8)
    batches = scoring_batches(table, image_size=image_size, batch_size=64, workers=workers).as_numpy_iterator()
    for number, batch in enumerate(batches):
        images[64 * number :][: len(batch)] = batch
    cached = tf.convert_to_tensor(images)
    return lambda index: cached[index]


def _ordered(batches: Any) -> tf.data.Dataset:
    """Keep the order deterministic; divide each batch over the replicas, not the list."""
    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return batches.with_options(options)
