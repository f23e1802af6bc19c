"""Effective rows against known processes."""

import numpy as np
import pytest
from scipy.signal import lfilter

from setpoint.errors import TooFewSamplesError
from setpoint.stats.binning import numeric_bins, window_counts
from setpoint.stats.effective_size import (
    autocorrelation,
    design_effect,
    design_effect_from_codes,
    design_effect_from_windows,
    effective_rows,
)


def autoregressive(rows, coefficient, seed):
    noise = np.random.default_rng(seed).normal(size=rows + 500)
    return lfilter([1], [1, -coefficient], noise)[500:]


@pytest.mark.parametrize(("coefficient", "expected"), [(0.0, 1), (0.5, 3), (0.8, 9), (0.95, 39)])
def test_autoregressive_series(coefficient, expected):
    found = [design_effect(autoregressive(20_000, coefficient, seed)) for seed in range(5)]
    assert np.mean(found) == pytest.approx(expected, rel=0.2)


def test_constant_and_short_series_do_not_divide_by_zero():
    assert design_effect(np.ones(50)) == design_effect([1.0, 2.0]) == design_effect([]) == 1
    assert design_effect_from_codes(np.zeros(50, np.int64), 3) == 1
    assert design_effect_from_codes(np.array([], np.int64), 3) == 1


def test_alternating_series_is_never_worth_more_than_its_rows():
    assert design_effect([0, 1] * 100) == 1
    assert effective_rows(100, 0.2) == 100


def test_at_least_one_row():
    assert effective_rows(10, 1e9) == 1


def test_autocorrelation_of_a_known_series():
    assert autocorrelation(np.array([1.0, -1, 1, -1])) == pytest.approx([1, -0.75, 0.5, -0.25])


@pytest.mark.parametrize("coefficient", [0.0, 0.9])
def test_windows_and_codes_agree(coefficient):
    series = autoregressive(60_000, coefficient, 1)
    bins = numeric_bins(series)
    codes = bins.codes(series)
    by_windows = design_effect_from_windows(window_counts(codes, 13, 500))
    assert design_effect_from_codes(codes, 13) == pytest.approx(by_windows, rel=0.25)


def test_independent_windows_are_worth_their_rows():
    counts = np.random.default_rng(3).multinomial(300, [0.1] * 10, size=200)
    assert design_effect_from_windows(counts) == pytest.approx(1, abs=0.1)


def test_few_windows_are_refused():
    with pytest.raises(TooFewSamplesError):
        design_effect_from_windows(np.ones((7, 3)))


def test_one_cell_has_no_variance():
    assert design_effect_from_windows(np.array([[5, 0]] * 9)) == 1
