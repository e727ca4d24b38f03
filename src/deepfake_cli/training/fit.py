"""Fit a model: build or load it, open its run, and train it epoch by epoch. Loads TensorFlow."""

import errno
import math
import os
from collections.abc import Callable
from contextlib import closing, nullcontext
from functools import partial
from itertools import pairwise
from pathlib import Path

import keras
import pandas as pd
import tensorflow as tf

from deepfake_cli.config import Train
from deepfake_cli.data import checks
from deepfake_cli.distributed import devices, environment, gpu_kernels, rendezvous
from deepfake_cli.errors import DeviceError, ManifestError, ModelError
from deepfake_cli.models import architecture, build_model, load_weights, thaw, unfrozen
from deepfake_cli.models.contract import check
from deepfake_cli.models.files import read_model
from deepfake_cli.runs import recipe
from deepfake_cli.runs.folder import named_folder
from deepfake_cli.runs.read_only import ReadOnlyRun
from deepfake_cli.runs.resume import Start
from deepfake_cli.runs.run import Run
from deepfake_cli.storage.disk import check_output, sentence
from deepfake_cli.storage.urls import url
from deepfake_cli.training import augmentation, checkpoint, input_pipeline, memory, precision, xla
from deepfake_cli.training.callbacks import training_callbacks
from deepfake_cli.training.events import Begun, Phase, Progress, list_counts
from deepfake_cli.training.input_speed import InputSpeed
from deepfake_cli.training.interrupt import hold_first_signal
from deepfake_cli.training.optimizer import compiled, kept_weights
from deepfake_cli.training.out_of_memory import NO_DISK, is_out_of_memory
from deepfake_cli.training.own import Own
from deepfake_cli.training.scoring import image_size, unreadable
from deepfake_cli.training.team import MakeBatches, Team, check_workers, shared_facts
from deepfake_cli.training.tensorboard import EventWriter

Batches = Callable[[int, int], tf.data.Dataset]  # from an epoch and a step of it on
Callbacks = list[keras.callbacks.Callback]
COPIES = 2  # of the weights, at least, that are on the disk at a time: the snapshot of an epoch and best.keras


def fit(
    settings: Train,
    table: pd.DataFrame,
    validation: pd.DataFrame | None,
    progress: Progress,
    run: Run | None = None,
    own: Own | None = None,
) -> Run:
    """Train on `table`, in a new run or resuming `run`; see `deepfake_cli.commands.train.train`."""
    own = own or Own()
    workers, visible = environment.find_workers(os.environ), devices.visible_gpus()
    plan = devices.choose(
        settings.gpu, settings.multi_gpu, settings.multi_gpu_force, visible, os.cpu_count() or 1, workers
    )
    named = bool(settings.run or settings.snapshot_path or settings.resume)
    check_workers(plan, batch_size=settings.batch_size, named=named)
    if workers:
        rendezvous.meet(workers, shared_facts(settings, run.start if run else Start()))
    if own.model is not None and plan.replicas > 1:
        raise DeviceError("A Keras model trains on one device. Give it as module:function to train on several.")
    strategy = devices.open_strategy(plan)
    team = Team(plan, strategy)
    keras.utils.set_random_seed(settings.seed)
    card = precision.capability()
    chosen = precision.choose(settings.precision, plan, card)
    keras.config.set_dtype_policy(chosen.policy)
    progress(Phase("building the model"))
    with strategy.scope():
        model, start, notes = _resumed(run) if run and run.start.file else _first_model(settings, own)
    keras.config.set_dtype_policy("float32")
    model.jit_compile = xla.compiles(settings, plan, model, own=own.model is not None)  # not what a snapshot says
    augment = augmentation.Augmentation.from_settings(settings)
    begin = Run.begin if not workers or workers.is_chief else ReadOnlyRun.begin
    if run is None and (not workers or workers.is_chief):
        folder = named_folder(settings.run, settings.runs_dir, settings.snapshot_path) or settings.runs_dir
        check_output(folder, folder=True, needed=COPIES * 4 * model.count_params())
    name = own.model.name if own.model else _model_name(settings.snapshot, settings.model)
    run = run or begin(settings, name, start, model.save)
    try:
        reasons: tuple[str, ...] = (plan.reason, chosen.reason, *["XLA"] * model.jit_compile)
        augmentation.augment_each_step(checkpoint.built(model, start), augment)
        team.prepare(model)
        if isinstance(settings.batch_size, str):
            progress(Phase("finding the largest batch that fits"))
            settings = run.with_batch(memory.chosen(model, plan, visible))
            reasons = (*reasons, f"batch size {settings.batch} ({memory.WHY[bool(plan.gpus)]})")
        steps = settings.steps or math.ceil(len(table) / settings.batch)
        if settings.real_only and validation is not None:
            validation = augmentation.with_forged(validation)
        compiling = (
            gpu_kernels.note(gpu_kernels.built_for(), card),
            gpu_kernels.xla_note() if model.jit_compile else "",
        )
        notes = (*notes, *_other_versions(run), *filter(None, compiling))
        begun = _describe(run, model, "; ".join(reasons), steps, table, validation, notes)
        run.write()
        progress(begun)
        change = augment.forged if settings.real_only else None
        events = EventWriter(run, validation, change) if run.writes else None
        batches = _batches(settings, table, image_size(model), steps)
        if events:
            progress(Phase("reading the first batch"))
            events.training_begun(batches(start.epoch, start.step), augment, team.replicas)
        with hold_first_signal() as stopping, closing(events) if events else nullcontext():
            callbacks = training_callbacks(
                run,
                validation,
                progress if run.writes else lambda event: None,
                steps=steps,
                team=team,
                stopping=stopping,
                events=events,
                change=change,
            )
            if not workers:
                size, anew = image_size(model), partial(batches, step=0)
                callbacks.append(InputSpeed(settings, table, size, anew, progress))
            _train(model, run, start, team, partial(team.batches, batches), steps, [*callbacks, *own.callbacks])
    except (tf.errors.OpError, MemoryError) as error:
        if is_out_of_memory(error):
            progress(Phase("finding the largest batch that fits"))
            raise _explained(memory.explained(error, model, settings, plan, visible), run) from None
        if damaged := gpu_kernels.forget_damaged(error):
            raise _explained(ModelError(damaged), run) from None
        if refused := xla.refused(error, model):
            raise _explained(refused, run) from None
        raise _explained(team.lost_worker(error) or unreadable(table, error), run) from None
    except (ManifestError, OSError) as error:
        raise _explained(error, run) from None
    finally:
        run.close()
    return run


