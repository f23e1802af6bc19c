"""Evidence of harm: false alarms at any look, speed, rates and shares of traffic that wander together."""

import numpy as np
import pytest
from scipy.stats import binom

from setpoint.stats.rate_evidence import GUESSES, TwoArms, harm_gains, log_evidence

ALARM = np.log(20)
NOTHING = TwoArms(0, 0, 0, 0)


def traffic(rates, *, share=0.05, total=20_000, runs=200, seed=1, wander=0.0, share_wander=0.0):
    """Counts of many canaries in looks of a hundred requests: four arrays of shape (looks, runs)."""
    rng = np.random.default_rng(seed)
    hour = np.sin(np.arange(total // 100) / 20)[:, None]
    level = np.exp(wander * hour)
    level = level / level.mean()
    shares = np.minimum(share * np.exp(share_wander * hour), 0.9)
    canary = rng.binomial(100, np.broadcast_to(shares, (len(hour), runs)))
    events = rng.binomial(canary, rates[0] * level), rng.binomial(100 - canary, rates[1] * level)
    return events[0], canary, events[1], 100 - canary


def evidence(counts):
    """Log evidence after each look, shape (looks, runs)."""
    before = TwoArms(*(np.cumsum(one, axis=0) - one for one in counts))
    return log_evidence(harm_gains(TwoArms(*counts), before).cumsum(axis=0))


def alarmed(counts):
    """The share of canaries with an alarm at any look."""
    return (evidence(counts) > ALARM).any(axis=0).mean()


@pytest.mark.parametrize("share", [0.05, 0.5])
@pytest.mark.parametrize("rate", [0.001, 0.01, 0.1])
def test_equal_canary_is_rolled_back_in_at_most_one_of_twenty(rate, share):
    assert alarmed(traffic((rate, rate), share=share, runs=400)) <= 0.05


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_rates_and_shares_that_wander_together_are_no_harm(share):
    """Over all looks the canary's sum is far worse: it has more of the bad hours' traffic."""
    counts = traffic((0.05, 0.05), share=share, wander=1.5, share_wander=0.7, seed=3)
    events, n, base, m = (one.sum() for one in counts)
    assert events / n > 1.2 * base / m
    assert alarmed(counts) <= 0.05


def test_mean_evidence_of_a_look_is_at_most_one_exactly():
    """Every outcome of a small look, weighed by its probability under equal rates, or a better canary."""
    rng = np.random.default_rng(4)
    largest = 0.0
    for _ in range(200):
        n, m = rng.integers(1, 12, 2)
        before = TwoArms(*rng.integers(0, 9, 1), 40, *rng.integers(0, 9, 1), 300)
        x, y = (grid.ravel() for grid in np.meshgrid(np.arange(n + 1), np.arange(m + 1)))
        gains = harm_gains(TwoArms(x, n, y, m), before)
        for rate in np.linspace(0.001, 0.6, 25):
            for better in (1.0, 0.5):
                chance = binom.pmf(x, n, rate * better) * binom.pmf(y, m, rate)
                largest = max(largest, float((chance @ np.exp(gains)).max()))
    assert 0.99 < largest <= 1 + 1e-9


@pytest.mark.parametrize(
    ("rates", "requests"), [((0.05, 0.01), 200), ((0.02, 0.01), 1500), ((0.3, 0.1), 100)]
)
def test_harm_is_found_within_few_requests_of_the_canary(rates, requests):
    counts = traffic(rates, seed=6, total=40_000)
    is_alarm = evidence(counts) > ALARM
    at = np.take_along_axis(counts[1].cumsum(axis=0), is_alarm.argmax(axis=0)[None], 0)[0]
    assert np.median(np.where(is_alarm.any(axis=0), at, np.inf)) <= requests


def test_looking_seldom_finds_harm_too():
    counts = traffic((0.05, 0.01), seed=7)
    rare = [one.reshape(10, -1, one.shape[1]).sum(axis=1) for one in counts]
    assert alarmed(rare) > 0.95


def test_silence_and_one_arm_without_traffic_are_no_evidence():
    for look in (NOTHING, TwoArms(5, 5, 0, 0), TwoArms(0, 0, 5, 5)):
        assert log_evidence(harm_gains(look, NOTHING)) == pytest.approx(0, abs=1e-6)


def test_better_canary_is_no_evidence_of_harm():
    assert log_evidence(harm_gains(TwoArms(0, 500, 95, 9500), NOTHING)) < 0


def test_evidence_is_the_likelihood_of_the_guess_over_that_of_the_nearest_equal_rates():
    def entropy(p, q):
        return p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))

    stable = 6.5 / 650  # of 6 in 600 requests, and the first guess
    canary = (2 + 100 * stable) / 140  # of 2 in 40, drawn to the stable rate
    rates = np.linspace(1e-5, 0.1, 400_001)
    equal = rates[(20 * entropy(canary, rates) + 300 * entropy(stable, rates)).argmin()]
    gains = harm_gains(TwoArms(3, 20, 4, 300), TwoArms(2, 40, 6, 600))
    wanted = binom.logpmf(3, 20, canary) - binom.logpmf(3, 20, equal)
    wanted += binom.logpmf(4, 300, stable) - binom.logpmf(4, 300, equal)
    assert gains.shape == (GUESSES,)
    assert float(gains[-1]) == pytest.approx(wanted, abs=1e-3)


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="events"):
        harm_gains(TwoArms(2, 1, 0, 1), NOTHING)
