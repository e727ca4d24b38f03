"""The fitting itself, with TensorFlow loaded: `train` has checked the lists before."""

import math
import os
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import keras
import pandas as pd
import tensorflow as tf

from deepfake_cli.config import Train
from deepfake_cli.data import checks
from deepfake_cli.distributed import devices, environment, rendezvous
from deepfake_cli.errors import DeviceError, ManifestError, ModelError
from deepfake_cli.models import architecture, build_model, load_weights, thaw, unfrozen
from deepfake_cli.models.files import read_model
from deepfake_cli.runs import recipe
from deepfake_cli.runs.read_only import Beside
from deepfake_cli.runs.resume import Start
from deepfake_cli.runs.run import Run
from deepfake_cli.storage.remote import url
from deepfake_cli.training import augmentation, checkpoint, input_pipeline, precision
from deepfake_cli.training import team as workers
from deepfake_cli.training.callbacks import Keeper
from deepfake_cli.training.events import Begun, Progress, counted
from deepfake_cli.training.interrupt import held
from deepfake_cli.training.optimizer import compiled
from deepfake_cli.training.scoring import image_size, unreadable

Batches = Callable[[int, int], tf.data.Dataset]  # from an epoch and a step of it on


def fit(
    settings: Train, table: pd.DataFrame, validation: pd.DataFrame | None, progress: Progress, run: Run | None = None
) -> Run:
    """Train on `table`, in a new run or going on with `run`; see `deepfake_cli.commands.train.train`."""
    together, visible = environment.found(os.environ), devices.visible_gpus()
    plan = devices.choose(
        settings.gpu, settings.multi_gpu, settings.multi_gpu_force, visible, os.cpu_count() or 1, together
    )
    workers.check(settings, plan)
    if together:
        rendezvous.meet(together, workers.facts(settings, run.start if run else Start()))
    strategy = devices.open_strategy(plan)
    team = workers.Team(plan, strategy)
    keras.utils.set_random_seed(settings.seed)
    how = precision.choose(settings, plan, precision.capability())
    keras.config.set_dtype_policy(how.policy)
    with strategy.scope():
        model, start, notes = _resumed(run) if run and run.start.file else _model(settings, how.xla)
    keras.config.set_dtype_policy("float32")
    altered = augmentation.Change.of(settings)
    begin = Run.begin if not together or together.is_chief else Beside.begin
    run = run or begin(settings, _name(settings), start, model.save)
    try:
        steps = settings.steps or math.ceil(len(table) / settings.batch_size)
        if settings.real_only and validation is not None:
            validation = augmentation.with_forged(validation)
        begun = _describe(
            run, model, f"{plan.reason}; {how.reason}", steps, table, validation, (*notes, *_other_versions(run))
        )
        run.write()
        progress(begun)
        progress = progress if run.writes else lambda event: None
        augmentation.before_each_step(checkpoint.made(model, start), altered)
        team.prepare(model)
        keeper = Keeper(run, validation, progress, steps, team, altered.forged if settings.real_only else None)
        batches = _batches(settings, table, image_size(model), steps)
        keeper.begun(batches(start.epoch, start.step), altered)
        _train(model, start, steps, partial(team.batches, batches), keeper)
    except tf.errors.OpError as error:
        raise _told(team.told(error) or unreadable(table, error), run) from None
    except (ManifestError, OSError) as error:
        raise _told(error, run) from None
    finally:
        run.close()
    return run


def _train(model: keras.Model, start: Start, steps: int, batches: Batches, keeper: Keeper) -> None:
    """The rest of the epoch in whose middle a run goes on, if it does, and the epochs after it."""
    epoch, step, epochs = start.epoch, start.step, keeper.run.settings.epochs
    with held() as keeper.stopping:
        try:
            if step == steps:  # stopped between the last step and the figures
                keeper.set_model(model)
                keeper.on_epoch_begin(epoch)
                keeper.on_epoch_end(epoch, model.get_metrics_result())
            elif step:
                _epochs(model, batches(epoch, step), keeper, steps - step, epoch, epoch + 1)
            epoch += bool(step)
            for first, last in _stages(epoch, epochs, keeper.run.settings.unfreeze_epoch):
                if not keeper.run.recipe.get("ended"):
                    _thaw_if_due(model, keeper, first)
                    _epochs(model, batches(first, 0), keeper, steps, first, last)
        finally:
            keeper.close()


def _stages(epoch: int, epochs: int, unfreeze: int) -> list[tuple[int, int]]:
    """The epochs to come, from the first to before the last: those with frozen layers, then those without."""
    ends = [epoch, unfreeze, epochs] if epoch < unfreeze < epochs else [epoch, epochs]
    return [(first, last) for first, last in pairwise(ends) if first < last]


def _thaw_if_due(model: keras.Model, keeper: Keeper, epoch: int) -> None:
    """Train all of the model from the epoch on that the user chose, with a new optimizer.

    A run that goes on later finds both in its file: only here do they change, between two epochs.
    """
    settings = keeper.run.settings
    if not settings.unfreeze_epoch or epoch < settings.unfreeze_epoch or unfrozen(model) == model.count_params():
        return
    with model.distribute_strategy.scope():
        thaw(model)
        compiled(model, settings, xla=bool(model.jit_compile))
    keeper.team.unite(checkpoint.made(model, Start()))


