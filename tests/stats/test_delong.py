"""DeLong's intervals: against the quadratic form, coverage, dependence, extremes."""

import numpy as np
import pytest

from setpoint.errors import TooFewSamplesError, UndefinedMetricError
from setpoint.stats.classification import roc_auc
from setpoint.stats.delong import auc_interval, paired_auc_difference


def by_all_pairs(y, score):
    """Area and variance straight from the definition, in O(n m)."""
    positive, negative = score[y == 1], score[y == 0]
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    rows, columns = wins.mean(axis=1), wins.mean(axis=0)
    return wins.mean(), rows.var(ddof=1) / rows.size + columns.var(ddof=1) / columns.size


@pytest.mark.parametrize("digits", [1, 9])
def test_equals_the_definition_with_and_without_ties(digits):
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 120)
    a, b = (np.round(y + rng.normal(size=120), digits) for _ in range(2))
    area, variance = by_all_pairs(y, a)
    found = auc_interval(y, a)
    assert found.value == pytest.approx(area) == roc_auc(y, a)
    half = np.log(found.high / (1 - found.high)) - np.log(found.low / (1 - found.low))
    assert half / 2 == pytest.approx(1.959964 * variance**0.5 / (area * (1 - area)))
    difference = paired_auc_difference(y, (a, b))
    assert difference.value == pytest.approx(area - by_all_pairs(y, b)[0])


def test_single_area_is_covered():
    rng = np.random.default_rng(2)
    y = np.repeat([0, 1], [150, 50])
    found = [auc_interval(y, rng.normal(1.19 * y)) for _ in range(600)]  # true area .8
    assert 0.925 < np.mean([x.low < 0.8 < x.high for x in found]) < 0.975


def test_difference_of_correlated_models_is_covered_and_narrower():
    rng = np.random.default_rng(3)
    y = np.repeat([0, 1], 150)
    covered, widths = [], []
    for _ in range(500):
        shared = rng.normal(size=300)
        a, b = (y + 0.8 * shared + 0.6 * rng.normal(size=300) for _ in range(2))
        found = paired_auc_difference(y, (a, b))
        covered.append(found.low < 0 < found.high)
        widths.append(found.high - found.low)
    assert 0.925 < np.mean(covered) < 0.975
    alone = auc_interval(y, a)
    assert np.mean(widths) < 0.9 * (alone.high - alone.low)


@pytest.mark.parametrize("correction", ["block", "clusters"])
def test_rows_of_one_entity_widen_the_interval(correction):
    rng = np.random.default_rng(4)
    entity = np.repeat(np.arange(100), 8)
    how = {"block": 8} if correction == "block" else {"clusters": entity}
    alone, together, worth = [], [], []
    for _ in range(300):
        y = rng.integers(0, 2, 100)
        score = (rng.normal(1.19 * y))[entity] + 1e-3 * rng.normal(size=800)
        plain, found = auc_interval(y[entity], score), auc_interval(y[entity], score, **how)
        alone.append(plain.low < 0.8 < plain.high)
        together.append(found.low < 0.8 < found.high)
        worth.append(found.n_effective)
    assert np.mean(alone) < 0.65
    assert 0.91 < np.mean(together) < 0.985
    assert np.median(worth) == pytest.approx(100, rel=0.25)


def test_perfect_ranking_is_not_certainty():
    found = auc_interval([0] * 50 + [1] * 5, np.arange(55))
    assert (found.value, found.high) == (1, 1)
    assert 0.4 < found.low < 0.7


def test_equal_rankings_do_not_differ():
    y, score = [0, 1, 0, 1, 1], np.arange(5.0)
    found = paired_auc_difference(y, (score, 2 * score + 1))
    assert (found.low, found.value, found.high) == (0, 0, 0)


def test_one_class_and_few_blocks_are_refused():
    with pytest.raises(UndefinedMetricError):
        auc_interval([1, 1], [0.1, 0.2])
    with pytest.raises(TooFewSamplesError):
        auc_interval([0, 1] * 10, np.arange(20), block=6)


def test_a_hundred_thousand_rows_need_no_square_of_memory():
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, 100_000)
    found = auc_interval(y, y + rng.normal(size=100_000))
    assert found.high - found.low < 0.01
