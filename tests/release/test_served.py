"""Whether gateways can serve a release: what they refuse goes back, what they do not follow yet waits."""

import msgspec
import pytest

from setpoint.facts.gateway_report import GatewayReport
from setpoint.facts.release import Release
from setpoint.facts.verdict import Verdict
from setpoint.release.move import Step
from setpoint.release.served import judge_fallen, judge_refused, step_as_served

RELEASE = Release(id="r", version=3, champion=2, strategy="canary", steps=(0.1, 1.0), generation=8)
ALTERED = "model.onnx does not have the digest of the deployment document"
PASSED = Verdict(subject="error_rate max 1%", verdict="pass")
ACTIONS = ("wait", "advance", "promote", "roll_back", "hold")


def report(name="a", generation=8, **more):
    return GatewayReport(gateway=name, at=0.0, generation=generation, **more)


def found(action="advance"):
    return Step(action=action, verdicts=(PASSED,), reason="every guardrail passes")


@pytest.mark.parametrize("action", ACTIONS)
def test_challenger_that_gateways_refuse_goes_back_whatever_the_counts_say(action):
    reports = [report(generation=7, refused={"3": ALTERED})]
    step = step_as_served(found(action), RELEASE, reports)
    assert (step.action, step.reason) == ("roll_back", f"gateways cannot serve it: {ALTERED}")
    verdict, *others = step.verdicts
    assert (verdict.subject, verdict.verdict) == ("served by gateways", "error")
    assert (verdict.observed, verdict.n) == (1.0, 1)
    assert verdict.evidence == {"refused": {"a": ALTERED}}
    assert others == [PASSED]


def test_one_gateway_of_three_is_enough_and_equal_reasons_are_said_once():
    reports = [report("a"), report("b", refused={"3": ALTERED}), report("c")]
    assert step_as_served(found(), RELEASE, reports).reason.startswith("1 of 3 gateways cannot")
    both = [report(name, refused={"3": ALTERED}) for name in "ab"]
    assert judge_refused(3, both).reason == f"gateways cannot serve it: {ALTERED}"
    other = [both[0], report("b", refused={"3": "no memory"})]
    assert judge_refused(3, other).reason.endswith(f"{ALTERED}; no memory")


@pytest.mark.parametrize("number", ["1", "2", "33"])
def test_refusal_of_another_version_takes_no_challenger_back(number):
    reports = [report(refused={number: ALTERED})]
    assert step_as_served(found(), RELEASE, reports) == found()


@pytest.mark.parametrize("action", ACTIONS)
def test_no_step_ends_before_every_gateway_follows_its_document(action):
    reports = [report("a", 8), report("b", 7)]
    step = step_as_served(found(action), RELEASE, reports)
    if action in ("advance", "promote"):
        assert step.action == "wait"
        assert step.reason.startswith("b does not follow deployment 8 yet")
    else:
        assert step == found(action)
    later = [report("a", 8), report("b", 9)]
    assert step_as_served(found(action), RELEASE, later) == found(action)


@pytest.mark.parametrize("action", ACTIONS)
def test_without_gateways_the_counts_decide(action):
    assert step_as_served(found(action), RELEASE, []) == found(action)


def test_what_guardrails_gathered_is_kept():
    evidence = {"error_rate max 1%": object()}
    gathered = msgspec.structs.replace(found(), evidence=evidence)
    for reports in ([report(refused={"3": "x"})], [report(generation=7)], [report()]):
        assert step_as_served(gathered, RELEASE, reports).evidence == evidence


def test_champion_gives_way_where_all_refuse_it_and_the_one_before_could_answer():
    refusing = [report("a", refused={"2": ALTERED}, ready=(1,)), report("b", refused={"2": "x"})]
    verdict = judge_fallen(2, 1, refusing)
    assert verdict.reason == f"gateways cannot serve it: {ALTERED}; x"


@pytest.mark.parametrize(
    "reports",
    [
        [],
        [report(ready=(1, 2))],
        [report(refused={"2": "x"})],  # nothing is known of the version before
        [report(refused={"2": "x", "1": "y"}, ready=())],
        [report("a", refused={"2": "x"}, ready=(1,)), report("b", refused={"1": "y"})],
        [report("a", refused={"2": "x"}, ready=(1,)), report("b", ready=(1, 2))],
        [report("a", refused={"2": "x"}, ready=(1,)), report("b")],  # it may still be loading
    ],
)
def test_champion_stays_where_anything_else_holds(reports):
    assert judge_fallen(2, 1, reports) is None


def test_first_champion_has_nothing_to_give_way_to():
    assert judge_fallen(1, 0, [report(refused={"1": "x"}, ready=(0,))]) is None
