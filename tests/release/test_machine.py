import msgspec
import numpy as np
import pytest

from setpoint.facts.release import ArmCounts
from setpoint.facts.verdict import Verdict
from setpoint.release.machine import advance, slow_limits, start, step

DAY = 86400.0


def begun(rules, **more):
    return start(rules, name="r-1", version=2, champion=1, now=0.0, generation=5, **more)


def healthy(arm, small=1000, large=19_000):
    return {1: arm(1, large, large // 1000), 2: arm(2, small, small // 1000)}


def test_direct_release_promotes_at_once(rules) -> None:
    found = rules(strategy="direct")
    assert step(begun(found), {}, found, now=0.0).action == "promote"


def test_first_version_has_nothing_to_be_compared_with(rules) -> None:
    found = rules()
    release = start(found, name="r-1", version=1, champion=0, now=0.0, generation=1)
    assert (release.strategy, release.steps) == ("direct", (1.0,))


def test_healthy_canary_goes_through_its_steps_to_promotion(rules, arm) -> None:
    found = rules()
    release = begun(found)
    actions = []
    for place in range(3):
        taken = step(release, healthy(arm), found, now=float(place))
        actions.append(taken.action)
        release = advance(release, now=float(place), generation=6 + place)
    assert actions == ["advance", "advance", "promote"]
    assert (release.step, release.generation, release.step_at) == (3, 8, 2.0)


def test_step_waits_for_the_smaller_arm(rules, arm) -> None:
    found = rules(min_requests=2000)
    taken = step(begun(found), healthy(arm, small=1999), found, now=0.0)
    assert taken.action == "wait"
    assert "1,999 of 2,000" in taken.reason


def test_step_waits_for_its_time(rules, arm) -> None:
    found = rules(steps=[{"traffic": "5%", "for": "24h"}, "100%"])
    assert step(begun(found), healthy(arm), found, now=DAY - 1).action == "wait"
    assert step(begun(found), healthy(arm), found, now=DAY).action == "promote"


def test_release_goes_on_though_the_contract_has_other_steps_by_now(rules, arm) -> None:
    """Its own steps were fixed when it began; how long one lasts, the contract in force says of the same share."""
    release = begun(rules(steps=["5%", "20%", {"traffic": "50%", "for": "24h"}, "100%"]))
    for _ in range(2):
        release = advance(release, now=0.0, generation=6)
    fewer = rules(steps=["10%", "100%"])
    assert step(release, healthy(arm), fewer, now=0.0).action == "promote"
    other = rules(steps=[{"traffic": "50%", "for": "1h"}, "100%"])
    assert step(release, healthy(arm), other, now=3599.0).action == "wait"
    assert step(release, healthy(arm), other, now=3600.0).action == "promote"


def test_not_shown_to_be_worse_is_not_enough_to_move(rules, arm) -> None:
    found = rules()
    arms = {1: arm(1, 9500, 76), 2: arm(2, 500, 4)}  # .8 % against a limit of 1 %
    taken = step(begun(found), arms, found, now=0.0)
    assert taken.action == "wait"
    assert taken.verdicts[0].verdict == "inconclusive"


def test_failing_guardrail_rolls_back_before_any_minimum(rules, arm) -> None:
    found = rules(min_requests=10_000, steps=[{"traffic": "5%", "for": "24h"}, "100%"])
    taken = step(begun(found), {1: arm(1, 1900, 2), 2: arm(2, 100, 60)}, found, now=1.0)
    assert taken.action == "roll_back"
    assert "error_rate max 1%" in taken.reason


@pytest.mark.parametrize(
    ("on_inconclusive", "action"),
    [("hold", "hold"), ("rollback", "roll_back"), ("promote", "promote")],
)
def test_contract_decides_when_the_time_is_up(rules, arm, on_inconclusive, action) -> None:
    found = rules(on_inconclusive=on_inconclusive)
    arms = {1: arm(1, 190), 2: arm(2, 10)}
    assert step(begun(found), arms, found, now=7 * DAY - 1).action == "wait"
    assert step(begun(found), arms, found, now=7 * DAY).action == action


def test_release_that_passes_at_the_last_moment_still_moves(rules, arm) -> None:
    found = rules(on_inconclusive="rollback")
    assert step(begun(found), healthy(arm), found, now=8 * DAY).action == "advance"


def test_challenger_surely_over_a_limit_is_not_promoted_for_want_of_time(rules, arm) -> None:
    found = rules(on_inconclusive="promote")
    arms = {1: arm(1, 10_000, 500), 2: arm(2, 10_000, 500)}
    taken = step(begun(found), arms, found, now=7 * DAY)
    assert taken.action == "roll_back"
    assert "over the limit" in taken.reason


def test_outcomes_watched_after_promotion_do_not_hold_up_the_release_but_can_end_it(
    rules, arm
) -> None:
    rail = {"outcome": "accuracy", "not_worse_by": "2%", "after": "14d"}
    found = rules(guardrails=[{"error_rate": "1%"}, rail])
    assert step(begun(found), healthy(arm), found, now=0.0).action == "advance"
    bad = {
        1: arm(1, 19_000, 19, outcomes=5000, outcome_sum=500.0, outcome_squares=500.0),
        2: arm(2, 1000, 1, outcomes=1000, outcome_sum=500.0, outcome_squares=500.0),
    }
    assert step(begun(found), bad, found, now=0.0).action == "roll_back"


def test_guardrail_that_another_room_measures_is_waited_for(rules, arm) -> None:
    found = rules(guardrails=[{"serving_skew": 0.1}])
    assert step(begun(found), healthy(arm), found, now=0.0).action == "wait"
    subject = found.guardrails[0].subject
    for ruling, action in (("pass", "advance"), ("fail", "roll_back"), ("error", "wait")):
        verdict = Verdict(subject=subject, verdict=ruling)
        taken = step(begun(found), healthy(arm), found, now=0.0, measured=[verdict])
        assert taken.action == action


def test_release_without_guardrails_moves_by_requests_and_says_so(rules, arm) -> None:
    found = rules(guardrails=[])
    taken = step(begun(found), healthy(arm), found, now=0.0)
    assert (taken.action, "no guardrail is set" in taken.reason) == ("advance", True)


def test_evidence_of_a_step_is_gathered_and_ends_with_the_step(rules, arm) -> None:
    found = rules()
    (subject,) = [one.subject for one in found.guardrails]
    first = step(begun(found), {1: arm(1, 190, 2), 2: arm(2, 10)}, found, now=0.0)
    assert first.evidence[subject].challenger_n == 10
    release = msgspec.structs.replace(begun(found), evidence=first.evidence)
    again = step(release, {1: arm(1, 190, 2), 2: arm(2, 10)}, found, now=1.0)
    assert again.evidence == first.evidence
    assert advance(release, now=1.0, generation=6).evidence == {}


def test_harm_that_was_shown_at_an_earlier_look_still_rolls_back(rules, arm) -> None:
    found = rules()
    bad = step(begun(found), {1: arm(1, 9500, 95), 2: arm(2, 500, 25)}, found, now=0.0)
    release = msgspec.structs.replace(begun(found), evidence=bad.evidence)
    later = {1: arm(1, 95_000, 95), 2: arm(2, 5000, 25)}
    assert step(release, later, found, now=1.0).action == "roll_back"


def test_slow_answers_are_asked_for_by_their_limits(rules) -> None:
    rails = [{"latency_p99": "100ms"}, {"error_rate": "1%"}, {"latency_p95": "50ms"}]
    assert slow_limits(rules(guardrails=rails)) == (0.1, 0.05)


def test_missing_arm_is_no_requests(rules, arm) -> None:
    assert step(begun(rules()), {}, rules(), now=0.0).action == "wait"


def whole_release(rules, rng, *, challenger, champion, look=250, most=3000):
    """Run one seeded canary through all its steps; return the last action and the challenger's requests."""
    release = begun(rules)
    asked = 0
    while True:
        share = release.steps[release.step]
        counts = np.zeros(4, dtype=int)
        while True:
            other = round(look * (1 - share) / share)
            counts += (look, rng.binomial(look, challenger), other, rng.binomial(other, champion))
            asked += look
            taken = step(release, _arms(counts), rules, now=0.0)
            release = msgspec.structs.replace(release, evidence=taken.evidence)
            if taken.action != "wait" or counts[0] >= most:
                break
        if taken.action != "advance":
            return taken.action, asked
        release = advance(release, now=0.0, generation=release.generation + 1)


def _arms(counts):
    n, errors, m, base = (int(count) for count in counts)
    return {
        1: ArmCounts(version=1, requests=m, errors=base),
        2: ArmCounts(version=2, requests=n, errors=errors),
    }


@pytest.mark.parametrize("rate", [0.001, 0.005, 0.02])
def test_equal_challenger_is_rolled_back_in_at_most_five_percent_of_whole_releases(
    rules, rate
) -> None:
    rng = np.random.default_rng(int(rate * 1000))
    ends = [whole_release(rules(), rng, challenger=rate, champion=rate)[0] for _ in range(100)]
    assert ends.count("roll_back") <= 5
    if rate == 0.001:
        assert ends.count("promote") >= 90


def test_challenger_over_the_limit_is_promoted_in_at_most_five_percent(rules) -> None:
    rng = np.random.default_rng(4)
    ends = [whole_release(rules(), rng, challenger=0.012, champion=0.012)[0] for _ in range(100)]
    assert ends.count("promote") <= 5


def test_broken_challenger_is_rolled_back_within_300_of_its_requests(rules) -> None:
    rng = np.random.default_rng(5)
    ends = [whole_release(rules(), rng, challenger=0.05, champion=0.01, look=50) for _ in range(30)]
    assert {action for action, _ in ends} == {"roll_back"}
    assert np.median([asked for _, asked in ends]) <= 300
