"""Training batches between the files and the model: reading, forging, degrading."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from deepfake_cli.config import Train
from deepfake_cli.data import manifest
from deepfake_cli.errors import ConfigError
from deepfake_cli.training import input_pipeline
from deepfake_cli.training.augmentation import FORGED, Augmentation, drawn_reals, forged_share, with_forged
from deepfake_cli.training.order import draw

from .test_train import FAST, project  # noqa: F401

BATCH, SIZE = 8, 64
BOTH = {"forgery": "face_warp,self_blend"}


@pytest.fixture(scope="module")
def table(frames_of_uadfv) -> pd.DataFrame:
    return manifest.read(frames_of_uadfv / "manifest.csv")


def batches(table: pd.DataFrame, count: int, **options) -> list[tuple[np.ndarray, ...]]:
    stream = input_pipeline.training_batches(table, image_size=SIZE, batch_size=BATCH, steps=5, **options)
    return list(stream.take(count).as_numpy_iterator())


def equal(one, other) -> bool:
    return all(np.array_equal(a, b) for x, y in zip(one, other, strict=True) for a, b in zip(x, y, strict=True))


def augmented(table: pd.DataFrame, **settings) -> tuple[np.ndarray, ...]:
    """A batch before and after augmentation: images, labels, images, labels."""
    ((images, labels, places),) = batches(table, 1)
    after = Augmentation.from_settings(Train(random_transform=False, **settings))(images, labels, places)
    return images, labels, *(np.asarray(array) for array in after)


def test_batches_from_a_later_step_and_from_memory_are_the_same(table):
    whole = batches(table, 9)
    assert equal(batches(table, 2, first_epoch=1, first_step=2), whole[7:])
    assert equal(batches(table, 9, images=input_pipeline.in_memory(table, SIZE)), whole)
    assert not equal(batches(table, 9, seed=1), whole)


def test_cache_that_does_not_fit_in_memory_is_refused(table, monkeypatch):
    monkeypatch.setattr(input_pipeline, "MOST_MEMORY", 1e-9)
    with pytest.raises(ConfigError, match=r"--cache needs .* lower --image-size"):
        input_pipeline.in_memory(table, SIZE)


def test_each_image_comes_once_per_pass_without_balance(table):
    rows = table.iloc[: 5 * BATCH]
    listed = input_pipeline.scoring_batches(rows, image_size=SIZE, batch_size=BATCH).as_numpy_iterator()
    drawn = [images for images, _, _ in batches(rows, 5, reals=None)]
    one, other = (sorted(image.tobytes() for batch in each for image in batch) for each in (drawn, listed))
    assert one == other


@pytest.mark.parametrize("reals", [0.0, 0.25, 1.0])
def test_share_of_reals_is_as_asked(table, reals):
    labels = table["label"].to_numpy()
    drawn = np.concatenate([labels[draw(labels, n, reals=reals, seed=0)] for n in range(40)])
    assert (drawn == 0).mean() == pytest.approx(reals, abs=4 * 0.5 / np.sqrt(len(drawn)))


@pytest.mark.parametrize("options", [(None, None, False), ("a", None, False), ("a", None, True), ("a", 0.2, False)])
def test_half_of_a_batch_is_real_after_forging(options):
    share = forged_share(*options)
    assert drawn_reals(share) * (1 - share) == pytest.approx(0.5)


def test_forged_reals_are_labelled_fake_and_fakes_are_unchanged(table):
    before, labels, after, answers = augmented(table, **BOTH, forgery_share=1.0)
    fake = labels[:, 0] == 1
    assert fake.any() and not fake.all()
    assert (answers == 1).all()
    assert np.array_equal(before[fake], after[fake])
    assert all(not np.array_equal(*pair) for pair in zip(before[~fake], after[~fake], strict=True))


@pytest.mark.parametrize("count", [8, 7])
def test_real_only_batches_are_pairs(table, count):
    reals = table[table["label"] == 0]
    ((images, _, places),) = batches(reals, 1)
    augment = Augmentation.from_settings(Train(**BOTH, real_only=True, random_transform=False))
    after, labels = augment(images[:count], None, places)
    half = count // 2
    assert labels.numpy()[:, 0].tolist() == [0] * (count - half) + [1] * half
    assert np.array_equal(after[: count - half], images[: count - half])
    assert all(not np.array_equal(*pair) for pair in zip(after[-half:], images[:half], strict=True))
    outside = np.s_[:, :4]  # above every mask
    assert np.array_equal(np.asarray(after)[-half:][outside], images[:half][outside])


def test_degradations_change_both_classes_after_forging(table):
    _, labels, forged, answers = augmented(table, **BOTH)
    _, _, after, same = augmented(table, **BOTH, degradation="noise,blur,jpeg")
    assert np.array_equal(answers, same)
    touched = np.abs(after - forged).max((1, 2, 3)) > 0
    assert touched[labels[:, 0] == 0].any() and touched[labels[:, 0] == 1].any()


def test_augmentation_depends_on_seed_and_place_only(table):
    one, again, other = (augmented(table, **BOTH, seed=seed)[2] for seed in (3, 3, 4))
    assert np.array_equal(one, again) and not np.array_equal(one, other)


@pytest.mark.slow
def test_validation_list_of_reals_gets_a_forged_copy_of_each(table):
    reals = table[table["label"] == 0].head(6).reset_index(drop=True)
    both = with_forged(reals)
    assert list(both["label"]) == [0] * 6 + [1] * 6
    assert set(both["video"].iloc[6:]) == {f"{video}{FORGED}" for video in reals["video"]}
    change = Augmentation.from_settings(Train(**BOTH, real_only=True)).forged
    given = {"image_size": SIZE, "batch_size": 4, "change": change}
    images, again = (
        np.concatenate(list(input_pipeline.scoring_batches(both, **given).as_numpy_iterator())) for _ in range(2)
    )
    plain = np.concatenate(
        list(input_pipeline.scoring_batches(both, image_size=SIZE, batch_size=4).as_numpy_iterator())
    )
    assert np.array_equal(images, again)
    assert np.array_equal(images[:6], plain[:6])
    assert all(not np.array_equal(*pair) for pair in zip(images[6:], plain[6:], strict=True))


@pytest.mark.slow
def test_real_only_trains_without_the_files_of_fakes(project, deepfake):  # noqa: F811
    for part in ("train", "val"):
        for path in (project / "csv" / part).glob("*.csv"):
            rows = pd.read_csv(path)
            kept = project / "kept"
            for row in rows[rows["label"] == "real"].itertuples():
                source = path.parent / row.path
                (kept / source.parent.name).mkdir(parents=True, exist_ok=True)
                shutil.copy(source, kept / source.parent.name / source.name)
            paths = [f"{kept}/{row.path.split('/')[-2]}/{row.path.split('/')[-1]}" for row in rows.itertuples()]
            rows.assign(path=paths).to_csv(path, index=False)
    assert "images are missing" in deepfake("train", *FAST, check=1).stderr
    output = deepfake("train", *FAST, "--epochs", 1, "--run", "r", "--forgery", "self_blend", "--real-only").stdout
    assert "(0 fake)" in output
    facts = json.loads((project / "runs" / "r" / "recipe.json").read_text())
    assert facts["train"]["fake"] == 0 and facts["validation"]["fake"] == facts["validation"]["frames"] / 2


def test_faulty_forgery_options_are_refused_before_a_run_begins(project, deepfake):  # noqa: F811
    assert "--forgery" in deepfake("train", *FAST, "--real-only", check=1).stderr
    output = deepfake("train", *FAST, "--forgery", "self_blnd", check=1).stderr
    assert "self_blend" in output
    fakes = pd.read_csv(project / "csv" / "train" / "train.csv").query("label == 'fake'")
    fakes.to_csv(project / "csv" / "train" / "fakes.csv", index=False)
    given = ("--forgery", "self_blend", "--real-only")
    assert "needs reals to forge" in deepfake("train", "csv/train/fakes.csv", *FAST, *given, check=1).stderr
    assert not (project / "runs").exists()
