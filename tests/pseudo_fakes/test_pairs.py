"""Pairs of a real face and its pseudo-fake are reproducible and differ only by the forgery."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from deepfake_cli.assets import CLIPS, FOLDER
from deepfake_cli.errors import DatasetError
from deepfake_cli.faces import mesh, rfb320
from deepfake_cli.faces.mesh import EYE_CORNERS
from deepfake_cli.media.video import FrameSampler, FrameSource
from deepfake_cli.pseudo_fakes import MASK, METHODS, SIZES, Gallery, find_portraits, make_pair
from deepfake_cli.pseudo_fakes.codec import compressed
from deepfake_cli.pseudo_fakes.forge import Scene
from deepfake_cli.pseudo_fakes.mesh import ROUNDS, face_mesh
from deepfake_cli.pseudo_fakes.regions import LIPS
from deepfake_cli.pseudo_fakes.shards import Shards, write_shards
from deepfake_cli.pseudo_fakes.warp import meshed, moved, similarity


@pytest.fixture(scope="module")
def gallery(tmp_path_factory) -> Gallery:
    """Portraits from frames of the shipped clips."""
    folder, paths = tmp_path_factory.mktemp("photographs"), []
    for name, _ in CLIPS:
        for index, image in FrameSource(FOLDER / name).frames(FrameSampler(most=3, total=70)):
            paths.append(folder / f"{Path(name).stem}-{index}.png")
            cv2.imwrite(str(paths[-1]), image)
    (folder / "text.png").write_text("no photograph")
    found = Gallery(find_portraits([*paths, folder / "text.png"]))
    assert len(found.portraits) == len(paths), "each frame has one face, the text file none"
    return found


def test_the_shipped_mesh_agrees_with_that_of_the_package(people, monkeypatch):
    monkeypatch.setattr(mesh, "ROUNDS", ROUNDS)
    ours, theirs = mesh.face_mesh(), face_mesh()
    for image, *_ in people.values():
        box = rfb320()(image)[0]
        (points, confidence), (same, as_sure) = ours(image, box), theirs(image, box)
        side = np.ptp(same, axis=0).max()
        assert np.abs(points - same).max() < 0.2 * side / 150, "0.2 px of a face of 150 px: float16 weights"
        assert confidence == pytest.approx(as_sure, abs=0.01)


def test_mesh_lies_on_the_face(gallery):
    for portrait in gallery.portraits:
        low, high = portrait.points.min(axis=0), portrait.points.max(axis=0)
        edge = 0.25 * portrait.side
        assert low[0] > portrait.box.x0 - edge and high[0] < portrait.box.x1 + edge and high[1] < portrait.box.y1 + edge
        eyes, mouth = portrait.points[list(EYE_CORNERS)].mean(axis=0), portrait.points[LIPS].mean(axis=0)
        assert mouth[1] - eyes[1] > 0.25 * portrait.side, "the mouth is below the eyes"


def test_fewer_than_two_portraits_are_refused(gallery):
    with pytest.raises(DatasetError, match="at least two"):
        Gallery(gallery.portraits[:1])


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_same_seed_gives_same_bytes_in_any_order(gallery, method):
    first = [make_pair(gallery, seed % 9, seed, method) for seed in range(12)]
    again = [make_pair(gallery, seed % 9, seed, method) for seed in reversed(range(12))][::-1]
    for one, other in zip(first, again, strict=True):
        assert (one.images == other.images).all() and (one.mask == other.mask).all() and one.quality == other.quality
        assert one.images.shape == (2, SIZES.kept, SIZES.kept, 3) and one.mask.shape == (MASK, MASK)
    assert len({pair.images.tobytes() for pair in first}) == 12


@pytest.mark.parametrize("method", METHODS)
def test_real_and_fake_differ_only_inside_the_mask_before_the_codec(gallery, method):
    for seed in range(12):
        rng = np.random.default_rng(seed)
        picture, points = gallery.placed(seed % 9, 120, flip=bool(seed % 2))
        real, fake, mask = METHODS[method][1](Scene(rng, gallery, seed % 9, 120, bool(seed % 2), picture, points))
        assert mask.min() >= 0 and mask.max() <= 1 + 1e-6 and real.shape == fake.shape
        differs = np.abs(real - fake).max(axis=2)
        assert differs[mask == 0].max(initial=0) < 1.5, "rounding by Poisson blending"
        assert differs[mask > 0.2].max(initial=0) > 2, "something was forged"


def test_codec_is_lossy_and_keeps_equal_pictures_equal(gallery):
    picture, _ = gallery.placed(0, 120, flip=False)
    kinds = set()
    for seed in range(30):
        (one, other), quality = compressed(np.random.default_rng(seed), [picture, picture.copy()])
        assert (one == other).all(), "equal pictures stay equal, so only the forgery separates a pair"
        kinds.add(int(np.sign(quality)))
        assert quality == 0 or 0 < np.abs(one - np.clip(picture, 0, 255)).mean() < 30
    assert kinds == {-1, 0, 1}, "H.264, JPEG, and no codec"


def test_warps_move_points_to_their_targets(gallery):
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 100, (20, 2))
    by = np.array([[0.6, -0.8, 3.0], [0.8, 0.6, -7.0]]) * 1.5
    assert np.allclose(similarity(points, moved(points, by)), by, atol=1e-4)
    picture, source = gallery.placed(0, 120, flip=False)
    same = meshed(picture, source, source, gallery.triangles, np.eye(2, 3, dtype=np.float32))
    assert np.abs(same - picture).max() < 1, "an unchanged mesh leaves the picture unchanged"
    flat = source.copy()
    flat[gallery.triangles[0]] = flat[gallery.triangles[0][0]]
    assert np.isfinite(meshed(picture, source, flat, gallery.triangles, np.eye(2, 3, dtype=np.float32))).all()
    target = source + np.float32([4, 0])
    shifted = meshed(picture, source, target, gallery.triangles, np.float32([[1, 0, -4], [0, 1, 0]]))
    assert np.abs(shifted[:, 4:] - picture[:, :-4]).max() < 2


def test_mirrored_portraits_have_mirrored_points(gallery):
    (plain, points), (mirrored, others) = (gallery.placed(0, 120, flip=flip) for flip in (False, True))
    assert (mirrored[:, ::-1] == plain).all()
    left, right = EYE_CORNERS
    assert others[left][0] < others[right][0], "the left eye stays left"
    assert others[left] == pytest.approx(points[right] * (-1, 1) + (plain.shape[1] - 1, 0), abs=3)  # the nearest point


@pytest.mark.slow
def test_shards_resume_and_batches_take_each_pair_once_per_pass(gallery, tmp_path):
    write_shards(gallery, tmp_path, 8, shard=4, workers=2)
    kept = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(kept) == 4, "images and metadata of two shards"
    (tmp_path / "000004.npy").unlink()
    write_shards(gallery, tmp_path, 8, shard=4, workers=1)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == kept, "one process makes the same files as two"
    shards = Shards(tmp_path)
    assert len(shards) == 8
    how = {"pairs": 4, "size": 64, "margin": 1.1, "cells": 4, "seed": 0}
    images, labels, masks = shards.batch(3, **how)
    assert images.shape == (8, 64, 64, 3) and images.dtype == np.uint8 and masks.shape == (8, 4, 4, 1)
    assert labels[:, 0].tolist() == [0, 1] * 4 and not masks[::2].any() and masks[1::2].any()
    assert all((one == other).all() for one, other in zip(shards.batch(3, **how), (images, labels, masks), strict=True))
    for number in range(3):
        taken = np.concatenate([shards._drawn(step, 4, 0) for step in (2 * number, 2 * number + 1)])
        assert sorted(taken) == list(range(8))


def test_a_folder_without_shards_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="no shards"):
        len(Shards(tmp_path))
