"""The canary's verdict: false alarms and promotions at any look, speed, wandering traffic."""

import numpy as np
import pytest
from scipy.stats import binom

from setpoint.stats.rate_evidence import (
    Batches,
    _log_ratio,
    _nearest_in_null,
    evidence_of_harm,
    evidence_of_safety,
    judge_batches,
    requests_to_pass,
)

ALARM = np.log(20)


def traffic(rates, *, share=0.05, total=20_000, runs=200, seed=1, wander=0.0):
    rng = np.random.default_rng(seed)
    looks = total // 100
    canary = rng.binomial(100, share, (runs, looks))
    level = np.exp(wander * np.sin(np.arange(looks) / 20))
    events = rng.binomial(canary, rates[0] * level), rng.binomial(100 - canary, rates[1] * level)
    return Batches(events[0], canary, events[1], 100 - canary)


def first_alarm(evidence, batches):
    """Median requests of the canary at the first alarm; infinite where half have none."""
    is_alarm = evidence > ALARM
    at = np.take_along_axis(batches.canary_n.cumsum(1), is_alarm.argmax(1)[:, None], 1)[:, 0]
    return np.median(np.where(is_alarm.any(axis=1), at, np.inf))


@pytest.mark.parametrize("share", [0.05, 0.5])
@pytest.mark.parametrize("rate", [0.001, 0.01, 0.1])
def test_equal_canary_is_rolled_back_in_at_most_one_of_twenty(rate, share):
    evidence = evidence_of_harm(traffic((rate, rate), share=share))
    assert (evidence > ALARM).any(axis=1).mean() <= 0.05


@pytest.mark.parametrize("share", [0.05, 0.5])
@pytest.mark.parametrize("rate", [0.001, 0.01, 0.1])
def test_canary_at_the_margin_is_promoted_in_at_most_one_of_twenty(rate, share):
    evidence = evidence_of_safety(traffic((rate + 0.01, rate), share=share, seed=2), margin=0.01)
    assert (evidence > ALARM).any(axis=1).mean() <= 0.05


def test_wandering_rate_of_both_arms_is_no_harm():
    evidence = evidence_of_harm(traffic((0.02, 0.02), wander=1.5, seed=3))
    assert (evidence > ALARM).any(axis=1).mean() <= 0.05


def test_mean_evidence_of_a_batch_is_at_most_one_exactly():
    """Every outcome of a small batch, weighed by its probability under rates of the null."""
    rng = np.random.default_rng(4)
    largest = 0.0
    for _ in range(400):
        sizes, guess = rng.integers(1, 12, 2), rng.uniform(0, 0.4, 2)
        gap = rng.choice([-0.05, 0.0, 0.01, 0.1])
        weights = [np.array(float(n)) for n in sizes]
        null = _nearest_in_null(np.array(guess[0]), np.array(guess[1]), *weights, gap)
        for second in np.linspace(0.051, 0.5, 15):
            for beyond in (0.0, 0.05):
                mean = 1.0
                for n, rate, g, p in zip(
                    sizes, (second + gap + beyond, second), guess, null, strict=True
                ):
                    outcomes = np.arange(n + 1.0)
                    ratio = np.exp(_log_ratio(outcomes, np.array(float(n)), g, p))
                    mean *= float(binom.pmf(outcomes, n, rate) @ ratio)
                largest = max(largest, mean)
    assert 0.99 < largest <= 1 + 1e-9


def test_five_times_the_errors_are_found_within_two_hundred_requests_of_the_canary():
    batches = traffic((0.05, 0.01), seed=6)
    assert first_alarm(evidence_of_harm(batches), batches) <= 200


def test_equal_canary_passes_and_the_plan_says_when():
    batches = traffic((0.01, 0.01), share=0.2, seed=7)
    found = first_alarm(evidence_of_safety(batches, margin=0.01), batches)
    assert found == pytest.approx(0.2 * requests_to_pass(0.01, 0.01, share=0.2), rel=0.3)


def test_true_history_helps_and_a_wrong_one_does_not_deceive():
    quiet = traffic((0.001, 0.001), seed=8)
    lying = Batches(
        quiet.canary_events, quiet.canary_n, quiet.stable_events, quiet.stable_n, (0, 1e6)
    )
    assert (evidence_of_harm(lying) > ALARM).any(axis=1).mean() <= 0.05


def test_verdict_never_rests_on_silence():
    nothing = Batches([0, 0], [0, 0], [0, 0], [0, 0])
    verdict = judge_batches(nothing, margin=0.01)
    assert verdict.verdict == "inconclusive"
    assert (verdict.p_worse, verdict.p_not_worse) == (1, 1)
    assert np.isnan(verdict.difference)
    assert judge_batches(Batches([], [], [], []), margin=0.01).verdict == "inconclusive"


def test_first_errors_free_requests_are_inconclusive():
    few = Batches([0] * 5, [10] * 5, [0] * 5, [190] * 5)
    assert judge_batches(few, margin=0.005).verdict == "inconclusive"


def test_one_arm_without_traffic_is_no_evidence():
    assert evidence_of_harm(Batches([5], [5], [0], [0]))[-1] == pytest.approx(0, abs=1e-6)


def test_surely_worse_but_within_the_margin_passes():
    n = np.full(50, 20_000)
    slightly = Batches(n * 3 // 1000, n, n * 2 // 1000, n)
    assert judge_batches(slightly, margin=0.01).verdict == "pass"
    assert judge_batches(slightly, margin=0.0005).verdict == "fail"


def test_an_alarm_once_reached_stays():
    n = np.full(100, 50)
    bad_then_good = Batches(np.r_[np.full(10, 10), np.zeros(90)], n, np.zeros(100), n)
    assert judge_batches(bad_then_good, margin=0.001).verdict == "fail"


def test_projection_is_the_nearest_point_of_the_null():
    one, other, n = np.array(0.01), np.array(0.02), (np.array(30.0), np.array(500.0))
    null = _nearest_in_null(one, other, *n, 0.015)

    def entropy(p, q):
        return p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))

    rate = np.linspace(1e-5, 0.1, 200_001)
    cost = n[0] * entropy(one, rate + 0.015) + n[1] * entropy(other, rate)
    assert null[1] == pytest.approx(rate[cost.argmin()], abs=1e-6)
    assert null[0] - null[1] == pytest.approx(0.015)


@pytest.mark.parametrize(("margin", "harm"), [(0, 0), (0.01, 0.02)])
def test_senseless_margins_are_refused(margin, harm):
    with pytest.raises(ValueError, match="margin"):
        judge_batches(Batches([0], [1], [0], [1]), margin=margin, harm=harm)


def test_impossible_counts_and_plans_are_refused():
    with pytest.raises(ValueError, match="events"):
        evidence_of_harm(Batches([2], [1], [0], [1]))
    with pytest.raises(ValueError, match="rate"):
        requests_to_pass(0, 0.01)
    with pytest.raises(ValueError, match="margin"):
        requests_to_pass(0.5, 1e-8)
