"""Intervals by other means, video scores, slices and videos without a score."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics as sk

from deepfake_cli.data import manifest
from deepfake_cli.errors import ConfigError, DeepfakeError
from deepfake_cli.metrics.assess import assess
from deepfake_cli.metrics.delong import delong, delong_test
from deepfake_cli.metrics.interval import intervals
from deepfake_cli.metrics.names import FIGURES
from deepfake_cli.metrics.pooling import POOLS
from deepfake_cli.metrics.videos import best_pool, video_scores
from deepfake_cli.runs import recipe
from tests.metrics.test_metrics import clustered, rows


def wins(labels, scores):
    """Every fake against every real: 1, or a half where they tie."""
    fakes, reals = scores[labels == 1, None], scores[None, labels == 0]
    return (fakes > reals) + (fakes == reals) / 2


def covariance(labels, *scores):
    """DeLong's, by its definition over all pairs."""
    tables = [wins(labels, each) for each in scores]
    return sum(np.cov([table.mean(axis) for table in tables]) / tables[0].shape[1 - axis] for axis in (0, 1))


@pytest.mark.parametrize("decimals", [None, 1, 0])
@pytest.mark.parametrize("seed", range(4))
def test_delong_equals_all_pairs(seed, decimals):
    labels, scores = rows(150, seed, decimals)
    half = stats.norm.ppf(0.975) * float(covariance(labels, scores)) ** 0.5
    auc = sk.roc_auc_score(labels, scores)
    assert delong(labels, scores) == pytest.approx({"low": max(auc - half, 0), "high": min(auc + half, 1)})


@pytest.mark.parametrize("decimals", [None, 1])
def test_paired_delong_equals_all_pairs(decimals):
    labels, one = rows(150, 0, decimals)
    other = np.clip(one + np.random.default_rng(1).normal(0, 0.2, 150), 0, 1)
    table = covariance(labels, one, other)
    difference = sk.roc_auc_score(labels, one) - sk.roc_auc_score(labels, other)
    z = difference / (table[0, 0] + table[1, 1] - 2 * table[0, 1]) ** 0.5
    found = delong_test(labels, one, other)
    assert (found["difference"], found["z"], found["p"]) == pytest.approx((difference, z, 2 * stats.norm.sf(abs(z))))
    assert found["low"] < difference < found["high"]


def test_delong_without_spread():
    assert delong([0, 1, 1], [0.1, 0.2, 0.9]) == {"low": None, "high": None}  # a single real has no variance
    assert delong([0, 0, 1, 1], [0.5] * 4) == {"low": 0.5, "high": 0.5}
    assert delong_test([0, 0, 1, 1], [0.1, 0.3, 0.2, 0.4], [0.2, 0.6, 0.4, 0.8])["p"] is None  # the same ranking


def test_bca_equals_scipy():
    labels, scores = rows(80, 2)

    def brier(at):
        return ((scores[at] - labels[at]) ** 2).mean()

    theirs = stats.bootstrap((np.arange(80),), brier, n_resamples=4000, vectorized=False, method="BCa", rng=0)
    ours = intervals(labels, scores, 0.5, np.arange(80), 4000, method="bca")["brier"]
    low, high = theirs.confidence_interval
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=0.05 * (high - low))


def test_bca_moves_a_skewed_interval():
    frames = clustered(15)
    plain, bca = (
        intervals(frames["label"], frames["score"], 0.5, frames["group"], 400, method=method)
        for method in ("percentile", "bca")
    )
    assert all(bca[name].low < bca[name].high for name in FIGURES if bca[name].value is not None)
    assert plain["log_loss"].high < bca["log_loss"].high  # a long tail of losses
    with pytest.raises(ConfigError, match="'normal'; allowed: percentile, bca"):
        intervals(frames["label"], frames["score"], 0.5, frames["group"], 9, method="normal")


