"""A rate under continuous watching: coverage at every look, exact extremes."""

import numpy as np
import pytest
from scipy.special import betaln, xlog1py, xlogy

from setpoint.stats.rate_sequence import Arm, rate_sequence


def watched(rate, *, total, runs, seed, step=50):
    """Counts of an arm at every look, shape (runs, looks)."""
    rng = np.random.default_rng(seed)
    n = rng.binomial(step, 0.5, (runs, total // step))
    return Arm(rng.binomial(n, rate).cumsum(axis=1), n.cumsum(axis=1))


@pytest.mark.parametrize("rate", [0.001, 0.02, 0.3])
def test_rate_is_covered_at_all_looks_together(rate):
    low, high = rate_sequence(watched(rate, total=20_000, runs=300, seed=1))
    assert ((low > rate) | (high < rate)).any(axis=1).mean() <= 0.05


def test_bounds_are_the_rates_not_refuted():
    low, high = rate_sequence(Arm(7, 60))
    rates = np.linspace(1e-4, 1 - 1e-4, 20_001)
    evidence = betaln(7.5, 58) - betaln(0.5, 5)
    kept = rates[evidence - xlogy(7, rates) - xlog1py(53, -rates) < np.log(20)]
    assert (float(low), float(high)) == pytest.approx((kept.min(), kept.max()), abs=1e-4)


def test_no_error_yet_is_no_zero_width():
    low, high = rate_sequence(Arm(0, 500))
    assert low == 0
    assert 0.005 < high < 0.02


@pytest.mark.parametrize(("events", "n"), [(0, 50), (50, 50), (1, 1), (0, 1)])
def test_extremes_stay_in_range_and_hold_the_share(events, n):
    low, high = rate_sequence(Arm(events, n))
    assert 0 <= low <= events / n <= high <= 1


def test_no_request_bounds_nothing():
    low, high = rate_sequence(Arm(0, 0))
    assert (low, high) == (0, 1)


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="events"):
        rate_sequence(Arm(3, 2))
