"""Tests of significance: size under the null, agreement with scipy, effective rows."""

import numpy as np
import pytest
from scipy import stats

from setpoint.errors import TooFewSamplesError
from setpoint.stats.distance import ks_statistic
from setpoint.stats.significance import benjamini_hochberg, chi_squared_p_value, ks_p_value


@pytest.mark.parametrize(("n", "m", "critical"), [(10**3, 10**3, 0.0607), (10**6, 10**6, 0.00192)])
def test_ks_critical_values(n, m, critical):
    assert ks_p_value(critical, n, m) == pytest.approx(0.05, abs=0.002)


def test_ks_near_scipy():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=800), rng.normal(0.07, 1, size=700)
    d = ks_statistic(x, y)
    assert ks_p_value(d, 800, 700) == pytest.approx(stats.ks_2samp(x, y).pvalue, rel=0.05)


def test_ks_fewer_effective_rows_are_less_significant():
    assert ks_p_value(0.1, 10_000, 1000) < 1e-6
    assert ks_p_value(0.1, 10_000, 25) > 0.5


def test_ks_false_alarms_under_the_null():
    rng = np.random.default_rng(2)
    p = [ks_p_value(ks_statistic(*rng.normal(size=(2, 200))), 200, 200) for _ in range(500)]
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.075


def test_chi_squared_equals_scipy():
    p, q = [30, 50, 20], [40, 30, 30]
    expected = stats.chi2_contingency([p, q], correction=False).pvalue
    assert chi_squared_p_value(p, q) == pytest.approx(expected)


def test_chi_squared_false_alarms_with_many_rare_cells():
    rng = np.random.default_rng(3)
    shares = np.r_[np.full(5, 0.19), np.full(50, 0.001)]
    draws = [(rng.multinomial(5000, shares), rng.multinomial(300, shares)) for _ in range(500)]
    rejected = np.mean([chi_squared_p_value(p, q) < 0.05 for p, q in draws])
    assert 0.02 < rejected < 0.08


def test_chi_squared_one_cell_is_no_evidence():
    assert chi_squared_p_value([10, 0], [7, 0]) == 1


def test_chi_squared_needs_rows():
    with pytest.raises(TooFewSamplesError):
        chi_squared_p_value([1, 1], [0, 0])


def test_benjamini_hochberg_equals_scipy():
    p = np.random.default_rng(4).uniform(size=40) ** 2
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))


def test_benjamini_hochberg_does_not_count_what_was_not_measured():
    adjusted = benjamini_hochberg([0.02, np.nan, 0.03])
    assert adjusted[[0, 2]] == pytest.approx([0.03, 0.03])
    assert np.isnan(adjusted[1])
    assert benjamini_hochberg([]).size == 0
