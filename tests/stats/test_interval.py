"""Intervals of proportions and means: coverage, extremes, dependent rows."""

import numpy as np
import pytest
from scipy import stats
from scipy.signal import lfilter

from setpoint.errors import TooFewSamplesError
from setpoint.stats.interval import mean_interval, wilson_interval


@pytest.mark.parametrize(("successes", "n"), [(0, 5), (5, 5), (3, 40), (999, 1000)])
def test_wilson_equals_scipy(successes, n):
    expected = stats.binomtest(successes, n).proportion_ci(method="wilson")
    assert wilson_interval(successes, n) == pytest.approx((expected.low, expected.high))


def test_wilson_no_rows_is_no_interval():
    with pytest.raises(TooFewSamplesError):
        wilson_interval(0, 0)


def test_wilson_fewer_effective_rows_are_wider():
    narrow, wide = wilson_interval(50, 100), wilson_interval(5, 10)
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


def test_mean_equals_student():
    values = np.random.default_rng(1).exponential(size=30)
    found = mean_interval(values, confidence=0.9)
    expected = stats.t.interval(0.9, 29, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.n_effective == 30


@pytest.mark.parametrize(("block", "least"), [(200, 0.92), (None, 0.88)])
def test_mean_of_dependent_rows_is_covered(block, least):
    noise = np.random.default_rng(2).normal(size=(300, 4000))
    series = lfilter([1], [1, -0.9], noise, axis=1)[:, 500:]
    found = [mean_interval(row, block=block) for row in series]
    assert np.mean([x.low < 0 < x.high for x in found]) > least
    assert np.mean([x.low < 0 < x.high for x in map(mean_interval, series)]) < 0.5
    assert np.mean([x.n_effective for x in found]) == pytest.approx(3500 / 19, rel=0.35)


def test_constant_values_have_no_width():
    found = mean_interval([2.0, 2.0, 2.0])
    assert (found.low, found.value, found.high, found.n_effective) == (2, 2, 2, 3)


@pytest.mark.parametrize(("rows", "block"), [(1, 1), (19, 10), (0, None)])
def test_mean_of_too_few_blocks_is_refused(rows, block):
    with pytest.raises(TooFewSamplesError):
        mean_interval(np.ones(rows), block=block)
