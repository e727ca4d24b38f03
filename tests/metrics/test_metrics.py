import json
import time

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from deepfake_cli.errors import ManifestError
from deepfake_cli.metrics import paired
from deepfake_cli.metrics.assess import assess
from deepfake_cli.metrics.few import unresolved
from deepfake_cli.metrics.figures import ERRORS, Rows, best_threshold, confusion, figures
from deepfake_cli.metrics.interval import intervals
from deepfake_cli.metrics.names import FIGURES
from deepfake_cli.metrics.videos import video_scores

THRESHOLD = 0.45
STEADY = ("auc", "average_precision", "eer", "accuracy", "balanced_accuracy", "f1", "brier", "log_loss")


def rows(n, seed=0, decimals=None):
    """Labels, and scores that tell them apart somewhat; few decimals make many ties."""
    rng = np.random.default_rng(seed)
    labels = np.r_[0, 1, rng.integers(0, 2, n - 2)]
    scores = 1 / (1 + np.exp(-rng.normal(labels - 0.5, 1.0)))
    return labels, scores if decimals is None else scores.round(decimals)


def clustered(groups, videos=2, length=10, seed=0):
    """Frames whose scores shift together within a group, which holds a real and a fake video in turn."""
    rng = np.random.default_rng(seed)
    group, video, _ = (axis.ravel() for axis in np.indices((groups, videos, length)))
    label = video % 2
    shift = rng.normal(0, 1, groups)[group] + rng.normal(0, 1, (groups, videos))[group, video]
    score = 1 / (1 + np.exp(-(label - 0.5 + shift + rng.normal(0, 0.3, len(label)))))
    names = pd.Series(group).astype(str) + "-" + pd.Series(video).astype(str)
    return pd.DataFrame({"dataset": "toy", "video": names, "group": group.astype(str), "label": label, "score": score})


def at_most(fpr, tpr, rate):
    return max(high for low, high in zip(fpr, tpr, strict=True) if low <= rate + 1e-12)


def ece(labels, scores, weights):
    bins = np.minimum((scores * 15).astype(int), 14)
    return sum(abs((weights * (labels - scores))[bins == each].sum()) for each in range(15)) / weights.sum()


def reference(labels, scores, threshold, weights=None):
    """The metrics by scikit-learn; those that it lacks by definition, on its full ROC."""
    labels, weights = np.asarray(labels), np.ones(len(labels)) if weights is None else weights
    fpr, tpr, _ = sk.roc_curve(labels, scores, sample_weight=weights, drop_intermediate=False)
    after = np.argmax(fpr >= 1 - tpr)
    gap_before, gap_after = (fpr + tpr - 1)[[after - 1, after]]
    part = -gap_before / (gap_after - gap_before)
    called = scores >= threshold
    return {
        "auc": sk.roc_auc_score(labels, scores, sample_weight=weights),
        "partial_auc": sk.roc_auc_score(labels, scores, sample_weight=weights, max_fpr=0.1),
        "average_precision": sk.average_precision_score(labels, scores, sample_weight=weights),
        "eer": fpr[after - 1] + part * (fpr[after] - fpr[after - 1]),
        "accuracy": sk.accuracy_score(labels, called, sample_weight=weights),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, called, sample_weight=weights),
        "f1": sk.f1_score(labels, called, sample_weight=weights),
        "tpr_at_fpr_0.1": at_most(fpr, tpr, 0.001),
        "tpr_at_fpr_1": at_most(fpr, tpr, 0.01),
        "tpr_at_fpr_5": at_most(fpr, tpr, 0.05),
        "brier": sk.brier_score_loss(labels, scores, sample_weight=weights),
        "ece": ece(labels, scores, weights),
        "log_loss": sk.log_loss(labels, scores, sample_weight=weights),
    }


@pytest.mark.parametrize("decimals", [None, 2, 1, 0])
@pytest.mark.parametrize("n", [2, 3, 50, 400])
def test_metrics_equal_scikit_learn(n, decimals):
    labels, scores = rows(n, decimals=decimals)
    assert list(figures(labels, scores, THRESHOLD)) == list(FIGURES)
    measured = {name: value for name, value in figures(labels, scores, THRESHOLD).items() if not np.isnan(value)}
    expected = reference(labels, scores, THRESHOLD)
    assert measured == pytest.approx({name: expected[name] for name in measured})
    assert set(expected) - set(measured) == set(unresolved(int((labels == 0).sum())))


