import numpy as np
import pytest

from setpoint.facts.release import HarmEvidence
from setpoint.release.error_rate import gather_errors, judge_error_rate
from setpoint.release.harm import Harm, Risk, gather, judge_harm
from setpoint.release.latency import gather_slow, judge_latency
from setpoint.release.rules import ErrorRateRule, LatencyRule

RISK = Risk(alpha_fail=0.05 / 3, alpha_pass=0.05)


NOTHING = HarmEvidence()


def judge(*counts, limit=0.01):
    """The verdict after a single look at these counts."""
    return judged(gather(NOTHING, Harm(*counts)), limit=limit)


def judged(found, *, limit=0.01):
    return judge_harm("e", found, limit=limit, risk=RISK, what="errors")


def looks(rng, p_challenger, p_champion, *, share, upto, every=50):
    """Counts at each look of one seeded canary: events and requests of both arms."""
    n = np.arange(every, upto + 1, every)
    m = np.rint(n * (1 - share) / share).astype(int)
    events = np.cumsum(rng.binomial(np.diff(n, prepend=0), p_challenger))
    base = np.cumsum(rng.binomial(np.diff(m, prepend=0), p_champion))
    return zip(events.tolist(), n.tolist(), base.tolist(), m.tolist(), strict=True)


def rulings(rng, *rates, share, upto, every=50):
    """The verdict at each look of one seeded canary."""
    found, said = NOTHING, []
    for look in looks(rng, *rates, share=share, upto=upto, every=every):
        found = gather(found, Harm(*look))
        said.append(judged(found).verdict)
    return said


def test_no_request_is_inconclusive_not_fine() -> None:
    assert judge(0, 0, 0, 0).verdict == "inconclusive"
    assert judge(0, 1000, 0, 0).verdict == "inconclusive"


def test_no_error_in_few_requests_does_not_pass() -> None:
    assert judge(0, 100, 0, 1900).verdict == "inconclusive"


def test_no_error_in_500_requests_keeps_a_limit_of_one_percent() -> None:
    found = judge(0, 500, 2, 9500)
    assert found.verdict == "pass"
    assert found.interval is not None
    assert found.interval[1] <= 0.01


def test_broken_challenger_fails_with_the_numbers() -> None:
    found = judge(25, 500, 95, 9500)
    assert found.verdict == "fail"
    assert found.observed == 0.05
    assert found.evidence["champion"] == 0.01
    assert found.evidence["p_not_worse"] <= RISK.alpha_fail


def test_worse_than_the_champion_fails_even_within_the_limit() -> None:
    assert judge(400, 100_000, 100, 100_000).verdict == "fail"  # .4 % against .1 %, limit 1 %


def test_both_arms_over_the_limit_is_no_reason_to_go_back_and_none_to_go_on() -> None:
    found = judge(500, 10_000, 500, 10_000)
    assert found.verdict == "inconclusive"
    assert found.evidence["over_limit"] is True


def test_limit_of_zero_can_never_be_shown_to_be_kept() -> None:
    assert judge(0, 100_000, 0, 100_000, limit=0.0).verdict == "inconclusive"
    assert judge(50, 1000, 0, 1000, limit=0.0).verdict == "fail"


def test_looks_add_up_and_the_same_counts_again_change_nothing() -> None:
    first = gather(NOTHING, Harm(2, 100, 10, 1900))
    assert gather(first, Harm(2, 100, 10, 1900)) == first
    second = gather(first, Harm(6, 200, 20, 3800))
    assert (second.challenger, second.challenger_n) == (6, 200)
    assert (second.champion, second.champion_n) == (20, 3800)
    assert second.gains != first.gains


def test_what_was_shown_once_stays_shown() -> None:
    bad = gather(NOTHING, Harm(25, 500, 95, 9500))
    later = gather(bad, Harm(25, 50_000, 950, 95_000))
    assert later.gains[0] < bad.gains[0]
    assert judged(bad).verdict == judged(later).verdict == "fail"


def test_log_that_was_begun_anew_begins_the_evidence_anew() -> None:
    before = gather(NOTHING, Harm(25, 500, 95, 9500))
    anew = Harm(0, 10, 1, 190)
    assert gather(before, anew) == gather(NOTHING, anew)


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.1])
def test_equal_challenger_is_hardly_ever_failed_at_any_look(rate) -> None:
    rng = np.random.default_rng(1)
    runs = [rulings(rng, rate, rate, share=0.05, upto=3000, every=250) for _ in range(60)]
    assert sum("fail" in run for run in runs) <= 0.05 * len(runs)


def test_challenger_over_the_limit_is_hardly_ever_passed_at_any_look() -> None:
    rng = np.random.default_rng(2)
    runs = [rulings(rng, 0.0125, 0.0125, share=0.5, upto=3000, every=250) for _ in range(60)]
    assert sum("pass" in run for run in runs) <= 0.05 * len(runs)


def test_one_to_five_percent_fails_within_300_requests_of_the_smaller_arm() -> None:
    rng = np.random.default_rng(3)
    needed = []
    for _ in range(40):
        said = rulings(rng, 0.05, 0.01, share=0.05, upto=1500, every=25)
        needed.append(25 * (said.index("fail") + 1) if "fail" in said else np.inf)
    assert np.median(needed) <= 300


RULE = LatencyRule("latency_p99 max 100ms", 0.99, 0.1)


def test_latency_is_judged_by_the_share_of_slow_answers(arm) -> None:
    quick, slow = arm(1, 5000, slow={0.1: 0}), arm(2, 500, slow={0.1: 30})
    fine = gather_slow(RULE, NOTHING, arm(2, 500, slow={0.1: 0}), quick)
    assert judge_latency(RULE, fine, risk=RISK).verdict == "pass"
    found = judge_latency(RULE, gather_slow(RULE, NOTHING, slow, quick), risk=RISK)
    assert found.verdict == "fail"
    assert found.observed == 0.06
    assert found.limit == 0.01


def test_time_that_nobody_measured_is_not_quick(arm) -> None:
    found = gather_slow(RULE, NOTHING, arm(2, 5000), arm(1, 5000, slow={0.1: 0}))
    assert judge_latency(RULE, found, risk=RISK).verdict == "inconclusive"


def test_error_rate_counts_requests_without_an_answer(arm) -> None:
    rule = ErrorRateRule("error_rate max 1%", 0.01)
    gathered = gather_errors(NOTHING, arm(2, 500, 25), arm(1, 9500, 95))
    found = judge_error_rate(rule, gathered, risk=RISK)
    assert (found.subject, found.verdict, found.n) == ("error_rate max 1%", "fail", 500)
