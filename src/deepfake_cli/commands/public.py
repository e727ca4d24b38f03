"""The commands as Python functions, with a settings model or options as keywords; imports are lazy."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from deepfake_cli.config import Evaluate, MakeCsv, Predict, Split, Step, Train, resolve
from deepfake_cli.installation import explained

if TYPE_CHECKING:
    import keras

    from deepfake_cli.commands.evaluate import EvaluateResult
    from deepfake_cli.commands.make_csv import MakeCsvResult
    from deepfake_cli.commands.predict import PredictResult
    from deepfake_cli.commands.split import SplitResult
    from deepfake_cli.extraction.extract import Extracted
    from deepfake_cli.training.events import Event
    from deepfake_cli.training.session import TrainResult

S = TypeVar("S", bound=Step)


def split(
    settings: Split | None = None,
    progress: Callable[["Extracted", int, int], None] = lambda video, done, total: None,
    **options: Any,
) -> "SplitResult":
    """Cut the videos of a data set into frames or face crops; see `deepfake_cli.commands.split.split`.

    Args:
        settings: see `deepfake_cli.config.Split`.
        progress: called with each finished video, the number finished and the total.
        options: fields of the settings; they override `settings`.
    """
    from deepfake_cli.commands.split import split as run

    return run(_settled(Split, settings, options), progress)


@explained("deepfake_cli.make_csv")
def make_csv(settings: MakeCsv | None = None, **options: Any) -> "MakeCsvResult":
    """Write lists for training, validation and test; see `deepfake_cli.commands.make_csv.make_csv`.

    Args:
        settings: see `deepfake_cli.config.MakeCsv`.
        options: fields of the settings; they override `settings`.
    """
    from deepfake_cli.commands.make_csv import make_csv as run

    return run(_settled(MakeCsv, settings, options))


@explained("deepfake_cli.train")
def train(
    settings: Train | None = None,
    progress: Callable[["Event"], None] = lambda event: None,
    model: "str | keras.Model | None" = None,
    optimizer: "keras.optimizers.Optimizer | None" = None,
    callbacks: "Sequence[keras.callbacks.Callback]" = (),
    **options: Any,
) -> "TrainResult":
    """Train a detector, or resume a run; see `deepfake_cli.commands.train.train`.

    Args:
        settings: see `deepfake_cli.config.Train`.
        progress: called with events: when training starts, after each step and each epoch.
        model: the name of an architecture, or ``module:function``; or a Keras model of your own, from RGB in 0..255,
            (batch, size, size, 3), to the probability of fake, (batch, 1).
        optimizer: a Keras optimizer; None for the one of the settings. Its learning rate replaces `lr`; the schedule of the
            settings applies to it; `weight_decay`, `clip_norm` and `ema` are not used.
        callbacks: Keras callbacks, called after those of the run.
        options: fields of the settings; they override `settings`.

    Raises:
        DeepfakeError: see `deepfake_cli.commands.train.train`.
    """
    from deepfake_cli.commands.train import train as run

    if isinstance(model, str):
        options, model = options | {"model": model}, None
    return run(_settled(Train, settings, options), progress, model, optimizer, callbacks)


@explained("deepfake_cli.evaluate")
def evaluate(
    settings: Evaluate | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    **options: Any,
) -> "EvaluateResult":
    """Evaluate a detector on lists; see `deepfake_cli.commands.evaluate.evaluate`.

    Args:
        settings: see `deepfake_cli.config.Evaluate`.
        progress: called with the number of frames scored and the total.
        options: fields of the settings; they override `settings`.
    """
    from deepfake_cli.commands.evaluate import evaluate as run

    return run(_settled(Evaluate, settings, options), progress)


def predict(
    settings: Predict | None = None,
    progress: Callable[[Path, int, int], None] = lambda path, done, total: None,
    begin: Callable[[Path, int, int], None] = lambda path, number, count: None,
    **options: Any,
) -> "PredictResult":
    """Classify files; see `deepfake_cli.commands.predict.predict`.

    Args:
        settings: see `deepfake_cli.config.Predict`.
        progress: called with a file, the number of its frames done and the total.
        begin: called with each file before it is judged, its number from 1 and the number of files; not on a cluster.
        options: fields of the settings; they override `settings`: ``predict(paths=["clip.mp4"])``.

    Returns:
        A sequence of verdicts, one per file, with `to_df`, `to_dict` and `save`.

    Raises:
        FileNotFoundError: a file does not exist; nothing is judged then.
        DeepfakeError: see `deepfake_cli.commands.predict.predict`.
    """
    from deepfake_cli.commands.predict import predict as run

    found = _settled(Predict, settings, options)
    if found.paths:
        from deepfake_cli.inference.sources import check_all_there

        check_all_there(found.paths)
    return run(found, progress, begin)


def _settled(step: type[S], settings: S | None, options: dict[str, Any]) -> S:
    """Merge the settings and the options, and test that the outputs can be written.

    Raises:
        OSError: an output cannot be written.
        ConfigError: an option is unknown, missing, of a wrong type or out of range.
        TypeError: `settings` has the wrong class.
    """
    if settings is not None and not isinstance(settings, step):
        raise TypeError(f"Expected settings of {step.__name__}, or its options by keyword. Received: {settings!r}.")
    if settings is None or options:
        settings = resolve(step, options, assume=dict(settings) if settings else None)[0]
    settings.check_outputs()
    return settings
