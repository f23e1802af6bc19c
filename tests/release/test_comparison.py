import msgspec
import numpy as np
import pytest
from tests.release.bandits import arm

from setpoint.facts.release import Comparison, LossSum
from setpoint.release.comparison import compare, judge_comparison, weighted_losses
from setpoint.release.harm import Risk

RISK = Risk(alpha_fail=0.05, alpha_pass=0.05)


def both(challenger, champion):
    """Return both arms from (outcomes, losses) by generation."""
    return tuple(
        arm(version, {generation: LossSum(*one) for generation, one in losses.items()})
        for version, losses in ((2, challenger), (1, champion))
    )


def test_same_counts_again_change_nothing() -> None:
    arms = both({1: (100, 10.0)}, {1: (100, 20.0)})
    first = compare(Comparison(), *arms)
    assert compare(first, *arms) == first
    assert msgspec.json.decode(msgspec.json.encode(first), type=Comparison) == first


def test_evidence_does_not_depend_on_which_arm_is_called_the_challenger() -> None:
    one, other = both({1: (300, 30.0)}, {1: (200, 40.0)})
    assert compare(Comparison(), one, other).better == compare(Comparison(), other, one).worse


def test_outcome_counts_for_the_document_that_its_answer_was_given_under() -> None:
    """Outcomes of the first document that arrive later are compared with each other, not with those of the second."""
    first = compare(Comparison(), *both({1: (100, 50.0)}, {1: (100, 50.0)}))
    late = both({1: (110, 55.0), 2: (900, 90.0)}, {1: (190, 95.0), 2: (100, 10.0)})
    found = compare(first, *late)
    assert max(found.better_highest, found.worse_highest) < np.log(2)
    pooled = both({1: (1010, 145.0)}, {1: (290, 105.0)})
    assert compare(Comparison(), *pooled).better_highest > np.log(20), "sums are misleading here"


def test_one_arm_alone_waits_for_the_other() -> None:
    waiting = compare(Comparison(), *both({1: (400, 200.0)}, {}))
    assert waiting.worse_highest == 0.0
    at_once = compare(Comparison(), *both({1: (400, 200.0)}, {1: (400, 40.0)}))
    later = compare(waiting, *both({1: (400, 200.0)}, {1: (400, 40.0)}))
    assert later.worse_highest == at_once.worse_highest > np.log(20)


def test_log_that_was_begun_anew_begins_the_evidence_anew() -> None:
    shown = compare(Comparison(), *both({1: (400, 40.0)}, {1: (400, 200.0)}))
    assert shown.better_highest > np.log(20)
    fewer = compare(shown, *both({1: (10, 1.0)}, {1: (10, 1.0)}))
    assert fewer.better_highest < np.log(2)


def test_sum_in_another_order_is_not_a_log_begun_anew() -> None:
    shown = compare(Comparison(), *both({1: (400, 40.0)}, {1: (400, 200.0)}))
    again = compare(shown, *both({1: (400, 40.0 - 1e-12)}, {1: (400, 200.0)}))
    assert again.better_highest == shown.better_highest


def test_losses_that_are_numbers_are_taken() -> None:
    """Absolute errors over their scale: any number from 0 to 1."""
    rng = np.random.default_rng(1)
    ends = []
    for shift in (0.0, 0.1):
        found = Comparison()
        one, other = rng.beta(2, 6, 4000) + shift * 0.5, rng.beta(2, 6, 4000)
        for n in range(200, 4001, 200):
            arms = both({1: (n, float(one[:n].clip(0, 1).sum()))}, {1: (n, float(other[:n].sum()))})
            found = compare(found, *arms)
        ends.append(judge_comparison("mae", found, arms, risk=RISK, shares={"1": 0.5}).verdict)
    assert ends == ["inconclusive", "fail"]


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.4])
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_equal_arms_are_told_apart_in_at_most_five_percent(rate, share) -> None:
    rng = np.random.default_rng(int(1000 * rate + 10 * share))
    told = 0
    for _ in range(60):
        counts, found = np.zeros(4), Comparison()
        for _ in range(40):
            n, m = round(250 * share), round(250 * (1 - share))
            counts += (n, rng.binomial(n, rate), m, rng.binomial(m, rate))
            found = compare(found, *both({1: counts[:2]}, {1: counts[2:]}))
        told += max(found.better_highest, found.worse_highest) >= np.log(20)
    assert told <= 6  # two tests at 5 %


def test_weighted_means_are_of_the_same_hours() -> None:
    """The challenger had 10 % of easy hours and 90 % of hard ones; both arms err alike."""
    challenger, champion = both(
        {1: (100, 10.0), 2: (900, 360.0)},
        {1: (900, 90.0), 2: (100, 40.0)},
    )
    plain = [one.outcome_sum / one.outcomes for one in (challenger, champion)]
    assert plain == [0.37, 0.13]
    weighed = weighted_losses(challenger, champion, {"1": 0.1, "2": 0.9})
    assert weighed == {"challenger": pytest.approx(0.25), "champion": pytest.approx(0.25)}


def test_document_that_was_renewed_keeps_the_share_before() -> None:
    challenger, champion = both({1: (10, 1.0), 3: (10, 1.0)}, {1: (90, 9.0)})
    assert weighted_losses(challenger, champion, {"1": 0.1, "4": 0.5}) == {
        "challenger": pytest.approx(0.1),
        "champion": pytest.approx(0.1),
    }
    assert weighted_losses(arm(2, {}), champion, {"1": 0.1}) == {"champion": pytest.approx(0.1)}
