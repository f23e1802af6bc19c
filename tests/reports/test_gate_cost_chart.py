import pytest

from setpoint.facts.replay import GateCost
from setpoint.reports.drawing import svg
from setpoint.reports.gate_cost_chart import JUDGEMENTS, gate_cost_chart
from setpoint.reports.gate_worth import told, worth_interval


def cost(action="refuse", gain=0.02, interval=(0.01, 0.03), at=0.0, attempt="abc"):
    return GateCost(attempt=attempt, at=at, action=action, gain=gain, interval=interval)


def test_the_interval_of_a_refusal_is_turned_round():
    assert worth_interval(cost()) == (-0.03, -0.01)
    assert worth_interval(cost("promote")) == (0.01, 0.03)
    assert told(cost()) == "cost something"
    assert told(cost("promote")) == "worth it"


def test_without_an_interval_nothing_is_claimed():
    assert told(cost(interval=None)) == "not told apart"
    with pytest.raises(ValueError, match="unknown worth"):
        told(cost(gain=None))


def test_judgements_of_unknown_worth_are_not_drawn_as_zero():
    assert gate_cost_chart([cost(gain=None, interval=None)], "f1", "rows") is None
    text = svg(
        gate_cost_chart([cost(gain=None, attempt="unknown"), cost()], "f1", "rows"),
        name="g",
        title="t",
    )
    assert "abc" in text
    assert "unknown" not in text


def test_the_largest_stay_when_there_are_too_many():
    many = [cost(gain=0.001 * i, at=float(i), attempt=f"n{i:03d}") for i in range(JUDGEMENTS + 3)]
    text = svg(gate_cost_chart(many, "f1", "rows"), name="g", title="t")
    assert "n042" in text
    assert "n001" not in text