def _train(
    model: keras.Model, run: Run, start: Start, team: Team, batches: Batches, steps: int, callbacks: Callbacks
) -> None:
    """Train the rest of the epoch that the run resumes in, then the epochs after it."""
    settings, epoch, step = run.settings, start.epoch, start.step
    if step == steps:  # stopped after the last step, before the validation
        hooks = keras.callbacks.CallbackList(callbacks, model=model)
        hooks.on_epoch_begin(epoch)
        hooks.on_epoch_end(epoch, model.get_metrics_result())
    elif step:
        _fit_epochs(model, batches(epoch, step), callbacks, steps - step, epoch, epoch + 1)
    epoch += bool(step)
    for first, last in _stages(epoch, settings.epochs, settings.unfreeze_epoch):
        if not run.recipe.get("ended"):
            _thaw_if_due(model, settings, team, first)
            _fit_epochs(model, batches(first, 0), callbacks, steps, first, last)


def _stages(epoch: int, epochs: int, unfreeze: int) -> list[tuple[int, int]]:
    """The remaining epochs as (first, end): those with frozen layers, then those without."""
    ends = [epoch, unfreeze, epochs] if epoch < unfreeze < epochs else [epoch, epochs]
    return [(first, last) for first, last in pairwise(ends) if first < last]


def _thaw_if_due(model: keras.Model, settings: Train, team: Team, epoch: int) -> None:
    """Unfreeze the whole model from ``--unfreeze-epoch`` on, with a new optimizer.

    A snapshot of a later epoch holds both, so this happens only once, between two epochs.
    """
    if not settings.unfreeze_epoch or epoch < settings.unfreeze_epoch or unfrozen(model) == model.count_params():
        return
    with model.distribute_strategy.scope():
        thaw(model)
        compiled(model, settings, xla=bool(model.jit_compile))
    team.synchronize(checkpoint.built(model, Start()))


def _fit_epochs(
    model: keras.Model, batches: tf.data.Dataset, callbacks: Callbacks, steps: int, first: int, last: int
) -> None:
    """Train the epochs from `first` to before `last`, with this many steps each."""
    with kept_weights(model.optimizer):
        model.fit(
            batches,
            steps_per_epoch=steps,
            initial_epoch=first,
            epochs=last,
            callbacks=callbacks,
            shuffle=False,
            verbose=0,
        )


