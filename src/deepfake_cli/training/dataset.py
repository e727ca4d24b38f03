"""A list of frames as the tf.data pipeline of a model of your own."""

from pathlib import Path

import tensorflow as tf

from deepfake_cli.data import manifest
from deepfake_cli.training.images import read_image, reading
from deepfake_cli.training.input_pipeline import strings


def load_dataset(
    paths: str | Path | list[str | Path],
    *,
    image_size: int = 224,
    batch_size: int = 32,
    shuffle: bool = True,
    seed: int = 0,
) -> tf.data.Dataset:
    """Load split lists for ``model.fit``, ``model.evaluate`` and ``model.predict`` of Keras.

    Args:
        paths: a list (CSV) of ``deepfake make-csv``, or several.
        image_size: side of the images, in pixels; others are scaled.
        batch_size: images per batch; the last one may be smaller.
        shuffle: whether to shuffle all images anew in each epoch; False to keep the order of the list, as for predictions.
        seed: of the order.

    Returns:
        One pass through the images, each once, of a known length: batches ``(images, labels)``, uint8 RGB
        (batch, image_size, image_size, 3) in 0..255, and float32 (batch, 1), 0 for real and 1 for fake.

    Raises:
        ManifestError: a list is missing, empty or invalid.
    """
    several = paths if isinstance(paths, list) else [paths]
    table = manifest.read_lists(map(Path, several))
    read = reading(table["path"])
    labels = tf.constant(table["label"].to_numpy()[:, None], tf.float32)
    rows = tf.data.Dataset.from_tensor_slices((strings(table["path"]), labels))
    if shuffle:
        rows = rows.shuffle(len(table), seed=seed, reshuffle_each_iteration=True)
    images = rows.map(lambda path, label: (read_image(path, image_size, read), label), tf.data.AUTOTUNE)
    return images.batch(batch_size).prefetch(tf.data.AUTOTUNE)