@pytest.mark.parametrize(("name", "enough"), [("tpr_at_fpr_0.1", 1000), ("tpr_at_fpr_1", 100), ("tpr_at_fpr_5", 20)])
def test_a_true_positive_rate_needs_a_real_at_its_false_positive_rate(name, enough):
    for reals in (enough - 1, enough):
        labels = np.r_[np.zeros(reals), np.ones(5)]
        found = intervals(labels, np.linspace(0, 1, len(labels)), 0.5, np.arange(len(labels)), resamples=20)[name]
        assert (found.value is None, found.low is None) == (reals < enough, reals < enough)


@pytest.mark.parametrize("decimals", [None, 2, 1, 0])
@pytest.mark.parametrize("seed", range(5))
def test_weighted_metrics_equal_scikit_learn(seed, decimals):
    labels, scores = rows(200, seed, decimals)
    weights = np.random.default_rng(seed).poisson(1.0, 200)
    ours = Rows.of(labels, scores, THRESHOLD, np.arange(200)).weighted(weights)
    assert ours == pytest.approx(reference(labels, scores, THRESHOLD, weights), abs=1e-12)


def test_score_at_the_threshold_is_fake():
    labels, scores = [0, 0, 1, 1], [0.5, 0.4, 0.5, 0.4]
    assert confusion(labels, scores, 0.5) == dict.fromkeys(
        ("real_as_real", "real_as_fake", "fake_as_real", "fake_as_fake"), 1
    )


def test_confusion_equals_scikit_learn():
    labels, scores = rows(300)
    assert list(confusion(labels, scores, THRESHOLD).values()) == [
        *sk.confusion_matrix(labels, scores >= THRESHOLD).ravel()
    ]


def test_perfect_and_inverted_scores():
    ends = np.repeat([0, 1], 1000)
    right = figures(ends, ends, 0.5)
    assert right == pytest.approx({name: float(name not in ERRORS) for name in FIGURES})
    inverted = figures([1, 1, 0, 0], [0.1, 0.2, 0.8, 0.9], 0.5)
    assert (inverted["accuracy"], inverted["auc"], inverted["eer"]) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([], [], "no rows"),
        ([0, 1], [0.1], "one label and one score"),
        ([[0, 1]], [[0.1, 0.2]], "one label and one score"),
        ([0, 0, 0], [0.1, 0.2, 0.3], "3, all real"),
        ([1, 1], [0.1, 0.2], "2, all fake"),
        ([0, 1], [0.1, np.nan], "1 that do not, first nan in row 1"),
        ([0, 1], [-0.1, 1.5], "2 that do not, first -0.1 in row 0"),
        ([0, 2], [0.1, 0.2], r"\[0, 2\]"),
        (["real", "fake"], [0.1, 0.2], "'fake', 'real'"),
    ],
)
@pytest.mark.parametrize("function", [figures, confusion, best_threshold, intervals])
def test_unusable_rows_raise(function, labels, scores, message):
    more = {figures: [0.5], confusion: [0.5], best_threshold: [], intervals: [0.5, labels]}[function]
    with pytest.raises(ManifestError, match=message):
        function(labels, scores, *more)


@pytest.mark.parametrize("decimals", [None, 2, 1, 0])
@pytest.mark.parametrize("seed", range(5))
def test_best_threshold_is_optimal(seed, decimals):
    labels, scores = rows(60, seed, decimals)
    for truth in (labels, 1 - labels):  # the second is told apart the wrong way round
        best = best_threshold(truth, scores)
        called = scores >= np.array([0, 1, *scores, *(scores + 1e-9)])[:, None]
        rivals = [(called[:, truth == 1].mean(1) + 1 - called[:, truth == 0].mean(1)) / 2]
        assert 0 <= best <= 1
        assert sk.balanced_accuracy_score(truth, scores >= best) == pytest.approx(np.max(rivals))