def _batches(settings: Train, table: pd.DataFrame, size: int, steps: int) -> MakeBatches:
    """A function from an epoch and a step to the training batches from there on."""
    cached = input_pipeline.in_memory(table, size, settings.workers) if settings.cache else None
    share = augmentation.forged_share(settings.forgery, settings.forgery_share, settings.real_only)
    return lambda epoch, step, **parts: input_pipeline.training_batches(
        table,
        image_size=size,
        batch_size=settings.batch,
        steps=steps,
        first_epoch=epoch,
        first_step=step,
        reals=augmentation.drawn_reals(share) if settings.balance else None,
        seed=settings.seed,
        workers=settings.workers,
        images=cached,
        **parts,
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
    """Record model, devices and lists in the recipe; return the event that reports them."""
    parts = {name: rows for name, rows in (("train", table), ("validation", validation)) if rows is not None}
    counts = {name: list_counts(rows) for name, rows in parts.items()}
    size = image_size(model)
    run.recipe |= {"image_size": size, "plan": plan, "train": counts["train"]}
    run.recipe |= {"validation": counts.get("validation", {})}
    run.recipe["groups"] = {name: checks.groups(rows) for name, rows in parts.items()}
    return Begun(
        folder=run.folder,
        home=url(run.location.path),
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
    """The model of a run to resume, with its optimizer: model, start, and notes for the user."""
    start = run.start
    assert start.file is not None
    return read_model(start.file, compile=True), start, (f"Resuming {url(run.location.path)} from {start}.",)


def _first_model(settings: Train, own: Own) -> tuple[keras.Model, Start, tuple[str, ...]]:
    """The model of a new run, built or read from ``--snapshot``: model, start, and notes for the user."""
    if settings.snapshot:
        model = read_model(settings.snapshot, compile=True)
        recorded = recipe.epoch_of(settings.snapshot)
        done = settings.initial_epoch if recorded is None else recorded
        if done >= settings.epochs:
            raise ModelError(
                f"{settings.snapshot} is trained for {done} epochs already. Set a higher --epochs to train further."
            )
        if model.optimizer is None:
            note = "The snapshot has no optimizer state: training starts with a new optimizer."
            return compiled(model, settings), Start(epoch=done), (note,)
        return model, Start(epoch=done), (f"Starting from {settings.snapshot}, after epoch {done}.",)
    if own.model is not None:
        check(own.model, "model")
        return compiled(own.model, settings, optimizer=own.optimizer), Start(epoch=settings.initial_epoch), ()
    pretrained = settings.imagenet_weights and not settings.weights
    model = build_model(
        settings.model,
        image_size=settings.image_size,
        weights="imagenet" if pretrained else None,
        tune=settings.trained,
    )
    if settings.weights:
        load_weights(model, settings.weights)
    from_scratch = pretrained and not architecture(settings.model).pretrained
    notes = (f"{settings.model} has no pretrained weights: training starts from random ones.",) if from_scratch else ()
    return compiled(model, settings, optimizer=own.optimizer), Start(epoch=settings.initial_epoch), notes


def _model_name(snapshot: Path | None, model: str) -> str:
    """The architecture that a snapshot's recipe names; `model` without a snapshot or recipe."""
    return recipe.read(snapshot).get("model", model) if snapshot else model


def _other_versions(run: Run) -> tuple[str, ...]:
    """A note if package versions changed since the run began, since results are identical only with the same ones."""
    now, then = recipe.versions(), run.recipe["versions"]
    changed = [f"{name} {then.get(name)}, now {now[name]}" for name in now if now[name] != then.get(name)]
    return (f"The run began with {'; '.join(changed)}. Its result may differ slightly.",) if changed else ()


def _explained(error: Exception, run: Run) -> Exception:
    """The error with what was saved, and how to resume."""
    if isinstance(error, ManifestError):
        return ManifestError(f"{error}\n{run.saved_note()}")
    if isinstance(error, DeviceError):
        return DeviceError(f"{error} {run.saved_note()}")
    if isinstance(error, ModelError):  # of memory: without a saved state there is nothing to resume
        return ModelError(f"{error} {run.saved_note()}") if run.saved else error
    if isinstance(error, OSError):
        return ModelError(f"{sentence(error)} {run.saved_note()}")
    if isinstance(error, tf.errors.ResourceExhaustedError) and NO_DISK in str(error):  # TensorBoard's events
        return ModelError(f"{sentence(OSError(errno.ENOSPC, '', str(run.folder)))} {run.saved_note()}")
    return error
