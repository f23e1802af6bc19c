"""Shadow and blue-green: what is waited for, and who has what meanwhile."""

import numpy as np
import pytest

from setpoint.facts.gateway_report import GatewayReport
from setpoint.facts.verdict import Verdict
from setpoint.release.harm import Risk, judge_alone
from setpoint.release.machine import advance, start, step
from setpoint.release.served import step_as_served, why_unready

DAY = 86400.0


def begun(rules):
    return start(rules, name="r-1", version=2, champion=1, now=0.0, generation=5)


def switched(rules):
    return advance(begun(rules), now=0.0, generation=6)


@pytest.mark.parametrize("strategy", ["canary", "shadow", "blue_green", "ab", "bandit"])
def test_first_version_is_released_directly_whatever_the_strategy(rules, strategy) -> None:
    found = rules(strategy=strategy)
    release = start(found, name="r-1", version=1, champion=0, now=0.0, generation=1)
    assert (release.strategy, release.share) == ("direct", 1.0)
    assert step(release, {}, found, now=0.0).action == "promote"


def test_shadow_has_no_traffic_and_its_last_step_is_judged_too(rules, arm) -> None:
    found = rules(strategy="shadow", steps=["10%", "100%"])
    release = begun(found)
    assert (release.share, release.copied) == (0.0, 0.1)
    arms = {1: arm(1, 2000, 2), 2: arm(2, 2000, 2)}
    first = step(release, arms, found, now=0.0)
    assert (first.action, "10% of requests copied" in first.reason) == ("advance", True)
    last = advance(release, now=0.0, generation=6)
    assert last.copied == 1.0
    assert step(last, {}, found, now=0.0).action == "wait"
    assert step(last, arms, found, now=0.0).action == "promote"


def test_shadow_that_breaks_a_guardrail_ends(rules, arm) -> None:
    found = rules(strategy="shadow")
    taken = step(begun(found), {1: arm(1, 900, 1), 2: arm(2, 900, 200)}, found, now=0.0)
    assert taken.action == "roll_back"


def test_what_another_room_measured_of_outcomes_is_taken_as_it_is(rules, arm) -> None:
    found = rules(strategy="shadow", guardrails=[{"outcome": "accuracy", "not_worse_by": "2%"}])
    arms = {1: arm(1, 900), 2: arm(2, 900)}
    for ruling, action in (("pass", "advance"), ("inconclusive", "wait"), ("fail", "roll_back")):
        verdict = Verdict(subject=found.guardrails[0].subject, verdict=ruling)
        assert step(begun(found), arms, found, now=0.0, measured=[verdict]).action == action


def test_blue_green_switches_once_it_is_ready(rules) -> None:
    found = rules(strategy="blue_green")
    release = begun(found)
    assert (release.share, release.lot) == (0.0, "no traffic while every gateway prepares it")
    waiting = step(release, {}, found, now=0.0, unready="g-2 is not ready")
    assert (waiting.action, waiting.reason) == ("wait", "g-2 is not ready")
    assert step(release, {}, found, now=0.0).action == "advance"
    assert switched(found).share == 1.0


def test_gateway_that_is_never_ready_ends_by_the_contract(rules) -> None:
    for on_inconclusive, action in (
        ("hold", "hold"),
        ("rollback", "roll_back"),
        ("promote", "hold"),
    ):
        found = rules(strategy="blue_green", on_inconclusive=on_inconclusive)
        assert step(begun(found), {}, found, now=7 * DAY, unready="no").action == action


def test_green_is_judged_alone_for_as_long_as_the_contract_says(rules, arm) -> None:
    found = rules(strategy="blue_green", steps=[{"traffic": "100%", "for": "24h"}])
    release = switched(found)
    healthy = {2: arm(2, 2000, 2)}
    assert step(release, healthy, found, now=DAY - 1).action == "wait"
    assert step(release, healthy, found, now=DAY).action == "promote"
    few = step(release, {2: arm(2, 499)}, found, now=DAY)
    assert (few.action, "499 of 500" in few.reason) == ("wait", True)
    assert step(release, {2: arm(2, 600, 7)}, found, now=DAY).action == "wait", "not shown yet"


def test_green_over_its_limit_goes_back_at_once(rules, arm) -> None:
    found = rules(
        strategy="blue_green", guardrails=[{"error_rate": "1%"}, {"latency_p99": "100ms"}]
    )
    release = switched(found)
    bad = {2: arm(2, 300, 20, slow={0.1: 0})}
    assert step(release, bad, found, now=0.0).action == "roll_back"
    slow = step(release, {2: arm(2, 300, 0, slow={0.1: 30})}, found, now=0.0)
    assert (slow.action, "latency_p99" in slow.reason) == ("roll_back", True)
    unmeasured = step(release, {2: arm(2, 2000, 0)}, found, now=0.0)
    assert (unmeasured.action, "latency_p99" in unmeasured.reason) == ("wait", True)


def test_limit_judged_alone_errs_in_at_most_five_percent() -> None:
    rng = np.random.default_rng(1)
    risk = Risk(alpha_fail=0.05, alpha_pass=0.05)
    wrong = {"fail": 0, "pass": 0}
    for rate, ruling in ((0.01, "fail"), (0.0105, "pass")):
        for _ in range(50):
            events = rng.binomial(500, rate, 16).cumsum()
            counts = [(int(x), 500 * (n + 1)) for n, x in enumerate(events)]
            said = {
                judge_alone("s", one, limit=0.01, risk=risk, what="errors").verdict
                for one in counts
            }
            wrong[ruling] += ruling in said
    assert wrong["fail"] <= 3
    assert wrong["pass"] <= 3


def report(name, generation, ready):
    return GatewayReport(gateway=name, at=0.0, generation=generation, ready=ready)


def test_gateway_is_ready_once_it_follows_the_document_and_has_the_version(rules) -> None:
    release = begun(rules(strategy="blue_green"))
    assert why_unready(release, []) == ""
    assert why_unready(release, [report("g-1", 5, (1, 2))]) == ""
    assert "g-1" in why_unready(release, [report("g-1", 4, (1, 2)), report("g-2", 5, (1, 2))])
    assert "g-2" in why_unready(release, [report("g-1", 5, (1, 2)), report("g-2", 5, (1,))])


def test_nothing_is_judged_before_every_gateway_follows(rules, arm) -> None:
    release = switched(found := rules(strategy="blue_green"))
    taken = step(release, {2: arm(2, 2000, 2)}, found, now=0.0)
    behind = [report("g-1", 5, (1, 2)), report("g-2", 6, (1, 2))]
    assert (taken.action, step_as_served(taken, release, behind).action) == ("promote", "wait")