@pytest.mark.parametrize(
    ("labels", "scores", "threshold"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9], 0.4),  # midway
        ([0, 1, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 0.35),  # 0.15, 0.35 and 0.55 are equally good
        ([0, 1, 1], [0.7, 0.7, 0.7], 0.5),
        ([1, 0], [0.0, 1.0], 0.0),
        ([0, 1], [0.5, np.nextafter(0.5, 1)], np.nextafter(0.5, 1)),  # neighbouring floats
    ],
)
def test_best_threshold(labels, scores, threshold):
    assert best_threshold(labels, scores) == pytest.approx(threshold, abs=1e-17)


def test_video_scores_average_frames():
    frames = pd.DataFrame(
        [("a", "v", "g", 1, 0.5), ("b", "v", "g", 0, 0.1), ("a", "v", "g", 1, 1.0), ("a", "u", "h", 0, 0.2)],
        columns=["dataset", "video", "group", "label", "score"],
    ).astype({"dataset": pd.CategoricalDtype(["a", "b", "unused"])})
    found = video_scores(frames)
    assert list(found) == ["dataset", "video", "group", "label", "score", "frames"]
    assert found.values.tolist() == [
        ["a", "v", "g", 1, 0.75, 2],
        ["b", "v", "g", 0, 0.1, 1],
        ["a", "u", "h", 0, 0.2, 1],
    ]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda frames: frames.drop(columns=["group", "score"]), "Missing: group, score"),
        (lambda frames: frames.iloc[:0], "no frames"),
        (lambda frames: frames.assign(score="high"), "'high' in the first row"),
        (lambda frames: frames.assign(group=[None, *frames["group"][1:]]), "1 frames without a group"),
        (lambda frames: frames.assign(score=[np.nan, *frames["score"][1:]]), "1 frames without a score"),
        (lambda frames: frames.assign(label=[1, *frames["label"][1:]]), "several for '0-0' of 'toy'"),
        (lambda frames: frames.assign(group=["9", *frames["group"][1:]]), "several for '0-0' of 'toy'"),
        (lambda frames: frames[frames["label"] == 1], "all fake"),
    ],
)
def test_unusable_frames_raise(spoil, message):
    with pytest.raises(ManifestError, match=message):
        assess(spoil(clustered(3)), 0.5, resamples=10)


def width(interval):
    return interval.high - interval.low


def test_intervals_equal_repeated_rows():
    labels, scores = rows(40, decimals=1)
    units, rng = np.repeat(np.arange(10), 4), np.random.default_rng(3)
    drawn = []
    for _ in range(30):
        at = np.concatenate([np.flatnonzero(units == unit) for unit in rng.integers(10, size=10)])
        drawn.append(reference(labels[at], scores[at], THRESHOLD))
    found = intervals(labels, scores, THRESHOLD, units, resamples=30, seed=3)
    assert found["tpr_at_fpr_5"].low is None, "40 rows have fewer than 20 reals"
    for name, interval in found.items():
        if name.startswith("tpr"):
            continue
        ends = np.quantile([values[name] for values in drawn], [0.025, 0.975])
        assert (interval.low, interval.high) == pytest.approx(tuple(ends)), name
    assert {name: i.value for name, i in found.items()} == pytest.approx(
        {name: None if np.isnan(value) else value for name, value in figures(labels, scores, THRESHOLD).items()}
    )


def test_intervals_shrink_with_more_units():
    few, many = (clustered(groups) for groups in (10, 160))
    found = [intervals(f["label"], f["score"], 0.5, f["group"], 300) for f in (few, many)]
    assert all(width(found[1][name]) < 0.6 * width(found[0][name]) for name in STEADY)


def test_intervals_of_units_are_wider_than_of_rows():
    frames = clustered(20)
    by_group, by_row = (
        intervals(frames["label"], frames["score"], 0.5, units, 300) for units in (frames["group"], frames.index)
    )
    assert all(width(by_group[name]) > 1.5 * width(by_row[name]) for name in STEADY)


def test_intervals_are_fixed_by_the_seed():
    frames = clustered(10)
    first, same, other = (
        intervals(frames["label"], frames["score"], 0.5, frames["group"], 50, seed) for seed in (1, 1, 2)
    )
    assert first == same != other


