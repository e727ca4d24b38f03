"""TensorBoard's events of a run: metrics and curves of every epoch, training images, worst errors."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from deepfake_cli.errors import ModelError
from deepfake_cli.reporting.image_grid import Tile, grid
from deepfake_cli.runs.files import BEST
from deepfake_cli.runs.mirror import EVENTS
from deepfake_cli.runs.resume import FREE
from deepfake_cli.runs.run import Run
from deepfake_cli.training.images import read_image, reading

SHOWN, LARGE = 16, 256  # number of training images, and their largest side in pixels
WORST, MEDIUM = 8, 128  # number of validation faces per class, and their largest side in pixels
COMPARED = ("val_auc", "val_video_auc", "val_loss", "epoch")  # metrics of best.keras, shown in the table of runs
NAMES = {"run", "snapshot_path", "evaluation", "allow_leakage"}  # settings without effect on the result, besides `FREE`


class EventWriter:
    """Writes a run's events: the parts ``train`` and ``validation``, which share their charts, and ``best``.

    The step of an event is the number of finished epochs. An event that cannot be written is dropped and never stops the
    training; a full disk stops it at the next snapshot.

    Args:
        run: the run.
        validation: the validation list; None without one.
        change: applied to validation batches, as in `deepfake_cli.training.input_pipeline.scoring_batches`.

    Raises:
        ModelError: the folder cannot be written to.
    """

    def __init__(self, run: Run, validation: pd.DataFrame | None = None, change: Callable[..., Any] | None = None):
        self.run, self.validation, self.change = run, validation, change
        logs = run.settings.tensorboard_dir
        folder = logs / run.folder.name if logs else run.folder / EVENTS
        parts = ["train", "best", *["validation"] * (validation is not None)]
        try:
            self.writers = {part: tf.summary.create_file_writer(str(folder / part)) for part in parts}
        except tf.errors.OpError as error:
            raise ModelError(
                f"{folder}: cannot write TensorBoard's events: {error.message}. Choose another folder with --tensorboard-dir."
            ) from None

    def training_begun(self, batches: tf.data.Dataset, augmentation: Callable[..., Any], replicas: int) -> None:
        """Write settings, recipe, and the first training images as the model will see them.

        Args:
            batches: the first training batches, of `deepfake_cli.training.input_pipeline.training_batches`.
            augmentation: applied to each of them before the model.
            replicas: of the model; each augments its part of a batch on its own.
        """
        facts = {name: value for name, value in self.run.recipe.items() if name not in ("history", "snapshots")}
        with self._part("best", 0):
            from tensorboard.plugins.hparams import api

            api.hparams(hyper_parameters(self.run), trial_id=self.run.folder.name)
            tf.summary.text("recipe", f"```json\n{json.dumps(facts, indent=2, default=str)}\n```")
        epoch = self.run.start.epoch
        with self._part("train", epoch):
            tiles = first_images(batches, augmentation, replicas)
            heading = f"Training images as the network sees them in epoch {epoch + 1}"
            tf.summary.image("faces/training", grid({heading: tiles}, LARGE)[None])

    def epoch_ended(self, row: dict[str, Any], scores: np.ndarray | None) -> None:
        """Write the metrics of an epoch, and the curves and worst errors of its validation.

        Args:
            row: its metrics, after `Run.save_epoch` has stored them.
            scores: of the validation list, (frames,) in 0..1; None without one.
        """
        epoch, of_validation = row["epoch"], _validation_metrics(row)
        with self._part("train", epoch):
            _scalars("epoch", {name: row[name] for name in row if name not in {"epoch", "pool", *of_validation}})
        with self._part("best", epoch):
            best = self.run.recipe["snapshots"][BEST]
            known = next((row for row in self.run.history if row["epoch"] == best["epoch"]), best)
            _scalars("of best", {name: known[name] for name in COMPARED if name in known})
        if scores is not None:
            self._write_validation(of_validation, epoch, scores)

    def _write_validation(self, figures: dict[str, float], epoch: int, scores: np.ndarray) -> None:
        assert self.validation is not None
        fake = self.validation["label"].to_numpy() == 1
        with self._part("validation", epoch):
            from tensorboard.plugins.pr_curve import summary

            _scalars("epoch", figures)
            tf.summary.histogram("scores/reals", scores[~fake])
            tf.summary.histogram("scores/fakes", scores[fake])
            curve = summary.pb("frames", fake, np.clip(scores, 0, 1))
            tf.summary.experimental.write_raw_pb(curve.SerializeToString())
        with self._part("validation", epoch):
            tf.summary.image("faces/worst errors", grid(self._worst_errors(scores), MEDIUM)[None])

    def _worst_errors(self, scores: np.ndarray) -> dict[str, list[Tile]]:
        """The validation faces with the worst scores, one per video, by class."""
        assert self.validation is not None
        rows = self.validation[["dataset", "video", "label"]].assign(score=scores, row=np.arange(len(scores)))
        sections = {}
        for label, heading in enumerate(("Reals with the highest scores", "Fakes with the lowest scores")):
            some = rows[rows["label"] == label].sort_values("score", ascending=label == 1, kind="stable")
            worst = some.drop_duplicates(["dataset", "video"]).head(WORST)
            sections[heading] = [
                Tile(self._face(int(row), label), label, f"{score:.3f}", str(video))
                for row, score, video in zip(worst["row"], worst["score"], worst["video"], strict=True)
            ]
        return sections

    def _face(self, row: int, label: int) -> np.ndarray:
        """A validation image as it was scored, float32 RGB. Forging needs the whole batch, which sets the seed."""
        assert self.validation is not None
        forged = self.change is not None and label == 1
        size, batch = self.run.recipe["image_size"], self.run.settings.batch if forged else 1
        first = row - row % batch
        part = self.validation.iloc[first : first + batch]
        read = reading(part["path"])
        images = tf.stack([read_image(path, size, read) for path in part["path"]])
        if self.change and forged:
            images = self.change(images, part["label"].to_numpy()[:, None], first + np.arange(len(part))[:, None])
        return np.asarray(images[row - first])

    @contextmanager
    def _part(self, part: str, step: int) -> Iterator[None]:
        """Write to a part; drop what fails, since no event is worth losing a run."""
        with suppress(Exception), ExitStack() as stack:
            with suppress(Exception):
                stack.enter_context(self.writers[part].as_default(step=step))
            yield
            self.writers[part].flush()

    def close(self) -> None:
        """Close the event files."""
        for writer in self.writers.values():
            with suppress(tf.errors.OpError):
                writer.close()


def first_images(batches: tf.data.Dataset, augmentation: Callable[..., Any], replicas: int) -> list[Tile]:
    """The first training images, evenly spaced over a large batch; arguments as in `EventWriter.training_begun`."""
    tiles: list[Tile] = []
    for batch in batches.as_numpy_iterator():
        parts = zip(*(np.array_split(array, replicas) for array in batch), strict=True)
        tiles += chain.from_iterable(_tiles(part, augmentation) for part in parts if len(part[0]))
        if len(tiles) >= SHOWN:
            break
    return [tiles[index] for index in np.linspace(0, len(tiles) - 1, SHOWN).round().astype(int)]


def _tiles(batch: tuple[np.ndarray, ...], augmentation: Callable[..., Any]) -> Iterator[Tile]:
    images, labels = augmentation(*batch)
    for image, label, own in zip(np.asarray(images), np.asarray(labels)[:, 0], batch[1][:, 0], strict=True):
        yield Tile(image, int(label), "(forged)" if label != own else "")


def _validation_metrics(row: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in row.items() if name.startswith("val_") or name == "threshold"}


def _scalars(group: str, figures: dict[str, float]) -> None:
    for name, value in figures.items():
        tf.summary.scalar(f"{group}/{name.removeprefix('val_')}", value)


def hyper_parameters(run: Run) -> dict[str, bool | float | str]:
    """The settings that affect the result; "none" for unset ones, since TensorBoard compares what all runs have."""
    known = run.recipe["settings"] | {name: run.recipe[name] for name in ("model", "image_size")}
    own = {name: "none" if known[name] is None else known[name] for name in known if name not in FREE | NAMES}
    return {name: ", ".join(map(str, value)) if isinstance(value, list) else value for name, value in own.items()}
