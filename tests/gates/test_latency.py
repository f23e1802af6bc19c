import numpy as np
import pytest

from setpoint.errors import TooFewSamplesError
from setpoint.gates.judge import judge
from setpoint.gates.latency import quantile_interval


def one(gate, evidence):
    return judge([gate], evidence, k=1, seed=0)[0]


def test_quantile_of_single_rows_is_judged_in_seconds(gate, binary) -> None:
    times = np.linspace(0.001, 0.02, 2000)
    assert one(gate(latency="p50", max="11ms"), binary(latency_s=times)).verdict == "pass"
    found = one(gate(latency="p99", max="11ms"), binary(latency_s=times))
    assert (found.verdict, found.n, found.limit) == ("fail", 2000, 0.011)
    assert found.interval[0] < found.observed < found.interval[1]


def test_times_that_were_not_measured_are_an_error(gate, binary) -> None:
    assert one(gate(latency="p99", max="1s"), binary()).verdict == "error"


def test_too_few_calls_for_a_tail_are_inconclusive(gate, binary) -> None:
    found = one(gate(latency="p99", max="1s"), binary(latency_s=np.full(100, 0.001)))
    assert found.verdict == "inconclusive"
    assert (
        one(gate(latency="p50", max="1s"), binary(latency_s=np.full(100, 0.001))).verdict == "pass"
    )


def test_interval_covers_the_true_quantile() -> None:
    rng = np.random.default_rng(1)
    true = -np.log(0.01)  # p99 of an exponential law
    covered = 0
    for _ in range(300):
        found = quantile_interval(rng.exponential(size=1000), 0.99, confidence=0.95)
        covered += found.low <= true <= found.high
    assert covered >= 275


def test_smallest_number_of_calls_is_told() -> None:
    with pytest.raises(TooFewSamplesError, match="368"):
        quantile_interval(np.arange(200.0), 0.99, confidence=0.95)
    quantile_interval(np.arange(368.0), 0.99, confidence=0.95)
