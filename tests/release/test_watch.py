import numpy as np
import pytest

from setpoint.facts.release import Watch
from setpoint.release.rules import OutcomeRule
from setpoint.release.watch import judge_pairs, watch

RULE = OutcomeRule("accuracy of outcomes not_worse_by 2%", 0.98, 0.02)
WATCHED = Watch(version=2, previous=1, since=0.0, until=100.0)


def pairs(rng, n, new, old):
    """Losses that go together: rows that are hard for one are mostly hard for the other."""
    hard = rng.random(n)
    return (
        ((hard + rng.normal(0, 0.03, n)) < new).astype(float),
        ((hard + rng.normal(0, 0.03, n)) < old).astype(float),
    )


def test_no_outcome_is_waited_for_and_is_no_pass() -> None:
    found = watch(WATCHED, RULE, [], [], now=1.0)
    assert (found.action, found.verdict.verdict) == ("wait", "inconclusive")


def test_worse_version_is_rolled_back_within_hundreds_of_outcomes() -> None:
    rng = np.random.default_rng(1)
    new, old = pairs(rng, 600, 0.35, 0.2)
    found = watch(WATCHED, RULE, new, old, now=1.0)
    assert found.action == "roll_back"
    assert found.verdict.evidence["promoted"] > found.verdict.evidence["replaced"]


def test_evidence_once_shown_is_not_lost_by_looking_late() -> None:
    rng = np.random.default_rng(2)
    new, old = pairs(rng, 600, 0.35, 0.2)
    calm = np.zeros(5000)
    late = np.concatenate([new, calm]), np.concatenate([old, calm])
    assert judge_pairs(RULE, *late, alpha=0.05).verdict == "fail"


def test_better_version_is_done_when_its_time_is_over() -> None:
    rng = np.random.default_rng(3)
    new, old = pairs(rng, 3000, 0.15, 0.2)
    assert watch(WATCHED, RULE, new, old, now=99.0).action == "wait"
    found = watch(WATCHED, RULE, new, old, now=100.0)
    assert (found.action, found.verdict.verdict) == ("done", "pass")


def test_time_over_without_evidence_is_done_and_says_inconclusive() -> None:
    found = watch(WATCHED, RULE, [0.0], [0.0], now=100.0)
    assert (found.action, found.verdict.verdict) == ("done", "inconclusive")


def test_version_at_the_margin_is_hardly_ever_rolled_back_at_any_look() -> None:
    rng = np.random.default_rng(4)
    runs = [pairs(rng, 3000, 0.98 * 0.2 + 0.02, 0.2) for _ in range(200)]
    # The verdict keeps the highest evidence, so the last look is every look.
    rulings = [judge_pairs(RULE, *run, alpha=0.05).verdict for run in runs]
    assert rulings.count("fail") <= 10
    assert rulings.count("pass") <= 10


def test_errors_of_numbers_are_judged_on_a_relative_line() -> None:
    rng = np.random.default_rng(5)
    rule = OutcomeRule("mae of outcomes not_worse_by 10%", 1.1, 0.0)
    old = rng.beta(2, 8, 4000)
    assert judge_pairs(rule, np.clip(old * 1.6, 0, 1), old, alpha=0.05).verdict == "fail"
    assert judge_pairs(rule, old * 0.6, old, alpha=0.05).verdict == "pass"


def test_losses_that_are_not_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="pairs"):
        judge_pairs(RULE, [0.0, 1.0], [0.0], alpha=0.05)