def test_constant_scores_are_chance():
    frames = clustered(10).assign(score=0.5)
    for method in ("percentile", "bca"):
        found = assess(frames, 0.5, resamples=20, interval=method)["frame"]
        assert (found["auc"]["low"], found["auc"]["value"], found["auc"]["high"]) == (0.5, 0.5, 0.5)
        assert found["partial_auc"]["value"] == pytest.approx(0.5)
        assert (found["eer"]["value"], found["tpr_at_fpr_5"]["value"]) == (0.5, 0.0)


def one_video(scores):
    return pd.DataFrame({"dataset": "d", "video": "v", "group": "g", "label": 1, "score": scores})


@pytest.mark.parametrize(
    ("pool", "scores", "expected"),
    [
        ("mean", [0.1, 0.2, 0.9], 0.4),
        ("median", [0.9, 0.1, 0.2], 0.2),
        ("median", [0.9, 0.1, 0.2, 0.4], 0.3),
        ("top", [0.1, 0.9, 0.2], 0.9),
        ("top", [0.0] * 18 + [0.8, 0.6], 0.7),  # a tenth of 20
        ("confident", [0.9] * 12 + [0.3] * 8, 0.9),  # most are surely fake
        ("confident", [0.1] * 19 + [0.9], 0.1),  # nearly all are surely real
        ("confident", [0.9] * 5 + [0.1] * 5, 0.5),
    ],
)
def test_pools(pool, scores, expected):
    both = pd.concat([one_video(scores), one_video([0.0]).assign(video="other")]).sample(frac=1, random_state=1)
    found = video_scores(both, pool).set_index("video")["score"]
    assert found["v"] == pytest.approx(expected)
    assert found["other"] == 0


def test_best_pool_has_the_highest_auc():
    frames = [one_video([0.1] * 9 + [0.9]).assign(video=f"f{n}", label=1) for n in range(3)]
    frames += [one_video([0.3] * 10).assign(video=f"r{n}", label=0) for n in range(3)]
    assert best_pool(pd.concat(frames), 0.5) == "top"  # one forged frame in ten: means mislead
    assert best_pool(clustered(4).assign(score=lambda rows: rows["label"] * 1.0), 0.5) == "mean"  # all are perfect


def test_best_pool_is_accurate_at_the_threshold():
    frames = [one_video([0.1] * 9 + [score]).assign(video=score, label=0) for score in (0.7, 0.71)]
    frames += [one_video([0.05] * 4 + [0.1] + [0.95] * 5).assign(video=score, label=1) for score in (0.95, 0.96)]
    frames += [one_video([0.05] * 9 + [0.99]).assign(video="few", label=1)]
    table = pd.concat(frames)
    auc = {pool: sk.roc_auc_score(*video_scores(table, pool)[["label", "score"]].to_numpy().T) for pool in POOLS}
    assert auc["top"] == 1 > auc["mean"]
    assert best_pool(table, 0.5) != "top"  # it calls every real fake
    assert best_pool(table, 0.8) == "top"


def test_unknown_pool_raises():
    with pytest.raises(DeepfakeError, match="Unknown pool 'max'"):
        video_scores(one_video([0.1]), "max")


@pytest.fixture
def sliced():
    """Two data sets; in each, fakes of two methods and reals of none."""
    frames = clustered(12, videos=3)
    part = frames["group"].astype(int)
    method = np.where(frames["label"] == 0, "", np.where(part % 3 == 0, "swap", "warp"))
    return frames.assign(dataset=np.where(part < 6, "a", "b"), method=method, quality=np.where(part % 2, "c23", ""))


def flat(level):
    """Every figure with its interval."""
    return [level[name][end] for name in FIGURES for end in ("value", "low", "high")] + [level["n"]]


