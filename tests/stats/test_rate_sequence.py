"""Rates under continuous watching: coverage at every look, exact extremes, speed of the verdict."""

import numpy as np
import pytest
from scipy.special import betaln, xlog1py, xlogy

from setpoint.stats.rate_sequence import (
    Arm,
    compare_rates,
    rate_difference_sequence,
    rate_sequence,
)


def watched(rates, share, *, total, runs, seed, step=100):
    """Counts of canary and stable at every look: two arms of shape (runs, looks)."""
    rng = np.random.default_rng(seed)
    canary = rng.binomial(step, share, (runs, total // step))
    events = [rng.binomial(n, p) for n, p in zip((canary, step - canary), rates, strict=True)]
    counts = [x.cumsum(axis=1) for x in (events[0], canary, events[1], step - canary)]
    return Arm(counts[0], counts[1]), Arm(counts[2], counts[3])


@pytest.mark.parametrize("rate", [0.001, 0.02, 0.3])
def test_rate_is_covered_at_all_looks_together(rate):
    arm, _ = watched((rate, rate), 0.5, total=20_000, runs=300, seed=1, step=50)
    low, high = rate_sequence(arm)
    assert ((low > rate) | (high < rate)).any(axis=1).mean() <= 0.05


@pytest.mark.parametrize("share", [0.05, 0.5])
@pytest.mark.parametrize("rate", [0.001, 0.01, 0.1])
def test_equal_arms_are_rolled_back_in_at_most_one_of_twenty(rate, share):
    low, _ = rate_difference_sequence(*watched((rate, rate), share, total=20_000, runs=200, seed=2))
    assert (low > 0).any(axis=1).mean() <= 0.05


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.1])
def test_canary_at_the_margin_is_promoted_in_at_most_one_of_twenty(rate):
    arms = watched((rate + 0.01, rate), 0.05, total=20_000, runs=200, seed=3)
    assert (rate_difference_sequence(*arms)[1] < 0.01).any(axis=1).mean() <= 0.05


def test_five_times_the_errors_are_found_within_five_hundred_requests():
    canary, stable = watched((0.05, 0.01), 0.05, total=20_000, runs=200, seed=4)
    is_found = rate_difference_sequence(canary, stable)[0] > 0
    assert is_found.any(axis=1).mean() > 0.99
    requests = np.take_along_axis(canary.n, is_found.argmax(axis=1)[:, None], axis=1)
    assert np.median(requests) <= 300


def test_difference_bound_is_the_largest_pair_not_refuted():
    canary, stable = Arm(7, 60), Arm(11, 300)
    low, high = rate_difference_sequence(canary, stable)
    p, q = np.meshgrid(np.linspace(1e-4, 1 - 1e-4, 1500), np.linspace(1e-4, 0.3, 1500))
    evidence = sum(betaln(0.5 + x, 5 + n - x) - betaln(0.5, 5) for x, n in ((7, 60), (11, 300)))
    at = xlogy(7, p) + xlog1py(53, -p) + xlogy(11, q) + xlog1py(289, -q)
    kept = (p - q)[evidence - at < np.log(20)]
    assert (float(low), float(high)) == pytest.approx((kept.min(), kept.max()), abs=2e-3)


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (0, 9, 0, 0), (0, 0, 5, 5)])
def test_arm_without_a_request_bounds_nothing_false(counts):
    low, high = rate_difference_sequence(Arm(*counts[:2]), Arm(*counts[2:]))
    assert -1 <= low < 0 < high <= 1
    verdict = compare_rates(Arm(*counts[:2]), Arm(*counts[2:]), margin=0.01)
    assert verdict.verdict == "inconclusive"
    assert np.isnan(verdict.difference)


def test_no_error_yet_is_no_zero_width():
    low, high = rate_sequence(Arm(0, 500))
    assert low == 0
    assert 0.005 < high < 0.02
    assert compare_rates(Arm(0, 500), Arm(0, 9500), margin=0.005).verdict == "inconclusive"


@pytest.mark.parametrize(("events", "n"), [(0, 50), (50, 50), (1, 1), (0, 1)])
def test_extremes_stay_in_range_and_hold_the_share(events, n):
    low, high = rate_sequence(Arm(events, n))
    assert 0 <= low <= events / n <= high <= 1
    low, high = rate_difference_sequence(Arm(events, n), Arm(n - events, n))
    assert -1 <= low <= 2 * events / n - 1 <= high <= 1


def test_swapped_arms_swap_the_bounds():
    one, other = Arm(5, 100), Arm(20, 900)
    low, high = rate_difference_sequence(one, other)
    swapped = rate_difference_sequence(other, one)
    assert (float(low), float(high)) == pytest.approx((-float(swapped[1]), -float(swapped[0])))


def test_verdicts():
    assert compare_rates(Arm(40, 400), Arm(50, 5000), margin=0.01).verdict == "fail"
    assert compare_rates(Arm(100, 50_000), Arm(100, 50_000), margin=0.01).verdict == "pass"
    # Surely worse, surely by less than was accepted.
    tolerated = compare_rates(Arm(3000, 10**6), Arm(2000, 10**6), margin=0.01)
    assert tolerated.low > 0
    assert tolerated.verdict == "pass"


@pytest.mark.parametrize(("margin", "harm"), [(0, 0), (-0.1, 0), (0.01, 0.02)])
def test_senseless_margins_are_refused(margin, harm):
    with pytest.raises(ValueError, match="margin"):
        compare_rates(Arm(1, 10), Arm(1, 10), margin=margin, harm=harm)


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="events"):
        rate_sequence(Arm(3, 2))
