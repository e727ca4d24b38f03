"""What TensorBoard shows of a run: figures and curves of every epoch, what the network sees, and where it errs the most."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from deepfake_cli.errors import ModelError
from deepfake_cli.reporting.tiles import Tile, grid
from deepfake_cli.runs.listing import BEST
from deepfake_cli.runs.mirror import EVENTS
from deepfake_cli.runs.resume import FREE
from deepfake_cli.runs.run import Run
from deepfake_cli.training import input_pipeline

SHOWN, LARGE = 16, 256  # training images, and the side in pixels above which they are made smaller
WORST, MEDIUM = 8, 128  # validation faces of each class, and their side
COMPARED = ("val_auc", "val_video_auc", "val_loss", "epoch")  # figures of best.keras, which the table of runs shows
NAMES = {"run", "snapshot_path", "evaluation", "allow_leakage"}  # settings that shape no result, beside `FREE`


class Events:
    """Writes a run's events: parts ``train`` and ``validation``, whose curves share their charts, and ``best``.

    A step is a number of epochs that are done. Nothing here stops a training once it began: a full disk shows at the
    snapshot, and a curve or picture that is missing is no reason.

    Args:
        run: whose they are.
        validation: the list to validate on, if any.
        change: done to the batches to validate on, as in `deepfake_cli.training.input_pipeline.scoring_batches`.

    Raises:
        ModelError: the folder can't be written to.
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
                f"TensorBoard's events can't be written to {folder}: {error.message}. Name another place with --tensorboard-dir."
            ) from None

    def begun(self, batches: tf.data.Dataset, change: Callable[..., Any], replicas: int) -> None:
        """Write settings, recipe, and a picture of what the network is about to see.

        Args:
            batches: as of `deepfake_cli.training.input_pipeline.training_batches`, those that training begins with.
            change: what happens to each of them right before the model.
            replicas: of the model; each gets its part of a batch, and changes it by itself.
        """
        facts = {name: value for name, value in self.run.recipe.items() if name not in ("history", "snapshots")}
        with self._part("best", 0):
            from tensorboard.plugins.hparams import api

            api.hparams(hyper_parameters(self.run), trial_id=self.run.folder.name)
            tf.summary.text("recipe", f"```json\n{json.dumps(facts, indent=2, default=str)}\n```")
        epoch = self.run.start.epoch
        with self._part("train", epoch):
            tiles = seen(batches, change, replicas)
            heading = f"Training images as the network sees them in epoch {epoch + 1}"
            tf.summary.image("faces/training", grid({heading: tiles}, LARGE)[None])

    def ended(self, row: dict[str, Any], scores: np.ndarray | None) -> None:
        """Write what an epoch brought.

        Args:
            row: its figures, which `Run.keep` has seen.
            scores: of the list to validate on, (frames,) in 0..1; None without one.
        """
        epoch, of_validation = row["epoch"], _of_validation(row)
        with self._part("train", epoch):
            _scalars("epoch", {name: row[name] for name in row if name not in {"epoch", "pool", *of_validation}})
        with self._part("best", epoch):
            best = self.run.recipe["snapshots"][BEST]
            known = next((row for row in self.run.history if row["epoch"] == best["epoch"]), best)
            _scalars("of best", {name: known[name] for name in COMPARED if name in known})
        if scores is not None:
            self._validated(of_validation, epoch, scores)

    def _validated(self, figures: dict[str, float], epoch: int, scores: np.ndarray) -> None:
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
            tf.summary.image("faces/most wrong", grid(self._most_wrong(scores), MEDIUM)[None])

    def _most_wrong(self, scores: np.ndarray) -> dict[str, list[Tile]]:
        """The faces that are worst to err by, of each video its worst."""
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
        """A validation image as it was scored, float32 RGB; if forged, then in its batch, which its randomness comes of."""
        assert self.validation is not None
        forged = self.change is not None and label == 1
        size, batch = self.run.recipe["image_size"], self.run.settings.batch_size if forged else 1
        first = row - row % batch
        part = self.validation.iloc[first : first + batch]
        read = input_pipeline.reading(part["path"])
        images = tf.stack([input_pipeline.read_image(path, size, read) for path in part["path"]])
        if self.change and forged:
            images = self.change(images, part["label"].to_numpy()[:, None], first + np.arange(len(part))[:, None])
        return np.asarray(images[row - first])

    @contextmanager
    def _part(self, part: str, step: int) -> Iterator[None]:
        """Write to a part; what goes wrong there is not what a run is lost by, whatever it is."""
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


def seen(batches: tf.data.Dataset, change: Callable[..., Any], replicas: int) -> list[Tile]:
    """The first images that the network sees: see `Events.begun`. Of a large batch some, from all over it."""
    tiles: list[Tile] = []
    for batch in batches.as_numpy_iterator():
        parts = zip(*(np.array_split(each, replicas) for each in batch), strict=True)
        tiles += chain.from_iterable(_tiles(part, change) for part in parts if len(part[0]))
        if len(tiles) >= SHOWN:
            break
    return [tiles[place] for place in np.linspace(0, len(tiles) - 1, SHOWN).round().astype(int)]


def _tiles(batch: tuple[np.ndarray, ...], change: Callable[..., Any]) -> Iterator[Tile]:
    images, labels = change(*batch)
    for image, label, own in zip(np.asarray(images), np.asarray(labels)[:, 0], batch[1][:, 0], strict=True):
        yield Tile(image, int(label), "(forged)" if label != own else "")


def _of_validation(row: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in row.items() if name.startswith("val_") or name == "threshold"}


def _scalars(group: str, figures: dict[str, float]) -> None:
    for name, value in figures.items():
        tf.summary.scalar(f"{group}/{name.removeprefix('val_')}", value)


def hyper_parameters(run: Run) -> dict[str, bool | float | str]:
    """The settings that shape a run's result; "none" where one is not set, for TensorBoard compares what every run has."""
    known = run.recipe["settings"] | {name: run.recipe[name] for name in ("model", "image_size")}
    own = {name: "none" if known[name] is None else known[name] for name in known if name not in FREE | NAMES}
    return {name: ", ".join(map(str, value)) if isinstance(value, list) else value for name, value in own.items()}
