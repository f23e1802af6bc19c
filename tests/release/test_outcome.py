import numpy as np
import pytest

from setpoint.release.harm import Risk
from setpoint.release.outcome import class_loss, judge_outcome, value_loss
from setpoint.release.rules import OutcomeRule

RISK = Risk(alpha_fail=0.05, alpha_pass=0.05)
RULE = OutcomeRule("accuracy of outcomes not_worse_by 0.05 abs", 1.0, 0.05)


def known(arm, version, losses):
    losses = np.asarray(losses, dtype=float)
    return arm(
        version,
        len(losses),
        outcomes=len(losses),
        outcome_sum=float(losses.sum()),
        outcome_squares=float((losses**2).sum()),
    )


def test_loss_of_classes_is_wrong_or_right() -> None:
    assert class_loss(["a", "b", "b"], ["a", "a", "b"]).tolist() == [0.0, 1.0, 0.0]


def test_loss_of_values_is_cut_at_its_scale() -> None:
    assert value_loss([0, 0, 0], [1, -5, 50], scale=10).tolist() == [0.1, 0.5, 1.0]


def test_no_known_outcome_is_inconclusive(arm) -> None:
    assert judge_outcome(RULE, arm(2, 500), arm(1, 500), risk=RISK).verdict == "inconclusive"


def test_clearly_worse_outcomes_fail_and_equal_ones_pass(arm) -> None:
    rng = np.random.default_rng(1)
    base = known(arm, 1, rng.random(20_000) < 0.2)
    assert (
        judge_outcome(RULE, known(arm, 2, rng.random(5000) < 0.3), base, risk=RISK).verdict
        == "fail"
    )
    assert (
        judge_outcome(RULE, known(arm, 2, rng.random(5000) < 0.2), base, risk=RISK).verdict
        == "pass"
    )
    assert (
        judge_outcome(RULE, known(arm, 2, rng.random(100) < 0.2), base, risk=RISK).verdict
        == "inconclusive"
    )


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["classes", "values"])
def test_outcomes_at_the_margin_hardly_ever_pass_or_fail_at_any_look(arm, shape) -> None:
    rng = np.random.default_rng(2)
    wrong = {"pass": 0, "fail": 0}
    for _ in range(60):
        if shape == "classes":
            new, old = rng.random(4000) < 0.25, rng.random(4000) < 0.2
        else:
            new, old = rng.beta(2.5, 7.5, 4000), rng.beta(2, 8, 4000)
        seen = {
            judge_outcome(RULE, known(arm, 2, new[:n]), known(arm, 1, old[:n]), risk=RISK).verdict
            for n in range(200, 4001, 200)
        }
        for ruling in wrong:
            wrong[ruling] += ruling in seen
    assert wrong["pass"] <= 3
    assert wrong["fail"] <= 3
