"""What happens where a step does not fit in memory, with a model that has room for few images only."""

import importlib
import json

import pytest
import tensorflow as tf

from deepfake_cli.config import Train
from deepfake_cli.distributed.devices import Gpu, choose
from deepfake_cli.distributed.environment import Workers
from deepfake_cli.errors import ConfigError
from deepfake_cli.runs.resume import own_settings
from deepfake_cli.training import memory
from deepfake_cli.training.memory import largest
from deepfake_cli.training.out_of_memory import is_out_of_memory
from deepfake_cli.training.team import check_workers

ROOM = """
import keras
import tensorflow as tf

def check(images):
    if len(images) > ROOM:
        raise MemoryError(f"no room for {len(images)} images")
    return images

class Room(keras.layers.Layer):
    def call(self, images):
        if keras.backend.is_keras_tensor(images):
            return images
        held = tf.numpy_function(check, [images], images.dtype)
        with tf.control_dependencies([held]):
            return tf.identity(images)

def build(input_shape, weights):
    inputs = keras.Input(input_shape)
    x = keras.layers.Conv2D(4, 3, strides=4, activation="relu")(Room()(keras.layers.Rescaling(1 / 255)(inputs)))
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Dropout(0.5)(keras.layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid", name="probability")(x), name="room")
"""
FAST = ("--model", "room:build", "--image-size", 32, "--no-onnx", "--epochs", 1, "--steps", 2)


@pytest.fixture
def project(tmp_path, deepfake, frames_of_uadfv):
    """A folder with lists of the small UADFV, and a model with room for four images at a time."""
    (tmp_path / "room.py").write_text(f"ROOM = 4\n{ROOM}")
    deepfake("make-csv", "uadfv", "--imgdir", frames_of_uadfv, "--ratio", 0.67)
    return tmp_path


@pytest.fixture
def room(project, monkeypatch):
    """The module of the model."""
    monkeypatch.syspath_prepend(project)
    monkeypatch.delitem(importlib.sys.modules, "room", raising=False)
    yield importlib.import_module("room")
    importlib.sys.modules.pop("room", None)


