"""Likelihood ratios: the same numbers as the package lir of the Netherlands Forensic Institute, and their laws."""

import json

import numpy as np
import pytest

from deepfake_cli.errors import ManifestError, ModelError
from deepfake_cli.metrics.likelihood_cost import best_rising, cllr, cllr_min, ece
from deepfake_cli.metrics.likelihood_fit import FITS, bounded, elub, fit
from deepfake_cli.metrics.likelihood_ratio import LikelihoodRatio, logit


def scored(reals: int = 80, fakes: int = 120, apart: float = 1.5, seed: int = 0):
    """Labels, scores whose logits are normal, and groups of four videos."""
    rng = np.random.default_rng(seed)
    labels = np.r_[np.zeros(reals, int), np.ones(fakes, int)]
    scores = 1 / (1 + np.exp(-rng.normal(apart * (2 * labels - 1) / 2, 1)))
    return labels, scores, np.arange(len(labels)) // 4


@pytest.fixture(scope="module")
def lir():
    return pytest.importorskip("lir")


@pytest.mark.parametrize("apart", [0.1, 1.5, 6])
def test_costs_equal_those_of_lir(lir, apart):
    from lir.data.models import LLRData
    from lir.metrics import cllr as their_cllr
    from lir.metrics import cllr_min as their_cllr_min
    from lir.plotting.expected_calibration_error import calculate_ece

    labels, scores, _ = scored(apart=apart)
    ratios = logit(scores) * 0.7 + 0.2
    theirs = LLRData(features=ratios[:, None], labels=labels)
    assert cllr(ratios, labels) == pytest.approx(their_cllr(theirs), abs=1e-6)
    assert cllr_min(ratios, labels) == pytest.approx(their_cllr_min(theirs), abs=1e-6)
    odds = np.array([-2.0, 0.0, 1.5])
    prior = 10**odds / (1 + 10**odds)
    assert ece(ratios, labels, odds) == pytest.approx(calculate_ece(10**ratios, labels, prior), abs=1e-6)


@pytest.mark.parametrize("apart", [0.1, 1.5, 6])
@pytest.mark.parametrize("method", FITS)
def test_fits_and_bounds_equal_those_of_lir(lir, method, apart):
    labels, scores, _ = scored(apart=apart)
    place = logit(scores)
    ratios, (low, high) = of_lir(method, place, labels)
    assert FITS[method](labels, place)(place) == pytest.approx(ratios, abs=1e-6)
    assert elub(ratios, labels) == pytest.approx((low, high), abs=1e-6)
    assert bounded(labels, place, method)(place) == pytest.approx(np.clip(ratios, low, high), abs=1e-6)


