"""Means under continuous watching: coverage from a hundred values on."""

import numpy as np
import pytest

from setpoint.errors import TooFewSamplesError
from setpoint.stats.mean_sequence import mean_difference_sequence, mean_sequence_width


def test_mean_is_covered_at_all_looks_from_a_hundred_on():
    values = np.random.default_rng(1).exponential(size=(400, 5000))
    n = np.arange(100, 5001, 50)
    total, square = np.cumsum(values, axis=1)[:, n - 1], np.cumsum(values**2, axis=1)[:, n - 1]
    mean = total / n
    width = mean_sequence_width(n, np.sqrt(square / n - mean**2))
    assert (np.abs(mean - 1) > width).any(axis=1).mean() <= 0.06


def test_width_by_the_published_formula():
    t, rho = 1000.0, (2 * np.log(20) + np.log(2 * np.log(20) + 1)) / 500
    expected = np.sqrt(2 * (t * rho + 1) / (t**2 * rho) * np.log(np.sqrt(t * rho + 1) * 20))
    assert mean_sequence_width(t, 3.0) == pytest.approx(3 * expected)


def test_difference_of_unequal_arms():
    rng = np.random.default_rng(2)
    found = mean_difference_sequence(rng.normal(5, 2, 300), rng.normal(5, 2, 9000))
    assert found.low < 0 < found.high
    assert found.n == 300


def test_under_a_hundred_values_are_refused():
    with pytest.raises(TooFewSamplesError):
        mean_difference_sequence(np.ones(99), np.ones(500))
