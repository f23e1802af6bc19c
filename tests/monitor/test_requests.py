"""Errors and latency of requests."""

import numpy as np
import pytest

from setpoint.monitor.errors import error_signal
from setpoint.monitor.latency import latency_signals
from setpoint.monitor.signals import signals


@pytest.mark.parametrize(("failed", "ruling"), [(0, "pass"), (13, "inconclusive"), (60, "fail")])
def test_errors_are_held_against_availability(failed, ruling, make_contract, make_answered):
    contract = make_contract(slo={"availability": "99%"})
    answered = make_answered({"x": np.zeros(1000 - failed)}, failed=failed)
    found = error_signal(contract, answered)
    assert found.verdict.verdict == ruling
    assert found.value == failed / 1000


def test_few_requests_say_nothing(make_contract, make_answered):
    contract = make_contract(slo={"availability": "99%"})
    answered = make_answered({"x": np.zeros(49)}, failed=50)
    assert error_signal(contract, answered).verdict.verdict == "inconclusive"
    nothing = make_answered({"x": np.zeros(0)}, failed=0)
    assert error_signal(contract, nothing).verdict.verdict == "inconclusive"


def test_a_version_that_answers_nothing_fails(make_contract, make_answered):
    contract = make_contract(slo={"availability": "99%"})
    assert (
        error_signal(contract, make_answered({"x": np.zeros(0)}, failed=500)).verdict.verdict
        == "fail"
    )


def test_latency_is_held_against_its_objective(make_contract, make_answered, named):
    rng = np.random.default_rng(1)
    contract = make_contract(slo={"latency_p95": "50ms", "latency_p99": "100ms"})
    slow = make_answered({"x": np.zeros(1)}, latency_s=rng.exponential(0.03, 5000))
    found = named(latency_signals(contract, slow))
    assert found["latency.p95"].verdict.verdict == "fail"
    assert found["latency.p50"].value == pytest.approx(0.03 * np.log(2), rel=0.1)
    quick = make_answered({"x": np.zeros(1)}, latency_s=rng.exponential(0.005, 5000))
    assert {s.verdict.verdict for s in latency_signals(contract, quick)} == {"pass"}


def test_bounds_of_a_quantile_cover(make_contract, make_answered, named):
    rng = np.random.default_rng(2)
    covered = []
    for _ in range(300):
        answered = make_answered({"x": np.zeros(1)}, latency_s=rng.random(1000))
        low, high = named(latency_signals(make_contract(), answered))[
            "latency.p95"
        ].verdict.interval
        covered.append(low <= 0.95 <= high)
    assert 0.93 < np.mean(covered) < 0.99


@pytest.mark.parametrize("times", [[], [0.1], [np.nan, np.inf], [0.1] * 50])
def test_too_few_times_do_not_bound_a_tail(times, make_contract, make_answered, named):
    answered = make_answered({"x": np.zeros(1)}, latency_s=np.array(times))
    found = named(latency_signals(make_contract(slo={"latency_p99": "1ms"}), answered))
    assert found["latency.p99"].verdict.verdict == "inconclusive"


def test_what_nobody_counts_is_not_reported(make_contract, make_profile, make_answered):
    profile = make_profile({"x": np.zeros(1000)})
    names = {s.name for s in signals(make_contract(), profile, make_answered({"x": np.zeros(600)}))}
    assert not any(name.startswith(("errors", "latency")) for name in names)
