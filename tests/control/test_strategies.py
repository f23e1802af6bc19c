"""Every strategy of a release in the loop: what gateways are told, what is decided, and by which numbers."""

import pytest
from tests.control.power_cuts import START

from setpoint.control.observe import observe
from setpoint.control.reconcile import reconcile, settle
from setpoint.facts.deployment import Shadow
from setpoint.facts.gateway_report import GatewayReport

RAILS = [{"error_rate": "20%"}, {"outcome": "accuracy", "not_worse_by": "5%"}]
STRATEGIES = {
    "shadow": {"steps": ["50%", "100%"], "guardrails": RAILS},
    "blue_green": {"guardrails": RAILS},
    "ab": {"guardrails": RAILS[:1]},
    "bandit": {"guardrails": RAILS[:1]},
}


def settled(begun, strategy, **more):
    """Let the loop go through the table; return it, and the documents in force from batch to batch."""
    section = {"strategy": strategy, "min_requests": 20, **STRATEGIES[strategy], **more}
    play = begun(release=section)
    documents = []
    for start in range(START, 700, 50):
        play.go_to(start)
        settle(play.world, play.contract)
        documents.append(play.world.deployments.current())
        play.answer(start, start + 50)
    return play, documents


def kinds(play):
    """Return what was told of the first release."""
    told = [event for event in play.events if event.body.get("version") == 2]
    return [event.kind for event in told if event.kind != "version_registered"]


def bodies(play, kind):
    return [event.body for event in play.events if event.kind == kind]


def test_shadow_is_given_copies_and_is_promoted_on_the_rows_that_both_answered(begun):
    play, documents = settled(begun, "shadow")
    assert kinds(play)[:3] == ["release_started", "step_passed", "promoted"]
    shadowed = [one for one in documents if one.strategy == "shadow" and one.champion == 1]
    assert [one.shadows for one in shadowed[:1]] == [(Shadow(version=2, fraction=0.5),)]
    assert shadowed[-1].shadows == (Shadow(version=2, fraction=1.0),)
    assert {tuple(one.weights.items()) for one in shadowed} == {(("1", 1.0),)}
    (promoted, *_) = [one for one in bodies(play, "promoted") if one["version"] == 2]
    assert promoted["numbers"]["compared"] == 50
    assert 0.0 < promoted["numbers"]["agreement"] < 0.5, (
        "the world turned round, the shadow did too"
    )
    outcome = promoted["verdicts"][1]
    assert outcome["verdict"] == "pass"
    assert outcome["n"] > 50, "outcomes of earlier steps count"


def test_blue_green_gives_all_traffic_at_once_and_keeps_the_champion_ready(begun):
    play, documents = settled(begun, "blue_green")
    assert kinds(play)[:3] == ["release_started", "step_passed", "promoted"]
    (switched, *_) = [one for one in documents if one.strategy == "blue_green"]
    assert switched.weights == {"1": 0.0, "2": 1.0}
    assert {one.version for one in switched.prepare} == {1, 2}
    assert switched.champion == 1
    (promoted, *_) = [one for one in bodies(play, "promoted") if one["version"] == 2]
    assert [verdict["verdict"] for verdict in promoted["verdicts"]] == ["pass", "pass"]
    assert play.world.registry.aliases("small")["champion"] == play.state.champion


def test_blue_green_waits_until_every_gateway_has_the_challenger_ready(begun):
    section = {"strategy": "blue_green", "min_requests": 20, "guardrails": []}
    play = begun(release=section)
    gateways = play.world.deployments
    for name in ("g-1", "g-2"):
        gateways.report(GatewayReport(gateway=name, at=9e9, generation=1, ready=(1,)))
    for start in range(START, 600, 50):
        play.go_to(start)
        settle(play.world, play.contract)
        play.answer(start, start + 50)
    release, generation = play.state.release, play.state.generation
    assert (release.step, gateways.current().weights) == (0, {"1": 1.0, "2": 0.0})
    for name, ready in (("g-1", (1, 2)), ("g-2", (1,)), ("g-2", (1, 2))):
        assert play.state.release.step == 0
        gateways.report(GatewayReport(gateway=name, at=9e9, generation=generation, ready=ready))
        settle(play.world, play.contract)
    assert play.state.release.step == 1
    assert gateways.current().weights == {"1": 0.0, "2": 1.0}