@pytest.mark.parametrize("groups", [1, 9, 10])
def test_no_interval_and_no_test_below_ten_units(groups):
    """However many frames there are: in intervals, levels, slices, DeLong's interval, and comparisons; a note says why."""
    frames = clustered(groups, videos=2).assign(quality=lambda rows: np.where(rows.index % 2, "c23", "c40"))
    measured = intervals(frames["label"], frames["score"], 0.5, frames["group"], 50)
    found = assess(frames.assign(video=frames["group"] + frames["video"]), 0.5, resamples=50)
    both = frames.assign(a=frames["score"], b=frames["score"].round(1))
    videos = both.drop_duplicates("video")
    plan = paired.Plan((0.5, 0.5), 50, 0, "percentile")
    compared = paired.compared(both, videos, plan)
    several = groups >= 10
    assert (measured["auc"].low is not None) == several
    levels = [found["frame"], found["video"], *(part["frame"] for part in found["slices"] if part["by"] == "quality")]
    for figure in (
        *(each for level in levels for each in (level["auc"], level["auc"]["delong"])),
        compared["frame"]["auc"],
    ):
        assert (figure["low"] is not None) == several
    assert (compared["frame"]["auc"]["delong"]["p"] is not None) == several
    for notes in (found["notes"], compared["notes"]):
        why = f"No intervals: {groups} independent group{'s' * (groups > 1)}, at least 10 are needed."
        assert (why in notes) != several


def test_resamples_of_one_class_are_left_out_and_counted():
    labels, scores, units = [0] * 10 + [1], [*np.linspace(0, 1, 11)], [*"abcdefghijk"]
    found = intervals(labels, scores, 0.5, units, resamples=400)
    assert 100 < found["auc"].left_out < 180  # (10 / 11) ** 11 of the draws lack the only fake: 140
    assert intervals(labels, scores, 0.5, labels, resamples=0)["auc"].low is None


def test_each_row_needs_a_unit():
    with pytest.raises(ManifestError, match="2 units, 1 of them empty, for 2 rows"):
        intervals([0, 1], [0.1, 0.2], 0.5, ["a", None])
    with pytest.raises(ManifestError, match="1 units"):
        intervals([0, 1], [0.1, 0.2], 0.5, ["a"])


def test_assess_reports_both_levels():
    frames = clustered(12).sample(frac=1, random_state=0)
    found = json.loads(json.dumps(assess(frames, 0.5, resamples=50), allow_nan=False))
    assert list(found) == ["threshold", "pool", "missing", "frame", "video", "group", "slices", "interval", "notes"]
    said = {"level": 0.95, "resamples": 50, "slice_resamples": 50, "method": "percentile"}
    assert found["interval"] == said | {"unit": "group", "units": 12, "left_out": 0}
    assert [found["frame"][key] for key in ("n", "real", "fake")] == [240, 120, 120]
    assert [found["video"][key] for key in ("n", "real", "fake")] == [24, 12, 12]
    videos = video_scores(frames)
    assert found["video"]["auc"]["value"] == pytest.approx(sk.roc_auc_score(videos["label"], videos["score"]))
    assert found["video"]["confusion"] == confusion(videos["label"], videos["score"], 0.5)
    assert all(found[at][name]["low"] <= found[at][name]["high"] for at in ("frame", "video") for name in STEADY)
    assert (
        "Not measured, too few reals: TPR at 0.1 % needs 1,000 reals (frames 120, videos 12, groups 12)"
        in found["notes"][0]
    )


def test_both_levels_share_their_resamples():
    frames = clustered(12, length=1).sample(frac=1, random_state=0)
    found = assess(frames, 0.5, resamples=50)
    assert found["frame"] == found["video"]  # since each video has one frame


def test_videos_of_one_group_have_no_interval():
    """They share people: their number says nothing of other people."""
    found = assess(clustered(1, videos=20), 0.5, resamples=50)
    assert (found["interval"]["unit"], found["interval"]["units"], found["video"]["auc"]["low"]) == ("group", 1, None)
    assert "No intervals: 1 independent group, at least 10 are needed." in found["notes"]


def test_a_large_test_set_takes_seconds():
    labels, scores = rows(30_000)
    start = time.perf_counter()
    intervals(labels, scores, 0.5, np.arange(30_000) // 300, resamples=100)
    assert time.perf_counter() - start < 3  # a tenth of the usual resamples, so that a busy machine passes too