def _epochs(model: keras.Model, batches: tf.data.Dataset, keeper: Keeper, steps: int, first: int, last: int) -> None:
    model.fit(
        batches,
        steps_per_epoch=steps,
        initial_epoch=first,
        epochs=last,
        callbacks=[keeper],
        shuffle=False,
        verbose=0,
    )


def _batches(settings: Train, table: pd.DataFrame, size: int, steps: int) -> workers.Make:
    kept = input_pipeline.in_memory(table, size, settings.workers) if settings.cache else None
    return lambda epoch, step, **part: input_pipeline.training_batches(
        table,
        image_size=size,
        batch_size=settings.batch_size,
        steps=steps,
        first_epoch=epoch,
        first_step=step,
        reals=augmentation.reals_drawn(settings) if settings.balance else None,
        seed=settings.seed,
        workers=settings.workers,
        images=kept,
        **part,
    )


def _describe(
    run: Run,
    model: keras.Model,
    plan: str,
    steps: int,
    table: pd.DataFrame,
    validation: pd.DataFrame | None,
    notes: tuple[str, ...],
) -> Begun:
    """Record what is trained on what, and where; return the same for the user."""
    parts = {name: rows for name, rows in (("train", table), ("validation", validation)) if rows is not None}
    counts = {name: counted(rows) for name, rows in parts.items()}
    size = image_size(model)
    run.recipe |= {"image_size": size, "plan": plan, "train": counts["train"]}
    run.recipe |= {"validation": counts.get("validation", {})}
    run.recipe["groups"] = {name: checks.groups(rows) for name, rows in parts.items()}
    return Begun(
        folder=run.folder,
        home=url(run.home.path),
        resumes=run.resumes,
        model=run.recipe["model"],
        parameters=model.count_params(),
        trainable=unfrozen(model),
        image_size=size,
        plan=plan,
        steps=steps,
        epochs=run.settings.epochs,
        train=counts["train"],
        validation=counts.get("validation", {}),
        notes=notes,
        beside=not run.writes,
    )


def _resumed(run: Run) -> tuple[keras.Model, Start, tuple[str, ...]]:
    start = run.start
    assert start.file is not None
    return read_model(start.file, compile=True), start, (f"Going on with {url(run.home.path)} from {start}.",)


def _model(settings: Train, xla: bool) -> tuple[keras.Model, Start, tuple[str, ...]]:
    """Build the model, or begin with a snapshot: the model, the epochs it has, and what the user should know."""
    if settings.snapshot:
        model = read_model(settings.snapshot, compile=True)
        known = recipe.epoch_of(settings.snapshot)
        done = settings.initial_epoch if known is None else known
        if done >= settings.epochs:
            raise ModelError(f"{settings.snapshot} has {done} epochs already; ask for more with --epochs.")
        if model.optimizer is None:
            note = "The snapshot has no optimizer: a new one starts."
            return compiled(model, settings, xla=xla), Start(epoch=done), (note,)
        return model, Start(epoch=done), (f"Going on from {settings.snapshot}, after epoch {done}.",)
    chosen = architecture(settings.model)
    pretrained = settings.imagenet_weights and not settings.weights
    model = build_model(
        settings.model,
        image_size=settings.image_size,
        weights="imagenet" if pretrained else None,
        tune=settings.trained,
    )
    if settings.weights:
        load_weights(model, settings.weights)
    notes = (
        (f"{settings.model} has no ImageNet weights: it starts from scratch.",)
        if pretrained and not chosen.pretrained
        else ()
    )
    return compiled(model, settings, xla=xla), Start(epoch=settings.initial_epoch), notes


def _name(settings: Train) -> str:
    return recipe.read(settings.snapshot).get("model", settings.model) if settings.snapshot else settings.model


def _other_versions(run: Run) -> tuple[str, ...]:
    """A note, where the packages are others than when the run began: the same result to the bit needs the same ones."""
    now, then = recipe.versions(), run.recipe["versions"]
    changed = [f"{name} {then.get(name)}, now {now[name]}" for name in now if now[name] != then.get(name)]
    return (f"The run began with {'; '.join(changed)}: its result may differ a little.",) if changed else ()


def _told(error: Exception, run: Run) -> Exception:
    """The error, with what is kept and how to go on."""
    if isinstance(error, ManifestError):
        return ManifestError(f"{error}\n{run.kept()}")
    if isinstance(error, DeviceError):
        return DeviceError(f"{error} {run.kept()}")
    if isinstance(error, OSError):
        return ModelError(f"{error}. {run.kept()}")
    if isinstance(error, tf.errors.ResourceExhaustedError):
        what = "The device has too little memory for these settings: try a lower --batch-size or --image-size in a new run."
        return ModelError(f"{what} {run.kept()}")
    return error