def test_green_that_a_gateway_refuses_goes_back_before_it_has_traffic(begun):
    section = {"strategy": "blue_green", "min_requests": 20, "guardrails": []}
    play = begun(release=section)
    gateways = play.world.deployments
    gateways.report(GatewayReport(gateway="g-1", at=9e9, generation=1, ready=(1,)))
    for start in range(START, 600, 50):
        play.go_to(start)
        settle(play.world, play.contract)
    refusing = GatewayReport(gateway="g-1", at=9e9, generation=1, ready=(1,), refused={"2": "gone"})
    gateways.report(refusing)
    settle(play.world, play.contract)
    (back,) = bodies(play, "rolled_back")
    assert "gone" in back["reason"]
    assert gateways.current().weights == {"1": 1.0}


@pytest.mark.parametrize("strategy", ["ab", "bandit"])
def test_comparison_promotes_what_is_better_by_outcomes(begun, strategy):
    play, documents = settled(begun, strategy)
    assert kinds(play)[0] == "release_started"
    (promoted, *_) = [one for one in bodies(play, "promoted") if one["version"] == 2]
    verdict = promoted["verdicts"][-1]
    assert verdict["subject"] == "accuracy of outcomes better than the champion's"
    assert verdict["verdict"] == "pass"
    assert verdict["observed"] < verdict["limit"]
    assert set(verdict["evidence"]["by_propensity"]) == {"challenger", "champion"}
    first = next(one for one in documents if one.strategy == strategy)
    assert first.weights == {"1": 0.5, "2": 0.5}


def test_bandit_publishes_shares_with_their_numbers_and_the_propensity_is_the_published_one(begun):
    rails = [{"error_rate": "20%"}, {"serving_skew": "50%"}]  # waits for 250 answers
    play, documents = settled(begun, "bandit", guardrails=rails)
    (weighed, *_) = bodies(play, "weights_published")
    share = weighed["numbers"]["share"]
    assert share == 0.9
    assert weighed["numbers"]["p_best"] > 0.9
    assert weighed["numbers"]["outcomes"] >= 40
    document = next(one for one in documents if one.generation == weighed["numbers"]["generation"])
    assert document.weights == {"1": pytest.approx(1 - share), "2": share}
    release = play.state.release
    assert release.weights[str(document.generation)] == share == release.share
    assert len(bodies(play, "weights_published")) == 1, "what does not move is not published anew"
    assert set(release.comparison.counted) == set(release.weights), "outcomes by document"


def test_release_that_nobody_decides_is_told_of_once(begun):
    play, _ = settled(begun, "ab", min_requests=5000, max_duration="100 rows")
    (held,) = bodies(play, "held")
    assert "max_duration is over" in held["reason"]
    assert "on_inconclusive: promote or rollback" in held["reason"]
    assert play.state.release.held
    decided = play.contract.release.model_copy(update={"on_inconclusive": "rollback"})
    play.contract = play.contract.model_copy(update={"release": decided})
    reconcile(play.world, play.contract)
    (back,) = bodies(play, "rolled_back")
    assert (back["version"], play.state.champion) == (2, 1)


@pytest.mark.parametrize("strategy", ["canary", "shadow", "blue_green"])
def test_serving_skew_is_measured_for_any_strategy(begun, strategy):
    """The challenger answers 100 rows here, by when nothing is sure: the release waits."""
    section = {"steps": ["50%", "100%"]} if strategy != "blue_green" else {}
    rails = [{"serving_skew": "20%"}]
    play = begun(release={"strategy": strategy, "min_requests": 20, "guardrails": rails, **section})
    for start in range(START, 600, 50):
        play.go_to(start)
        settle(play.world, play.contract)
        play.answer(start, start + 50)
    play.go_to(600)
    seen = observe(play.world, play.contract, play.state, play.rows)
    (verdict,) = seen.step.verdicts
    assert verdict.subject == "serving_skew max 20%"
    assert "of 250 answers" in verdict.reason
    assert verdict.n == (100 if strategy == "blue_green" else pytest.approx(50, abs=15))
    assert seen.step.action == "wait"
