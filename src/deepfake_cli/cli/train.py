"""``deepfake train``: a progress bar on a terminal; plain lines, one an epoch, into a file or a pipe."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from deepfake_cli.cli.console import console, progress, warn
from deepfake_cli.config import Train
from deepfake_cli.errors import DeepfakeError

LOG = "train.log"

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from deepfake_cli.training.events import Begun, Ended, Event, Noted, Stepped


def train(settings: Train) -> None:
    """Train a detector on the lists that make-csv wrote; keep a snapshot of every epoch and the best of them.

    The run's state is saved as it goes: --resume goes on after a crash, a full disk or Ctrl-C.
    """
    from deepfake_cli.commands.train import train as run

    with progress("steps") as bar:
        follower = Follower(bar)
        try:
            result = run(settings, follower)
        except DeepfakeError as error:
            follower.log(f"Error: {error}")
            raise
        except KeyboardInterrupt:
            follower.stopped()
            raise
    if follower.beside:
        return
    if not follower.begun_in:
        done = len(result.history)
        follower.line(f"Finished already: {done} epoch{'s' * (done != 1)}. --epochs N goes on to the N-th.")
    follower.line(f"Best: {result.best}   Recipe: {result.recipe}")
    if result.onnx:
        follower.line(f"Without TensorFlow: deepfake predict CLIP --detector {result.onnx}")
    if result.fault:
        warn(f"best.onnx could not be made, the run is whole without it: {result.fault}")
    follower.line(f"Measure it on a list it has not seen: deepfake evaluate TEST.csv {result.best}")


class Follower:
    """Tells of a training as it goes: a bar for the steps, a line for each epoch, which the run's log gets too."""

    def __init__(self, bar: "Progress"):
        self.bar = bar
        self.task: TaskID | None = None
        self.begun_in: Path | None = None
        self.beside = False  # whether another worker tells of the run

    def __call__(self, event: "Event") -> None:
        """Take the next event."""
        getattr(self, type(event).__name__.lower())(event)

    def begun(self, event: "Begun") -> None:
        """Say what is trained, on what, and where."""
        if event.beside:
            self.beside = True
            self.line(f"{event.plan}: the chief tells of the run, {event.home}")
            return
        self.begun_in, self.resumes = event.folder, event.resumes
        for note in event.notes:
            warn(note)
            self.log(note)
        self.line(f"Run: {event.home}")
        trained = f", {millions(event.trainable)} of them trained" if event.trainable < event.parameters else ""
        self.line(f"{event.model}: {millions(event.parameters)} parameters{trained}, {event.image_size} px")
        self.line(f"Device: {event.plan}")
        for name, counts in (("train", event.train), ("validation", event.validation)):
            if counts:
                groups = f"{counts['groups']:,} group{'s' * (counts['groups'] != 1)}"
                frames = f"{counts['frames']:,} frames ({counts['fake']:,} fake)"
                self.line(f"{name}: {frames}, {counts['videos']:,} videos, {groups}")
        self.epochs, self.steps = event.epochs, event.steps
        if self.task is not None:  # begun anew, since a machine was lost
            self.bar.remove_task(self.task)
        self.task = self.bar.add_task("", total=event.steps, note="")

    def noted(self, event: "Noted") -> None:
        """Say what training waits for."""
        warn(event.text)

    def stepped(self, event: "Stepped") -> None:
        """Move the bar."""
        if self.task is not None:
            description = f"epoch {event.epoch}/{self.epochs}"
            self.bar.update(self.task, description=description, completed=event.step, note=f"loss {event.loss:.4f}")

    def ended(self, event: "Ended") -> None:
        """Print the epoch's figures on one line."""
        row = event.figures
        line = f"epoch {row['epoch']:>{len(str(self.epochs))}}/{self.epochs}  loss {row['loss']:.4f} acc {row['accuracy']:.3f}"
        if "val_auc" in row:
            line += f"  val loss {row['val_loss']:.4f} acc {row['val_accuracy']:.3f}"
            line += f" auc {row['val_auc']:.3f} video auc {row['val_video_auc']:.3f}"
        self.line(f"{line}  lr {row['lr']:.1e}{'  best' * event.best}")
        if event.ends:
            self.line(f"Stopped: {event.ends}.")

    def stopped(self) -> None:
        """Say how to go on after Ctrl-C."""
        if self.begun_in:
            self.log("Stopped.")
            warn(f"To go on: {self.resumes}")

    def log(self, text: str) -> None:
        """Add a line to the run's log; a disk too full for the log is not what a run is lost by."""
        if self.begun_in:
            with suppress(OSError), (self.begun_in / LOG).open("a", encoding="utf-8") as log:
                log.write(f"{text}\n")

    def line(self, text: str) -> None:
        """Print a line and log it; flushed, so that either can be followed."""
        self.log(text)
        console.print(text, highlight=False, markup=False)
        sys.stdout.flush()


def millions(count: int) -> str:
    """``3.4 M``; few are counted out: ``1,281``."""
    return f"{count / 1e6:.1f} M" if count >= 100_000 else f"{count:,}"
