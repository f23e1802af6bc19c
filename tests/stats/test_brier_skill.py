import numpy as np
import pytest

from setpoint.errors import UndefinedMetricError
from setpoint.stats.metrics import METRICS

SKILL = METRICS["brier_skill"]


def test_knowing_the_shares_alone_is_no_skill():
    y = np.array([0, 0, 0, 1])
    assert SKILL.evaluate(y, np.full(4, 0.25)) == pytest.approx(0.0)


def test_a_perfect_answer_is_one_and_a_wrong_one_below_zero():
    y = np.array([0, 1, 0, 1])
    assert SKILL.evaluate(y, y.astype(float)) == pytest.approx(1.0)
    assert SKILL.evaluate(y, 1.0 - y) < 0


def test_it_is_one_minus_brier_over_that_of_the_shares():
    rng = np.random.default_rng(3)
    y, p = rng.integers(0, 2, 500), rng.random(500)
    share = y.mean()
    expected = 1 - np.mean((p - y) ** 2) / (share * (1 - share))
    assert SKILL.evaluate(y, p) == pytest.approx(expected, abs=1e-12)


def test_more_classes_are_held_against_all_their_shares():
    y = np.array([0, 1, 2, 2])
    shares = np.array([0.25, 0.25, 0.5])
    assert SKILL.evaluate(y, np.tile(shares, (4, 1)), 3) == pytest.approx(0.0)


def test_one_class_has_no_skill_to_measure():
    with pytest.raises(UndefinedMetricError):
        SKILL.evaluate(np.ones(5, dtype=int), np.full(5, 0.9))
