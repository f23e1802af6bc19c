"""Paired comparison: coverage with a known difference, dependence, entities, degenerate models."""

import numpy as np
import pytest
from scipy import stats
from scipy.signal import lfilter

from setpoint.errors import TooFewSamplesError, UndefinedMetricError
from setpoint.stats.paired import Resampling, bootstrap_interval, paired_difference

QUICK = Resampling(resamples=1000)


def mean(sums):
    return sums[..., 0] / sums[..., 1]


def f1(sums):
    return 2 * sums[..., 0] / (2 * sums[..., 0] + sums[..., 1] + sums[..., 2])


def with_ones(values):
    return np.c_[values, np.ones(len(values))]


def covers(estimates, truth):
    return np.mean([found.low <= truth <= found.high for found in estimates])


@pytest.mark.parametrize("rows", [60, 400, 5000])
def test_difference_of_accuracy_is_covered(rows):
    rng = np.random.default_rng(rows)
    found = []
    for seed in range(200):
        hard = rng.random(rows) < 0.3  # rows that both find hard: errors are correlated
        a = rng.random(rows) < np.where(hard, 0.7, 0.95)
        b = rng.random(rows) < np.where(hard, 0.6, 0.95)
        how = Resampling(resamples=600, seed=seed)
        found.append(paired_difference(with_ones(a), with_ones(b), mean, how))
    assert 0.905 <= covers(found, 0.03) <= 0.985


def test_difference_of_f1_is_covered():
    rng = np.random.default_rng(3)

    def statistics(y, guess):
        return np.c_[y & guess, ~y & guess, y & ~guess]

    found = []
    for seed in range(200):
        y = rng.random(1500) < 0.2
        a, b = (np.where(rng.random(1500) < q, y, ~y) for q in (0.9, 0.85))
        how = Resampling(resamples=600, seed=seed)
        found.append(paired_difference(statistics(y, a), statistics(y, b), f1, how))
    truth = 2 * 0.18 / (2 * 0.18 + 0.08 + 0.02) - 2 * 0.17 / (2 * 0.17 + 0.12 + 0.03)
    assert 0.91 <= covers(found, truth) <= 0.985


def test_dependent_rows_need_blocks():
    noise = np.random.default_rng(4).normal(size=(150, 3000))
    series = lfilter([1], [1, -0.8], noise, axis=1)
    rows = [with_ones(row) for row in series]
    alone = [bootstrap_interval(row, mean, QUICK) for row in rows]
    blocks = [bootstrap_interval(row, mean, Resampling(block=None, resamples=1000)) for row in rows]
    assert covers(alone, 0) < 0.65
    assert covers(blocks, 0) > 0.88
    assert np.mean([x.n_effective for x in blocks]) == pytest.approx(3000 / 9, rel=0.35)
    assert np.mean([x.n_effective for x in alone]) > 2700


def test_rows_of_one_entity_are_drawn_together():
    rng = np.random.default_rng(5)
    entity = np.repeat(np.arange(80), 25)
    found, alone = [], []
    for _ in range(120):
        values = with_ones(rng.normal(size=80)[entity] + 0.3 * rng.normal(size=2000))
        found.append(bootstrap_interval(values, mean, QUICK, clusters=entity))
        alone.append(bootstrap_interval(values, mean, QUICK))
    assert covers(found, 0) > 0.88
    assert covers(alone, 0) < 0.5
    assert np.mean([x.n_effective for x in found]) == pytest.approx(80, rel=0.4)


def test_width_equals_the_closed_form_also_when_rows_are_joined():
    values = np.random.default_rng(7).normal(size=50_000)
    found = bootstrap_interval(with_ones(values), mean)
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 50_000**0.5, rel=0.08)


def test_bounds_agree_with_scipy_bca():
    values = np.random.default_rng(8).exponential(size=60)
    found = bootstrap_interval(with_ones(values), mean, Resampling(resamples=20_000))
    expected = stats.bootstrap((values,), np.mean, rng=1, n_resamples=20_000).confidence_interval
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.02)


def test_equal_models_differ_by_exactly_nothing():
    a = with_ones(np.random.default_rng(9).random(500))
    found = paired_difference(a, a, mean, QUICK)
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_same_seed_same_bounds():
    a = with_ones(np.random.default_rng(10).random(3000))
    assert bootstrap_interval(a, mean, QUICK) == bootstrap_interval(a, mean, QUICK)


def test_swapped_models_swap_the_sign():
    rng = np.random.default_rng(11)
    a, b = (with_ones(rng.random(800)) for _ in range(2))
    one, other = paired_difference(a, b, mean, QUICK), paired_difference(b, a, mean, QUICK)
    assert (one.value, one.low, one.high) == pytest.approx(
        (-other.value, -other.high, -other.low), abs=3e-3
    )


@pytest.mark.parametrize("block", [1, 10, 99])
def test_too_few_units_are_refused(block):
    with pytest.raises(TooFewSamplesError):
        bootstrap_interval(np.ones((4 if block == 1 else 40, 2)), mean, Resampling(block=block))


def test_few_entities_are_refused():
    with pytest.raises(TooFewSamplesError):
        bootstrap_interval(np.ones((100, 2)), mean, clusters=np.arange(100) % 3)


def test_metric_without_a_value_is_refused():
    rows = np.zeros((50, 3))
    with pytest.raises(UndefinedMetricError):
        bootstrap_interval(rows, f1)
    rows[0, 0] = 1  # one row carries it: gone from a third of the resamples
    with pytest.raises(UndefinedMetricError):
        bootstrap_interval(rows, f1)


def test_unlike_shapes_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        paired_difference(np.ones((9, 2)), np.ones((8, 2)), mean)
