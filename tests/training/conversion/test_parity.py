"""Tests of how much two models' answers may differ."""

import numpy as np

from setpoint.facts.evidence import Scores
from setpoint.training.conversion.parity import differing


def answers(rows=10_000):
    return Scores(np.ones(rows, np.int64), np.tile([0.4, 0.6], (rows, 1)), np.empty(0))


def test_one_row_in_ten_thousand_may_get_another_class_and_no_more():
    base = answers()
    label = base.label.copy()
    label[0] = 0
    assert differing(base, Scores(label, base.probability, base.value)) == ""
    label[1] = 0
    reason = differing(base, Scores(label, base.probability, base.value))
    assert reason == "2 of 10000 rows get another class"
    few = answers(9_999)
    assert "1 of 9999" in differing(few, Scores(label[1:], few.probability, few.value))


def test_no_probability_may_be_off():
    base = answers()
    near = base.probability.copy()
    near[7] += [9e-5, -9e-5]
    assert differing(base, Scores(base.label, near, base.value)) == ""
    near[7] += [2e-5, -2e-5]
    assert "1 of 10000 rows, by up to 0.00011" in differing(
        base, Scores(base.label, near, base.value)
    )


def test_values_may_differ_relative_to_their_size_or_spread():
    values = np.array([0.0, 1000.0, -1000.0])
    base = Scores(np.empty(0, np.int64), np.empty((0, 0)), values)
    assert differing(base, Scores(base.label, base.probability, values + 0.05)) == ""
    assert "3 of 3" in differing(base, Scores(base.label, base.probability, values + 1.0))


def test_an_answer_that_is_no_number_differs():
    base = answers(3)
    lost = base.probability.copy()
    lost[1] = np.nan
    assert differing(base, Scores(base.label, lost, base.value)) != ""
    values = Scores(np.empty(0, np.int64), np.empty((0, 0)), np.array([1.0, 2.0]))
    assert differing(values, Scores(values.label, values.probability, np.array([1.0, np.nan])))