def of_lir(method: str, place: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """Fitted ratios and their bounds; lir takes arrays until 1.3.1, the last one for Python 3.11, then its own type."""
    from lir.algorithms.bayeserror import elub
    from lir.algorithms.kde import KDECalibrator
    from lir.algorithms.logistic_regression import LogitCalibrator
    from lir.data.models import LLRData

    theirs = LogitCalibrator() if method == "logistic" else KDECalibrator("silverman")
    if hasattr(theirs, "transform"):
        ratios = theirs.fit(place, labels).transform(place)
        return ratios, elub(ratios.copy(), labels)
    data = LLRData(features=place[:, None], labels=labels)
    found = theirs.fit(data).apply(data)
    return found.llrs.copy(), elub(found)


def test_costs_of_known_ratios():
    labels = np.array([0, 1, 0, 1])
    assert cllr(np.zeros(4), labels) == pytest.approx(1), "a ratio of 1 says nothing"
    assert cllr_min([-1, 1, -2, 2], labels) == 0, "perfect discrimination"
    assert cllr([np.inf, 1, -1, 1], labels) == np.inf, "certain, and wrong"
    assert cllr([-np.inf, np.inf, -np.inf, np.inf], labels) == 0
    assert np.isinf(best_rising([-1, 1, -2, 2], labels)).all()
    assert ece(np.zeros(4), labels, [0])[0] == pytest.approx(1)


def test_ratios_that_are_nearly_equal_have_a_best_map():
    """As those within bounds are, which sums of floats move by one step."""
    labels, scores, _ = scored()
    ratios = np.round(logit(scores), 1) + np.arange(len(labels)) % 5 * 2e-16
    assert not np.isnan(best_rising(ratios, labels)).any()
    assert cllr_min(ratios, labels) == pytest.approx(cllr_min(np.round(ratios, 1), labels), abs=0.05)


@pytest.mark.parametrize("method", FITS)
def test_ratios_are_bounded_by_the_number_of_videos(method):
    """Scores without an error would have infinite ratios."""
    for count in (10, 100):
        labels, scores, groups = scored(count, count, apart=30)
        found = fit(labels, scores, groups, method, resamples=20)
        highest = found.apply([1.0])[0]
        assert 0 < highest <= np.log10(count + 1)
        assert -np.log10(count + 1) <= found.apply([0.0])[0] < 0


@pytest.mark.slow
@pytest.mark.parametrize("method", FITS)
def test_a_ratio_lies_in_its_interval_which_more_groups_make_narrower(method):
    widths = []
    for count in (40, 1000):
        found = fit(*scored(count, count), method, resamples=20)
        ratios = [found.of(score) for score in (0.4, 0.5, 0.6)]
        assert all(each.low <= each.log10 <= each.high for each in ratios)
        widths.append(np.mean([each.high - each.low for each in ratios]))
    assert widths[1] < widths[0] / 2


def test_the_prior_of_the_videos_does_not_matter():
    labels, scores, groups = scored(400, 400)
    kept = (labels == 0) | (np.arange(800) % 8 == 0)
    few = fit(labels[kept], scores[kept], groups[kept], resamples=0)
    all_of_them = fit(labels, scores, groups, resamples=0)
    middle = [0.3, 0.5, 0.7]
    assert few.apply(middle) == pytest.approx(all_of_them.apply(middle), abs=0.15)


def test_ratios_survive_json_and_are_not_extrapolated():
    found = fit(*scored(), resamples=20)
    again = LikelihoodRatio.from_json(json.loads(json.dumps(found.to_json())))
    assert again.apply([0.1, 0.8]) == pytest.approx(found.apply([0.1, 0.8]), abs=1e-5)
    lowest, highest = scored()[1].min(), scored()[1].max()
    assert found.apply([0.0, 1.0]).tolist() == found.apply([lowest, highest]).tolist()
    assert found.of(1.0) == found.of(float(highest))


@pytest.mark.parametrize(
    ("labels", "scores", "words"),
    [
        ([0, 0], [0.1, 0.2], "all real"),
        ([0, 1], [0.4, 0.4], "support neither"),
        ([0, 1], [0.9, 0.1], "wrong class"),
        ([0, 1], [0.4, float("nan")], "nan"),
    ],
)
def test_unusable_scores_raise(labels, scores, words):
    with pytest.raises(ManifestError, match=words):
        fit(labels, scores, [0, 1])


@pytest.mark.parametrize("cost", [cllr, cllr_min, ece])
def test_ratios_of_one_class_have_no_cost(cost):
    with pytest.raises(ManifestError, match="2 ratios, all of fakes"):
        cost([1.0, 2.0], [1, 1])


@pytest.mark.parametrize(
    "change",
    [
        {"method": "magic"},
        {"logits": [0, 0]},
        {"log10": [0]},
        {"log10": [-50, 50], "low": [-50, 50], "high": [-50, 50]},
        {"low": [1, 1]},
        {"high": ["much", 1]},
        {"log10": []},
    ],
)
def test_broken_maps_raise(change):
    stored = {"method": "kde", "logits": [-1, 1], "log10": [-0.5, 0.5], "low": [-1, 0], "high": [0, 1]}
    assert LikelihoodRatio.from_json(stored).apply([0.5])[0] == 0
    with pytest.raises(ModelError, match="likelihood ratio"):
        LikelihoodRatio.from_json(stored | change)
