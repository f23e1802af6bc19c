import re

import pytest

from setpoint.facts.replay import GateCost
from setpoint.reports.drawing import svg
from setpoint.reports.gate_cost_chart import JUDGEMENTS, drawn_of, gate_cost_chart
from setpoint.reports.gate_worth import told, worth_interval


def cost(action="refuse", gain=0.02, interval=(0.01, 0.03), at=0.0):
    return GateCost(attempt="a", at=at, action=action, gain=gain, interval=interval)


def test_the_interval_of_a_refusal_is_turned_round():
    assert worth_interval(cost()) == (-0.03, -0.01)
    assert worth_interval(cost("promote")) == (0.01, 0.03)
    assert told(cost()) == "cost something"
    assert told(cost("promote")) == "worth it"


def test_without_an_interval_nothing_is_claimed():
    assert told(cost(interval=None)) == "not told apart"
    with pytest.raises(ValueError, match="unknown worth"):
        told(cost(gain=None))


def marks(costs):
    text = svg(gate_cost_chart(costs, "f1", "rows"), name="g", title="t")
    (points,) = re.findall(r'<g class="mark-symbol.*?</g>', text, re.DOTALL)
    return points.count("<path")


def test_judgements_of_unknown_worth_are_not_drawn_as_zero():
    assert gate_cost_chart([cost(gain=None, interval=None)], "f1", "rows") is None
    assert marks([cost(gain=None), cost(at=1.0)]) == 1


def test_every_judgement_is_drawn_and_not_the_loudest_alone():
    assert marks([cost(at=float(i)) for i in range(82)]) == 82


def test_the_largest_stay_when_there_are_too_many():
    many = [cost(gain=0.001 * i, at=float(i)) for i in range(JUDGEMENTS + 3)]
    assert [one.at for one in drawn_of(many)] == [float(i) for i in range(3, JUDGEMENTS + 3)]


def test_the_axis_says_which_way_is_worth_it():
    text = svg(gate_cost_chart([cost()], "f1", "rows"), name="g", title="t")
    assert ">worth in f1: cost ← 0 → gained or saved<" in text
