"""All forgeries and degradations on real face crops."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

from deepfake_cli import assets, forgery
from deepfake_cli.commands.forge import forge
from deepfake_cli.config import Forge, resolve
from deepfake_cli.errors import DeepfakeError
from deepfake_cli.faces import rfb320
from deepfake_cli.faces.crop import crop
from deepfake_cli.forgery import DEGRADATIONS, FORGERIES, CrossBlend, FaceWarp, SelfBlend
from deepfake_cli.forgery.cross_blend import matched
from deepfake_cli.forgery.jpeg import compressed
from deepfake_cli.forgery.mix import forge_all, forge_reals
from deepfake_cli.forgery.resample import images_of, planes, positions, separable, tent, turned
from deepfake_cli.media.image import read_image
from deepfake_cli.reporting.image_grid import GAP

SIZE = 224
SEED = (3, 5)
FLAT = {"black": 0, "grey": 128, "white": 255}
every_forgery = pytest.mark.parametrize("name", FORGERIES)
every_degradation = pytest.mark.parametrize("name", DEGRADATIONS)


@pytest.fixture(scope="module")
def faces(people) -> np.ndarray:
    """Six real face crops, float32 RGB."""
    detect = rfb320(0.5)
    images = [image for frames in people.values() for image in (frames[0], frames[7])]
    crops = [crop(image, detect(image)[0], margin=1.3, size=SIZE)[..., ::-1] for image in images]
    return np.stack(crops).astype("float32")


def resized(images, size):
    return np.stack([cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) for image in images])


def forged(layer, images, seed=SEED, **how):
    return tuple(map(np.asarray, layer.forge(images, seed, **how)))


def degraded(name, images, seed=SEED, strength=1.0, **how):
    return np.asarray(DEGRADATIONS[name](strength, **how)(images, seed=seed, training=True))


def psnr(one, other):
    return 10 * np.log10(255**2 / max(1e-9, np.mean((np.asarray(one, "float64") - other) ** 2)))


@every_forgery
@pytest.mark.parametrize(("batch", "size"), [(1, 224), (3, 64), (3, 256), (32, 64), (1, 100), (2, 32)])
def test_forgeries_keep_shape_and_range(faces, name, batch, size):
    images = resized(faces[np.arange(batch) % len(faces)], size)
    after, masks = forged(FORGERIES[name](), images)
    assert after.shape == images.shape and masks.shape == (batch, size, size, 1)
    assert after.dtype == masks.dtype == np.float32
    assert after.min() >= 0 and after.max() <= 255 and np.isfinite(after).all()


@every_forgery
def test_forgeries_at_full_batch_and_size(faces, name):
    after, _ = forged(FORGERIES[name](), faces[np.arange(32) % len(faces)])
    assert after.shape == (32, SIZE, SIZE, 3)


@every_forgery
def test_mixed_precision_does_not_round_the_pixels_of_fakes(faces, name, request):
    request.addfinalizer(lambda: keras.config.set_dtype_policy("float32"))
    found = []
    for policy in ("float32", "mixed_bfloat16"):
        keras.config.set_dtype_policy(policy)
        found.append(forged(FORGERIES[name](), faces[:2])[0])
    np.testing.assert_array_equal(*found)


@every_forgery
@pytest.mark.parametrize("strength", [0.5, 1, 2, 4])
def test_masks_are_soft_and_lie_on_the_face(faces, name, strength):
    _, masks = forged(FORGERIES[name](strength), faces[np.arange(32) % len(faces)])
    assert masks.min() == 0 and masks.max() <= 1
    assert ((masks > 0.02) & (masks < 0.25)).mean(axis=(1, 2, 3)).min() > 0.005  # neither square nor cut-out
    assert max(np.abs(np.diff(masks, axis=axis)).max() for axis in (1, 2)) < 0.2
    border = np.ones((SIZE, SIZE), bool)
    border[10:-10, 28:-28] = False
    assert not masks[:, border].any()
    shares = (masks > 0.5 * masks.max(axis=(1, 2, 3), keepdims=True)).mean(axis=(1, 2, 3))
    assert shares.min() > 0.03 and shares.max() < 0.45
    assert shares.std() > 0.02, "shapes differ"


@every_forgery
def test_images_change_inside_of_the_mask_only(faces, name):
    after, masks = forged(FORGERIES[name](), faces)
    change = np.abs(after - faces)
    assert np.array_equal(after[masks[..., 0] == 0], faces[masks[..., 0] == 0])
    for image, mask in zip(change, masks[..., 0], strict=True):
        assert image[mask > 0.9 * mask.max()].mean() > 1.0
        assert image[(mask > 0) & (mask < 0.02)].mean() < 1.0


@every_forgery
def test_forged_face_is_still_detected(faces, name):
    """The face detector finds it at the same position, and its mean colour stays close."""
    detect = rfb320(0.5)
    after, masks = forged(FORGERIES[name](), faces)
    for before, image, mask in zip(faces, after, masks[..., 0], strict=True):
        found, expected = (detect(np.rint(each).astype("uint8")[..., ::-1].copy())[0] for each in (image, before))
        assert found.overlap(expected) > 0.8
        inside = mask > 0.9 * mask.max()
        assert np.abs(image[inside].mean(0) - before[inside].mean(0)).max() < 50


def test_warped_face_is_smoother(faces):
    after, masks = forged(FaceWarp(colour=False, shapes=False), faces)
    for before, image, mask in zip(faces, after, masks[..., 0] > 0.95, strict=True):
        real, fake = (cv2.Laplacian(each.mean(-1), cv2.CV_32F)[mask].var() for each in (before, image))
        assert fake < 0.5 * real


def test_self_blending_changes_in_both_directions(faces):
    """Some copies are sharper, some smoother; some lighter, some darker, so that neither reveals the label."""
    images = faces[np.zeros(32, int)]
    after, masks = forged(SelfBlend(), images)
    sharper, lighter = [], []
    for before, image, mask in zip(images, after, masks[..., 0] > 0.9, strict=True):
        if mask.any():
            real, fake = (cv2.Laplacian(each.mean(-1), cv2.CV_32F)[mask].var() for each in (before, image))
            sharper.append(fake > real)
            lighter.append(image[mask].mean() > before[mask].mean())
    assert 0.15 < np.mean(sharper) < 0.85 and 0.15 < np.mean(lighter) < 0.85


@every_forgery
def test_stronger_forgeries_change_more(faces, name):
    weak, plain, strong = (psnr(forged(FORGERIES[name](strength), faces)[0], faces) for strength in (0.3, 1, 2.5))
    assert weak > plain + 0.5 and plain > strong + 0.5


@every_forgery
def test_strength_0_forges_nothing(faces, name):
    after, masks = forged(FORGERIES[name](0), faces)
    assert np.array_equal(after, faces) and not masks.any()


@pytest.mark.parametrize("name", [*FORGERIES, *DEGRADATIONS])
def test_same_seed_gives_same_bytes(faces, name):
    def run(seed):
        layer = (FORGERIES | DEGRADATIONS)[name]()
        return np.asarray(layer(faces, seed=seed, training=True)).tobytes()

    assert run((1, 2)) == run((1, 2)) == run(tf.constant([1, 2], tf.int64)) == run(np.array([1, 2]))
    assert len({run((1, 2)), run((1, 3)), run((2, 2)), run(7)}) == 4


@pytest.mark.parametrize("name", [*FORGERIES, *DEGRADATIONS])
def test_layers_are_active_in_training_only(faces, name):
    layer = (FORGERIES | DEGRADATIONS)[name](seed=1)
    assert np.array_equal(layer(faces, seed=SEED), faces)
    first, second = (np.asarray(layer(faces, training=True)) for _ in range(2))  # seeds from the layer's generator
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("name", [*FORGERIES, *DEGRADATIONS])
def test_layers_round_trip_their_config(name):
    layer = (FORGERIES | DEGRADATIONS)[name](0.7)
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
    with pytest.raises(ValueError, match="strength"):
        type(layer)(-1.0)


@pytest.mark.parametrize("name", [*FORGERIES, *DEGRADATIONS])
@pytest.mark.parametrize("value", FLAT.values(), ids=FLAT)
def test_flat_images_stay_finite(name, value):
    layer = (FORGERIES | DEGRADATIONS)[name](2.0)
    after = np.asarray(layer(np.full((4, 64, 64, 3), value, "uint8"), seed=SEED, training=True))
    assert np.isfinite(after).all() and after.min() >= 0 and after.max() <= 255 and after.dtype == np.float32


@pytest.mark.parametrize("name", [*FORGERIES, *DEGRADATIONS])
def test_layers_work_in_graphs_of_unknown_batch_and_in_half_precision(faces, name):
    """In a tf.function and under mixed precision they still compute in float32, with the same results."""
    keras.config.set_dtype_policy("mixed_float16")
    try:
        layer = (FORGERIES | DEGRADATIONS)[name]()
    finally:
        keras.config.set_dtype_policy("float32")
    images = resized(faces, 64)

    @tf.function(input_signature=[tf.TensorSpec((None, 64, 64, 3)), tf.TensorSpec((2,), tf.int64)], autograph=False)
    def run(batch, seed):
        return layer(batch, seed=seed, training=True)

    np.testing.assert_allclose(run(images, SEED), layer(images, seed=SEED, training=True), atol=2e-2)


@pytest.mark.slow
@every_forgery
def test_forgeries_compile_with_xla(faces, name):
    """XLA draws other random numbers: other forgeries, but deterministic and of similar strength."""
    layer, images = FORGERIES[name](), tf.constant(resized(faces, 64))
    run = tf.function(lambda batch: layer.forge(batch, SEED), jit_compile=True, autograph=False)
    (after, masks), (again, _) = (tuple(map(np.asarray, run(images))) for _ in range(2))
    assert np.array_equal(after, again) and np.isfinite(after).all()
    assert psnr(after, images) == pytest.approx(psnr(forged(layer, images)[0], images), abs=6)
    assert 0.02 < (masks > 0.2).mean() < 0.5


def test_resampling_and_jpeg_are_the_same_under_xla(faces):
    def run(batch):
        picture, wide = planes(batch), np.full((len(faces), 1, 1), 1.7, "float32")
        weights = tent(positions(64, 64, 1.03, 0.4), 64, wide, 0.3 * wide)
        return compressed(turned(separable(picture, weights, weights), 0.02 * wide), 20 * wide)

    images = tf.constant(resized(faces, 64))
    assert psnr(tf.function(run, jit_compile=True, autograph=False)(images), run(images)) > 50


@every_forgery
def test_wider_margin_means_smaller_masks(faces, name):
    layers = FORGERIES[name](margin=1.3), FORGERIES[name](margin=2.6)
    near, far = ((forged(layer, faces)[1] > 0.2).mean() for layer in layers)
    assert far == pytest.approx(near / 4, rel=0.25)


def test_cross_blending_uses_another_face_of_the_batch(faces):
    (one, mask), (other, same) = (forged(CrossBlend(), faces[[0, donor]]) for donor in (2, 4))
    assert np.array_equal(mask, same)
    inside = mask[0, ..., 0] > 0.9 * mask[0].max()
    assert np.abs(one[0] - other[0])[inside].mean() > 5
    assert np.array_equal(one[0][mask[0, ..., 0] == 0], faces[0][mask[0, ..., 0] == 0])


def test_cross_blending_matches_colours():
    random = np.random.default_rng(0)
    other, real = random.normal(60, 9, (2, 3, 80, 60)), random.normal(150, 30, (2, 3, 80, 60))
    middle = np.s_[:, :, 20:-20, 15:-15]
    found = np.asarray(matched(other.astype("float32"), real.astype("float32")))[middle]
    for measure in (np.mean, np.std):
        assert np.allclose(measure(found, axis=(2, 3)), measure(real[middle], axis=(2, 3)), rtol=0.02)


def test_masks_follow_the_eyes(faces):
    layer = SelfBlend()
    unknown = np.full((len(faces), 4), np.nan, "float32")
    level = np.tile(np.array([0.40, 0.423, 0.60, 0.423], "float32"), (len(faces), 1))
    moved = level + np.array([0.06, 0, 0.06, 0], "float32")
    turned = level + np.array([0, -0.06, 0, 0.06], "float32")
    plain, same, none, right, falling = (
        forged(layer, faces, eyes=eyes)[1][..., 0] for eyes in (None, level, unknown, moved, turned)
    )
    np.testing.assert_array_equal(plain, none)
    assert np.abs(plain - same).mean() < 0.01
    columns = np.arange(SIZE)
    assert (centre(right, columns) - centre(plain, columns)).mean() > 0.03 * SIZE
    assert np.abs(plain - falling).mean() > 0.02


def centre(masks, columns):
    return (masks.sum(1) * columns).sum(1) / masks.sum((1, 2))


@every_degradation
@pytest.mark.parametrize(("batch", "size"), [(1, 224), (3, 64), (3, 256), (32, 64), (1, 100), (2, 33)])
def test_degradations_keep_shape_and_range(faces, name, batch, size):
    images = resized(faces[np.arange(batch) % len(faces)], size)
    after = degraded(name, images)
    assert after.shape == images.shape and after.dtype == np.float32
    assert after.min() >= 0 and after.max() <= 255 and np.isfinite(after).all()


@every_degradation
def test_strength_0_degrades_nothing(faces, name):
    assert np.array_equal(degraded(name, faces, strength=0), faces)


@every_degradation
def test_degradations_leave_some_images_unchanged(faces, name):
    images = faces[np.arange(32) % len(faces)]
    same = np.abs(degraded(name, images) - images).max(axis=(1, 2, 3)) < 0.01
    assert 6 <= same.sum() <= 26
    all_changed = np.abs(degraded(name, images, share=1.0) - images).max(axis=(1, 2, 3)) > 0.01
    assert all_changed.sum() >= 28, "except at a severity near 0"


@every_degradation
def test_stronger_degradations_change_more(faces, name):
    images = faces[np.arange(12) % len(faces)]
    figures = [psnr(degraded(name, images, strength=strength), images) for strength in (0.25, 0.5, 1, 2)]
    assert figures == sorted(figures, reverse=True) and figures[0] > figures[-1] + 3


@pytest.mark.parametrize("quality", [90, 75, 50, 30, 10])
def test_jpeg_is_close_to_libjpeg(faces, quality):
    images = np.rint(faces)
    after = np.asarray(images_of(compressed(planes(images), np.full((len(images), 1, 1), quality, "float32"))))
    for before, image in zip(images.astype("uint8"), after, strict=True):
        data = cv2.imencode(".jpg", before[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        expected = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]
        assert psnr(image, expected) > 40 and psnr(image, expected) > psnr(before, expected) + 3


def test_two_layers_draw_independently(faces):
    """With the same seed, two degradations change different images."""
    images = faces[np.arange(64) % len(faces)]
    one, other = (np.abs(degraded(name, images) - images).max(axis=(1, 2, 3)) > 0.01 for name in ("light", "colour"))
    assert 0.2 < (one == other).mean() < 0.8


def test_forged_reals_are_labelled_fake_and_fakes_are_unchanged(faces):
    labels = np.array([[0], [1]] * 8, "float32")
    images = faces[np.arange(16) % len(faces)]
    after, now, masks = map(np.asarray, forge_reals(images, labels, [FaceWarp(), SelfBlend()], SEED, share=0.5))
    changed = np.abs(after - images).max(axis=(1, 2, 3)) > 0.5
    assert not changed[1::2].any() and now[1::2].all()
    assert 1 <= changed[::2].sum() <= 7
    assert np.array_equal(changed[::2], now[::2, 0] == 1) and np.array_equal(masks.max(axis=(1, 2, 3)) > 0, changed)
    assert np.array_equal(after[~changed], images[~changed])
    all_fake = np.asarray(forge_reals(images, labels, [FaceWarp()], SEED, share=1.0)[1])
    assert all_fake.all()


def test_several_forgeries_divide_a_batch(faces):
    both, _ = forge_all(faces[:5], [FaceWarp(), SelfBlend()], SEED)
    np.testing.assert_array_equal(both[:2], forged(FaceWarp(), faces[:2])[0])
    np.testing.assert_array_equal(both[2:], forged(SelfBlend(), faces[2:5])[0])
    assert forge_all(faces[:1], [FaceWarp(), SelfBlend()], SEED)[0].shape == (1, SIZE, SIZE, 3)


def test_build_layers_by_name():
    layers = forgery.build("face_warp, self_blend", FORGERIES, "forgery", strength=0.5, margin=2.0)
    assert [type(layer) for layer in layers] == [FaceWarp, SelfBlend] and layers[0].margin == 2.0
    with pytest.raises(DeepfakeError, match="Did you mean self_blend"):
        forgery.build("self_blent", FORGERIES, "forgery", strength=1)


@pytest.mark.slow
def test_forgeries_work_on_jax():
    """All operations are of `keras.ops`."""
    program = """
        import numpy as np
        from deepfake_cli.forgery import DEGRADATIONS, FORGERIES
        images = np.random.default_rng(0).uniform(0, 255, (3, 64, 64, 3)).astype("float32")
        for name, layer in FORGERIES.items():
            one, mask = layer().forge(images, (1, 2))
            two, _ = layer().forge(images, (1, 2))
            assert np.array_equal(one, two) and 0.02 < np.mean(np.asarray(mask) > 0.1) < 0.6, name
        for name, layer in DEGRADATIONS.items():
            after = layer(share=1.0)(images, seed=(1, 2), training=True)
            assert after.shape == images.shape and not np.array_equal(after, images), name
    """
    quick = (
        "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"  # most of the time is compiling
    )
    environment = os.environ | {"KERAS_BACKEND": "jax", "XLA_FLAGS": quick}
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, env=environment)


def test_forge_command_writes_a_sheet(deepfake, tmp_path):
    output = deepfake("forge", assets.FOLDER, "--count", 3, "--size", 96, "--degradation", "jpeg,blur").stdout
    assert "forge.png" in output and "3 rows" in output
    sheet = read_image(tmp_path / "forge.png")
    assert sheet.shape[0] > 3 * 96 and sheet.shape[1] > 4 * 96
    assert len(set(map(bytes, sheet.reshape(-1, 3)))) > 2000


def test_unusable_images_are_listed(tmp_path, people):
    cv2.imwrite(str(tmp_path / "face.png"), next(iter(people.values()))[0])
    cv2.imwrite(str(tmp_path / "blank.png"), np.full((200, 200, 3), 127, np.uint8))
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    result = forge(Forge(paths=[tmp_path], count=4, size=64, output=tmp_path / "out" / "sheet.png"))
    assert result.rows == 4 and result.sheet.is_file()
    assert [Path(name).name for name, _ in result.bad] == ["blank.png", "broken.jpg"]
    assert "no face found" in result.bad[0][1]


def test_forge_takes_crops(tmp_path, faces):
    """The sheet shows the crop unchanged; with one image and several rows, each row is another forgery."""
    cv2.imwrite(str(tmp_path / "crop.png"), faces[0][..., ::-1])
    forge(Forge(paths=[tmp_path / "crop.png"], count=3, crop=False, forgery="self_blend", output=tmp_path / "s.png"))
    sheet = read_image(tmp_path / "s.png")[..., ::-1]
    step = SIZE + GAP
    before, after = (
        [sheet[(n - 3) * step :, (column - 3) * step :][:SIZE, :SIZE] for n in range(3)] for column in (0, 2)
    )
    assert all(np.array_equal(each, faces[0]) for each in before)
    assert 20 < psnr(after[0], before[0]) < 50 and not np.array_equal(after[0], after[1])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"paths": ["nowhere.png"]}, "nowhere.png: no such image, video or folder"),
        ({"paths": ["{empty}"]}, "no images or videos in this folder"),
        ({"forgery": "face_wrap"}, "Did you mean face_warp?"),
        ({"degradation": "blurr"}, "Did you mean blur?"),
        ({"output": "sheet.bmp"}, "must end in .png"),
        ({"paths": [assets.FOLDER / "README.md"]}, "None of the images can be used"),
    ],
)
def test_faulty_settings_are_refused(tmp_path, given, message):
    given = {"paths": [assets.FOLDER], "output": tmp_path / "sheet.png", "count": 1} | given
    given["paths"] = [str(path).format(empty=tmp_path) for path in given["paths"]]
    with pytest.raises(DeepfakeError, match=re.escape(message)):
        forge(resolve(Forge, given)[0])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [*FORGERIES, *DEGRADATIONS])
def test_a_sequential_model_with_the_layer_can_be_saved_and_loaded(tmp_path, faces, name):
    model = keras.Sequential([keras.Input(faces.shape[1:]), (FORGERIES | DEGRADATIONS)[name](1.0, seed=1)])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    again, first = (np.asarray(each(faces, training=True)) for each in (loaded, model))
    assert np.array_equal(again, first) and np.array_equal(loaded(faces), faces)
