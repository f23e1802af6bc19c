import pytest

from setpoint.contract.retrain import Retrain
from setpoint.errors import UsageError
from setpoint.policy.budget import waiting

HOUR = 3600.0
BY_TIME = Retrain(cooldown="6h", budget={"runs": 2, "per": "day"})
BY_ROWS = Retrain(cooldown="1000 rows", budget={"runs": 2, "per": "10000 rows"})


def test_first_retrain_waits_for_nothing() -> None:
    assert waiting(BY_TIME, retrains=(), now=0.0, axis="time") is None


def test_cooldown_ends_exactly_when_it_is_over() -> None:
    held = waiting(BY_TIME, retrains=(0.0,), now=6 * HOUR - 1, axis="time")
    assert held is not None
    assert held.until == 6 * HOUR
    assert waiting(BY_TIME, retrains=(0.0,), now=6 * HOUR, axis="time") is None


def test_budget_counts_a_sliding_period() -> None:
    held = waiting(BY_TIME, retrains=(0.0, 7 * HOUR), now=20 * HOUR, axis="time")
    assert held is not None
    assert held.until == 24 * HOUR
    assert "budget of 2" in held.reason
    assert waiting(BY_TIME, retrains=(0.0, 7 * HOUR), now=24 * HOUR, axis="time") is None


def test_longer_of_cooldown_and_budget_is_told() -> None:
    held = waiting(BY_TIME, retrains=(0.0, 23 * HOUR), now=23.5 * HOUR, axis="time")
    assert held is not None
    assert held.until == 29 * HOUR


def test_rows_are_an_axis_like_time() -> None:
    held = waiting(BY_ROWS, retrains=(4000.0, 5000.0), now=5500.0, axis="rows")
    assert held is not None
    assert held.until == 14_000.0


def test_length_of_the_other_axis_is_refused() -> None:
    with pytest.raises(UsageError, match="1000 rows"):
        waiting(BY_TIME, retrains=(0.0,), now=1.0, axis="rows")
    with pytest.raises(UsageError, match="24h"):
        waiting(BY_ROWS, retrains=(0.0,), now=1.0, axis="time")