@pytest.fixture(scope="module")
def tiny():
    """A small compiled model with an optimizer."""
    import keras

    inputs = keras.Input((8, 8, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
    model.compile("adam", "binary_crossentropy")
    model.optimizer.build(model.trainable_variables)
    return model


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.slow
def test_the_error_of_train_names_the_largest_batch_and_auto_finds_it(project, deepfake):
    failed = words(deepfake("train", *FAST, "--batch-size", 24, "--run", "large", check=1).stderr)
    assert "room at 32 px does not fit in the memory of this machine with --batch-size 24." in failed
    assert "The largest that fits is 4: start a new run with it, or with auto." in failed
    assert "Resume" not in failed, "there is nothing to resume"
    found = words(deepfake("train", *FAST, "--batch-size", "auto", "--run", "auto").stdout)
    assert "batch size 4 (at most 16 on a CPU)" in found
    deepfake("train", *FAST, "--batch-size", 4, "--run", "given")
    auto, given = (json.loads((project / "runs" / name / "recipe.json").read_text()) for name in ("auto", "given"))
    assert auto["settings"]["batch_size"] == 4
    assert auto["history"] == given["history"], "the trial changes neither weights nor seeds"


@pytest.mark.slow
def test_evaluate_and_matrix_name_the_largest_batch(project, deepfake, room):
    room.build((32, 32, 3), None).save_weights(project / "room.weights.h5")
    model = ("room.weights.h5", "--model", "room:build", "--image-size", 32)
    failed = words(deepfake("evaluate", *model, "--batch-size", 7, check=1).stderr)
    assert "room at 32 px runs out of memory with --batch-size 7. The largest that fits is --batch-size 4." in failed
    deepfake("evaluate", *model, "--batch-size", 4)
    config = '[train]\nmodel = "room:build"\nimage_size = 32\nbatch_size = 24\nepochs = 1\nsteps = 2\nonnx = false\n'
    (project / "c.toml").write_text(config)
    lists = (
        "--train",
        "a=csv/train/train.csv",
        "--val",
        "csv/val/validation.csv",
        "--test",
        "a=csv/val/validation.csv",
    )
    done = deepfake("matrix", *lists, "--train-config", "c.toml", check=None)
    assert "The largest that fits is 4" in words(done.stdout + done.stderr)


@pytest.mark.parametrize(
    ("room", "first", "most", "found", "tried"),
    [
        (1000, 8, 256, 256, [8, 16, 32, 64, 128, 256]),
        (100, 8, 256, 64, [8, 16, 32, 64, 128]),
        (3, 8, 256, 2, [8, 4, 2]),
        (0, 8, 256, None, [8, 4, 2, 1]),
        (100, 16, 16, 16, [16]),
        (16, 16, 0, 16, [16]),
    ],
)
def test_the_largest_power_of_two_is_found_by_doubling_or_halving(room, first, most, found, tried):
    seen = []
    assert largest(lambda size: seen.append(size) or size <= room, first, most) == found
    assert seen == tried


def test_on_a_gpu_a_tenth_of_the_memory_stays_free_and_no_step_is_tried_that_would_not_leave_it(tiny, monkeypatch):
    """The memory of a GPU of 1,000 MiB, of which a step takes 100 and 12 for each image."""
    steps = []

    def step(images, labels, places):
        steps.append(len(images))
        return images

    monkeypatch.setattr(tf.config.experimental, "reset_memory_stats", lambda device: None)
    monkeypatch.setattr(
        tf.config.experimental, "get_memory_info", lambda device: {"peak": (100 + 12 * steps[-1]) * 2**20}
    )
    monkeypatch.setattr(memory.Trial, "_compiled", lambda self: step)
    cards = [Gpu(0, "T4", 1000)]
    assert memory.chosen(tiny, choose(None, 0, False, cards, 8), cards) == 64
    assert steps == [8, 16, 32, 64], "128 images would take 1,636 MiB"


def test_the_estimate_grows_with_images_and_weights_and_bounds_auto_on_a_cpu(tiny, monkeypatch):
    plan = choose("cpu", 0, False, [], 8)
    one, two, three = (memory.estimated(tiny, images) for images in (1, 2, 3))
    assert 0 < one < two and three - two == two - one
    monkeypatch.setattr(memory.Trial, "fits", lambda self, images: True)
    free = type("Memory", (), {"available": 2 * memory.estimated(tiny, 5)})
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: free)
    assert memory.chosen(tiny, plan, []) == 4


@pytest.mark.parametrize(
    ("error", "memory_is_short"),
    [
        (MemoryError(), True),
        (tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[8,3]"), True),
        (tf.errors.InternalError(None, None, "CUDA_ERROR_OUT_OF_MEMORY: out of memory"), True),
        (tf.errors.ResourceExhaustedError(None, None, "events: No space left on device"), False),
        (tf.errors.InvalidArgumentError(None, None, "no image"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_errors_of_memory_are_told_from_others(error, memory_is_short):
    assert is_out_of_memory(error) == memory_is_short


@pytest.mark.parametrize("value", [0, -1, "many", "1.5", 2.5])
def test_a_batch_size_is_a_number_or_auto(value):
    with pytest.raises(ValueError, match="expected a number of images, 1 or more, or auto"):
        Train(batch_size=value)
    assert Train(batch_size="8").batch_size == 8 and Train(batch_size="auto").batch_size == "auto"


def test_a_run_keeps_the_number_that_auto_found(tmp_path):
    facts = {"settings": Train(batch_size=32).model_dump(mode="json")}
    assert own_settings(Train(batch_size="auto"), facts, tmp_path).batch_size == 32
    with pytest.raises(ConfigError, match="batch_size 32, now 16"):
        own_settings(Train(batch_size=16), facts, tmp_path)


def test_several_workers_need_a_number():
    plan = choose("cpu", 0, False, [], 8, Workers(("a:1", "b:1"), 0, "worker 0"))
    with pytest.raises(ConfigError, match="auto works on one machine only: give 2 workers a number"):
        check_workers(plan, batch_size="auto", named=True)
