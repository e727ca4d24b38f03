"""``deepfake train``: a progress bar on a terminal; one plain line per epoch in a file or pipe."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from deepfake_cli.cli.console import console, error_console, following, progress, short, warn
from deepfake_cli.config import Train
from deepfake_cli.errors import DeepfakeError
from deepfake_cli.storage.escapes import visible

LOG = "train.log"

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from deepfake_cli.training.events import Begun, Ended, Event, Noted, Phase, Stepped


def train(settings: Train) -> None:
    """Train a detector on the lists of make-csv.

    The training state is saved regularly: use --resume after a crash, a full disk or Ctrl-C.
    """
    from deepfake_cli.commands.train import train as run

    with progress("steps") as bar:
        follower = TrainProgress(bar)
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
        follower.line(f"Finished already: {done} epoch{'s' * (done != 1)}. Train up to epoch N with --epochs N.")
    follower.line(f"Best: {short(result.best)}   Recipe: {short(result.recipe)}")
    if result.fault:
        warn(f"best.onnx could not be exported; the rest of the run is complete: {result.fault}")
    follower.line(following("evaluate", _test_list(settings), result.best))
    if result.onnx:
        follower.line(following("predict", "FILES", "--detector", result.onnx))


def _test_list(settings: Train) -> Path:
    """The test list that make-csv wrote beside the validation list; that list, if there is none."""
    beside = settings.val_annotations.parent.parent / "test" / "test.csv"
    return beside if beside.is_file() else settings.val_annotations


class TrainProgress:
    """Shows training events: a bar for steps, a line per epoch; lines are also written to train.log."""

    def __init__(self, bar: "Progress"):
        self.bar = bar
        self.task: TaskID | None = None
        self.begun_in: Path | None = None
        self.named: set[str] = set()  # phases
        self.beside = False  # whether the chief prints the progress instead

    def __call__(self, event: "Event") -> None:
        """Handle an event, by its type."""
        getattr(self, type(event).__name__.lower())(event)

    def begun(self, event: "Begun") -> None:
        """Print the model, the device and the lists."""
        if event.beside:
            self.beside = True
            self.line(f"{event.plan}: progress is printed by the chief, run {event.home}")
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
        if self.task is not None:  # restarted after a worker was lost
            self.bar.remove_task(self.task)
        self.task = self.bar.add_task("", total=event.steps, note="")

    def phase(self, event: "Phase") -> None:
        """Name a silent part of the work: in the bar, or on a line, the first time."""
        if self.bar.disable:
            if event.name not in self.named:
                error_console.print(f"{event.name[0].upper()}{event.name[1:]} …", style="dim")
        elif self.task is None:
            self.task = self.bar.add_task(event.name, total=None, note="")
        else:
            self.bar.update(self.task, description=event.name)
        self.named.add(event.name)

    def noted(self, event: "Noted") -> None:
        """Print a note."""
        warn(event.text)
        self.log(event.text)

    def stepped(self, event: "Stepped") -> None:
        """Advance the bar."""
        if self.task is not None:
            description = f"epoch {event.epoch}/{self.epochs}"
            self.bar.update(self.task, description=description, completed=event.step, note=f"loss {event.loss:.4f}")

    def ended(self, event: "Ended") -> None:
        """Print the metrics of an epoch on one line."""
        row = event.figures
        line = f"epoch {row['epoch']:>{len(str(self.epochs))}}/{self.epochs}  loss {row['loss']:.4f} acc {row['accuracy']:.3f}"
        if "val_auc" in row:
            line += f"  val loss {row['val_loss']:.4f} acc {row['val_accuracy']:.3f}"
            line += f" auc {row['val_auc']:.3f} video auc {row['val_video_auc']:.3f}"
        self.line(f"{line}  lr {row['lr']:.1e}{'  best' * event.best}")
        if event.ends:
            self.line(f"Stopped: {event.ends}.")

    def stopped(self) -> None:
        """Print how to resume after Ctrl-C."""
        if self.begun_in:
            self.log("Stopped.")
            warn(f"Resume with: {self.resumes}")

    def log(self, text: str) -> None:
        """Append a line to the log of the run; errors such as a full disk are ignored."""
        if self.begun_in:
            with suppress(OSError), (self.begun_in / LOG).open("a", encoding="utf-8") as log:
                log.write(f"{visible(text)}\n")

    def line(self, text: str) -> None:
        """Print a line, log it and flush."""
        self.log(text)
        console.print(text)
        sys.stdout.flush()


def millions(count: int) -> str:
    """Format a count: ``3.4 M``, or ``1,281`` below 100,000."""
    return f"{count / 1e6:.1f} M" if count >= 100_000 else f"{count:,}"
