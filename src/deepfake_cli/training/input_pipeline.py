"""A list of frames to batches: decoded, scaled and drawn in a seeded order, by tf.data."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import psutil
import tensorflow as tf

from deepfake_cli.errors import ConfigError
from deepfake_cli.storage import tar_shards
from deepfake_cli.storage.files import read_bytes

CHUNK = 100_000  # strings handed over at once
ELSEWHERE = r"\.tar/|^[a-z][a-z0-9+.-]+:/"  # in a path that TensorFlow can't read by itself
MOST_MEMORY = 0.7  # of what is free, that cached images may take

WINDOW = 512  # tar files whose images are drawn in turn: so many of a remote list are copied before training begins

ImageAt = Callable[[tf.Tensor], tf.Tensor]  # a row of the list to its image
Read = Callable[[tf.Tensor], tf.Tensor]  # a path to the file's content


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
    here: range = range(1),
) -> tf.data.Dataset:
    """Endless training batches from a step on.

    What a batch holds depends on the seed and its place in the run alone: a run that is resumed sees the batches that it
    would have seen.

    Args:
        table: a list as `deepfake_cli.data.manifest.read` returns it.
        image_size: side of the images, in pixels.
        batch_size: images a batch; every batch is full.
        steps: batches an epoch.
        first_epoch: epochs that were trained already.
        first_step: steps of the next epoch that were.
        reals: share of reals among the images that are drawn, in 0..1; None for each image of the list once a pass.
        seed: of the order.
        workers: threads that read images; as TensorFlow sees fit, if None.
        images: from `in_memory`; from their files, if None.
        replicas: equal parts that each batch is divided into, one after the other, for workers on several machines.
        here: those to load. Every worker knows the whole order and loads nothing but its part of every batch: all of
            them together see what one machine would, each image once a pass. (Files that are dealt out to workers would
            need groups of equal size, and make other batches.)

    Returns:
        Batches of images, uint8 RGB (batch_size, image_size, image_size, 3); labels, float32 (batch_size, 1),
        fake = 1; and the images' places in the run, int64 (batch_size, 1).
    """
    labels = table["label"].to_numpy()
    start = (first_epoch * steps + first_step) * batch_size
    first_pass = start // len(table)

    tars = _tars(table["path"])

    def drawn(number: int) -> np.ndarray:
        order = draw(labels, int(number), reals=reals, seed=seed)
        return order if tars is None else streamed(order, tars, int(number), seed=seed)

    def indices(number: tf.Tensor) -> tf.data.Dataset:
        order = tf.numpy_function(drawn, [number], tf.int64)
        return tf.data.Dataset.from_tensor_slices(tf.ensure_shape(order, [len(labels)]))

    stream = tf.data.Dataset.range(first_pass, np.iinfo(np.int64).max).flat_map(indices)
    stream = stream.skip(start % len(table)).enumerate(start)
    size = batch_size // replicas
    if replicas > 1:
        stream = stream.filter(lambda place, _: _within(place % batch_size // size, here))
    answers = tf.constant(labels[:, None], tf.float32)
    image_at = images or _in_files(table, image_size)

    def load(place: tf.Tensor, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        return image_at(index), answers[index], place[None]

    loaded = stream.map(load, num_parallel_calls=workers or tf.data.AUTOTUNE)
    return _ordered(loaded.batch(size, drop_remainder=True).prefetch(tf.data.AUTOTUNE))


def draw(labels: np.ndarray, number: int, *, reals: float | None, seed: int) -> np.ndarray:
    """The order, int64 indices, of the `number`-th pass through a list: a shuffle, or a draw with this share of reals."""
    random = np.random.default_rng([seed, number])
    counts = np.bincount(labels, minlength=2)
    if reals is None or not counts.all():
        return random.permutation(len(labels))
    wanted = np.array([reals, 1 - reals]) / counts
    return random.choice(len(labels), size=len(labels), p=wanted[labels])


def streamed(order: np.ndarray, tars: np.ndarray, number: int, *, seed: int) -> np.ndarray:
    """The order with the images of some tars at a time: each pass copies a remote tar once, and holds few.

    Within each window of `WINDOW` tars, drawn anew for every pass, images stay in the order that they were drawn in.

    Args:
        order: as `draw` gives it.
        tars: which tar each image of the list is in, int64.
        number: of the pass.
        seed: of the order.
    """
    ranks = np.random.default_rng([seed, number, 1]).permutation(tars.max() + 1)
    return order[np.argsort(ranks[tars[order]] // WINDOW, kind="stable")]


def _tars(paths: "pd.Series[str]") -> np.ndarray | None:
    """Which tar each image is in; None if they are in none, or in so few that any order will do."""
    found = paths.str.extract(rf"^(.*?\{tar_shards.SUFFIX})/", expand=False)
    codes, names = pd.factorize(found.fillna(""))
    return codes if found.notna().any() and len(names) > WINDOW else None


def scoring_batches(
    table: pd.DataFrame,
    *,
    image_size: int,
    batch_size: int,
    workers: int | None = None,
    change: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor] | None = None,
    places: np.ndarray | None = None,
) -> tf.data.Dataset:
    """Every image of a list once, in its order, the last partial batch too.

    Args:
        table: a list as `deepfake_cli.data.manifest.read` returns it.
        image_size: side of the images, in pixels.
        batch_size: images a batch.
        workers: threads that read images; as TensorFlow sees fit, if None.
        change: done to each batch of images, labels (batch, 1) and rows of the list (batch, 1).
        places: of the images in the whole list, int64, where `table` is a part of it; `change` depends on them.

    Returns:
        Batches of images, uint8 RGB (at most batch_size, image_size, image_size, 3) in 0..255.
    """
    places = np.arange(len(table)) if places is None else places
    paths = tf.data.Dataset.from_tensor_slices(_strings(table["path"]))
    read = reading(table["path"])
    images = paths.map(lambda path: read_image(path, image_size, read), num_parallel_calls=workers or tf.data.AUTOTUNE)
    batches = images.batch(batch_size)
    if change:
        rows = tf.data.Dataset.from_tensor_slices((table["label"].to_numpy()[:, None], places[:, None]))
        batches = tf.data.Dataset.zip(batches, rows.batch(batch_size)).map(lambda images, of: change(images, *of))
    return _ordered(batches.prefetch(tf.data.AUTOTUNE))


def _within(part: tf.Tensor, parts: range) -> tf.Tensor:
    return (part >= parts.start) & (part < parts.stop)


def _strings(paths: "pd.Series[str]") -> tf.Tensor:
    """Hand a column of strings to TensorFlow, some at a time, so that millions of Python objects never live at once."""
    chunks = range(0, len(paths), CHUNK)
    return tf.concat([tf.constant(paths.iloc[start : start + CHUNK].to_list()) for start in chunks], 0)


def _in_files(table: pd.DataFrame, image_size: int) -> ImageAt:
    paths, read = _strings(table["path"]), reading(table["path"])
    return lambda index: read_image(paths[index], image_size, read)


def in_memory(table: pd.DataFrame, image_size: int, workers: int | None = None) -> ImageAt:
    """Read all images of a list, and keep them.

    Raises:
        ConfigError: they don't fit there.
    """
    needed, free = len(table) * image_size**2 * 3, psutil.virtual_memory().available
    if needed > free * MOST_MEMORY:
        raise ConfigError(
            f"--cache needs {needed / 1e9:.1f} GB for {len(table):,} images of {image_size} pixels; {free / 1e9:.1f} GB are "
            "free. Leave it out, or lower --image-size."
        )
    images = np.empty((len(table), image_size, image_size, 3), np.uint8)
    batches = scoring_batches(table, image_size=image_size, batch_size=64, workers=workers).as_numpy_iterator()
    for number, batch in enumerate(batches):
        images[64 * number :][: len(batch)] = batch
    kept = tf.convert_to_tensor(images)
    return lambda index: kept[index]


def reading(paths: "pd.Series[str]") -> Read:
    """What reads such files: TensorFlow by itself, or this package those in tars and in object stores."""
    if not paths.str.contains(ELSEWHERE).any():
        return tf.io.read_file
    return lambda path: tf.ensure_shape(tf.numpy_function(_content, [path], tf.string), ())


def _content(path: bytes) -> bytes:
    return read_bytes(path.decode())


def read_image(path: tf.Tensor, image_size: int, read: Read = tf.io.read_file) -> tf.Tensor:
    """Decode an image of any size and scale it: uint8 RGB (image_size, image_size, 3).

    JPEG is decoded as OpenCV does it: TensorFlow's quicker way is up to eleven grey levels off, and no detector should learn
    from that, since predict never sees it.
    """
    data = read(path)
    image = tf.cond(
        tf.io.is_jpeg(data),
        lambda: tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE"),
        lambda: tf.io.decode_image(data, channels=3, expand_animations=False),
    )
    image.set_shape((None, None, 3))
    same = tf.reduce_all(tf.shape(image)[:2] == image_size)
    scaled = tf.cond(same, lambda: image, lambda: tf.cast(tf.round(_scale(image, image_size)), tf.uint8))
    return tf.ensure_shape(scaled, (image_size, image_size, 3))


def _scale(image: tf.Tensor, image_size: int) -> tf.Tensor:
    """Smooth before shrinking by more than half, or detail would alias; it costs too much to do always."""
    smooth = tf.reduce_min(tf.shape(image)[:2]) > 2 * image_size
    size = (image_size, image_size)
    return tf.cond(smooth, lambda: tf.image.resize(image, size, antialias=True), lambda: tf.image.resize(image, size))


def _ordered(batches: Any) -> tf.data.Dataset:
    """Same order every time; over several replicas each batch is divided, not the list."""
    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return batches.with_options(options)