def test_slices_equal_their_rows_measured_alone(sliced):
    found = json.loads(json.dumps(assess(sliced, 0.5, resamples=20), allow_nan=False))
    parts = {(part["by"], part["value"]): part for part in found["slices"]}
    assert [key for key in parts if key[0] != "group"] == [
        ("dataset", "a"),
        ("dataset", "b"),
        ("method", "swap"),
        ("method", "warp"),
    ]  # one quality alone is no slice
    alone = assess(sliced[sliced["dataset"] == "a"], 0.5, resamples=20)
    assert flat(parts["dataset", "a"]["video"]) == pytest.approx(flat(alone["video"]))
    rest = sliced[(sliced["label"] == 0) | (sliced["method"] == "swap")]
    alone = assess(rest, 0.5, resamples=20)
    assert flat(parts["method", "swap"]["frame"]) == pytest.approx(flat(alone["frame"]))
    assert len([key for key in parts if key[0] == "group"]) == 12
    assert parts["group", "a/0"]["frame"]["n"] == 30


def test_slice_of_one_class_has_no_auc(sliced):
    frames = sliced[(sliced["dataset"] == "a") | (sliced["label"] == 1)]
    part = next(part for part in assess(frames, 0.5, resamples=20)["slices"] if part["value"] == "b")["video"]
    assert (part["real"], part["auc"]["value"], part["eer"]["low"]) == (0, None, None)
    assert part["accuracy"]["value"] is not None


def test_group_level_has_one_score_per_group_and_label(sliced):
    found = assess(sliced, 0.5, resamples=20)["group"]
    videos = video_scores(sliced)
    means = videos.groupby(["dataset", "group", "label"])["score"].mean().reset_index()
    assert found["n"] == len(means) == 24
    assert found["auc"]["value"] == pytest.approx(sk.roc_auc_score(means["label"], means["score"]))
    assert assess(clustered(1, videos=8), 0.5, resamples=5)["group"] is None


@pytest.mark.parametrize(("how", "more", "right"), [("skip", 0, 0), ("half", 2, 1), ("fail", 2, 0)])
def test_videos_without_a_score(how, more, right):
    frames = clustered(6)
    missing = pd.DataFrame(
        {"dataset": "toy", "video": ["m0", "m1"], "group": ["0", "9"], "label": [0, 1], "reason": "no face"}
    )
    plain = assess(frames, 0.5, resamples=5)
    found = assess(frames, 0.5, resamples=5, missing=missing, missing_as=how)
    assert found["video"]["n"] == plain["video"]["n"] + more
    correct = [level["accuracy"]["value"] * level["n"] for level in (plain["video"], found["video"])]
    assert correct[1] - correct[0] == pytest.approx(right)  # 0.5 is called fake: right for the fake one
    assert found["frame"] == plain["frame"]


def test_videos_without_a_face_come_from_the_manifest(tmp_path):
    rows = [
        ("1.jpg", "real", "d", "v", "g", 0, ""),
        ("", "real", "d", "v", "g", 1, "no face"),
        ("", "fake", "d", "w", "g", 0, "no face"),
        ("", "fake", "d", "w", "g", 1, "no face"),
        ("", "real", "e", "v", "", 0, "unreadable"),
    ]
    columns = ["path", "label", "dataset", "video", "group", "frame", "reason"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "manifest.csv", index=False)
    found, number = manifest.read_missing([tmp_path / "manifest.csv"])
    assert number == 4
    assert found[["dataset", "video", "group", "label", "reason"]].values.tolist() == [
        ["d", "w", "g", 1, "no face"],
        ["e", "v", "v", 0, "unreadable"],
    ]
    pd.DataFrame({"path": ["a/1.jpg"], "label": ["real"]}).to_csv(tmp_path / "plain.csv", index=False)
    assert manifest.read_missing([tmp_path / "plain.csv"])[0].empty


def test_the_recipe_names_the_pool(tmp_path):
    snapshot = tmp_path / "best.keras"
    assert recipe.pool_of(snapshot) is None
    recipe.write(tmp_path, {"pool": "top"})
    assert recipe.pool_of(snapshot) == "top"
    recipe.write(tmp_path, {"pool": "top", "snapshots": {"best.keras": {"epoch": 1, "pool": "median"}}})
    assert recipe.pool_of(snapshot) == "median"  # chosen for this very snapshot
