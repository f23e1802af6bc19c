"""What gateways report, as control takes it: who lives, what of production is not served, and for how long."""

from types import SimpleNamespace

import msgspec
import pytest

from setpoint.adapters.memory_deployments import MemoryDeployments
from setpoint.clock import ManualClock
from setpoint.control.adopting import adopt_first
from setpoint.control.gateways import LIVE_S, live_reports, unserved
from setpoint.control.queries import explain, status
from setpoint.control.reconcile import settle
from setpoint.facts.gateway_report import GatewayReport
from setpoint.facts.state import LoopState

START = 400
CANARY = {"strategy": "canary", "steps": ["20%", "100%"], "min_requests": 10, "guardrails": []}
ALTERED = "model.onnx does not have the digest of the deployment document"
STATE = LoopState(model="m", champion=2, previous=1, generation=8)


def report(name="a", **more):
    return GatewayReport(gateway=name, **({"at": 0.0, "generation": 8} | more))


def reasons(found):
    return {name: verdict.reason for name, verdict in found.items()}


def test_report_that_grew_old_does_not_count():
    deployments = MemoryDeployments()
    for name, at in {"old": 84.9, "late": 85.0, "new": 99.0, "ahead": 101.0}.items():
        deployments.report(report(name, at=at))
    assert LIVE_S == 15.0
    world = SimpleNamespace(clock=ManualClock(100.0), deployments=deployments)
    assert [one.gateway for one in live_reports(world)] == ["ahead", "late", "new"]


def test_nothing_is_wrong_where_everything_is_served():
    assert unserved(STATE, []) == {}
    assert unserved(STATE, [report(ready=(1, 2)), report("b", ready=(2,))]) == {}


def test_champion_and_the_version_before_are_named_with_their_part():
    found = unserved(STATE, [report(refused={"2": "x", "1": "y", "3": "z"}), report("b")])
    assert reasons(found) == {
        "version 2": "1 of 2 gateways cannot serve it, the champion: x",
        "version 1": "1 of 2 gateways cannot serve it, which a rollback goes to: y",
    }
    assert {verdict.verdict for verdict in found.values()} == {"error"}


def test_challenger_is_the_matter_of_its_release():
    assert unserved(STATE, [report(refused={"3": "z"})]) == {}


def test_before_the_first_champion_nothing_is_missing():
    assert unserved(LoopState(model="m"), [report(refused={"0": "x"}, generation=0)]) == {}


@pytest.mark.parametrize(
    ("reports", "still"),
    [
        ([], True),  # gateways that are gone say nothing
        ([report()], True),  # and one that is still loading
        ([report(ready=(1,))], True),
        ([report(ready=(2,))], False),
    ],
)
def test_what_was_refused_stays_so_until_a_gateway_serves_it(reports, still):
    before = unserved(STATE, [report(refused={"2": "x"})])
    after = unserved(msgspec.structs.replace(STATE, unserved=before), reports)
    assert after == (before if still else {})


def test_version_that_left_production_is_forgotten():
    before = unserved(STATE, [report(refused={"2": "x"})])
    state = msgspec.structs.replace(STATE, unserved=before, champion=1, previous=0)
    assert unserved(state, []) == {}


def test_document_that_gateways_cannot_follow_is_named_until_they_do():
    stuck = report(generation=9, problem="generation 8 is not newer than 9")
    found = unserved(STATE, [stuck, report("b")])
    assert reasons(found) == {
        "deployment": "1 of 2 gateways cannot follow generation 8 of it: generation 8 is not newer than 9"
    }
    state = msgspec.structs.replace(STATE, unserved=found)
    assert unserved(state, []) == found
    assert unserved(state, [report(problem="an old one")]) == {}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Fits are done once for all tests."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def begun(store, make_play, small_contract, small_table):
    """Make a world that has come to the release of version 2."""

    def make(**release):
        contract = small_contract(delay=10, retrain={"budget": {"runs": 99, "per": "9 rows"},
                                  "data": "last 200 rows", "when": ["rows.new >= 100"]},
                                  train={"split": {"validation": "0%", "test": "40%"}},
                                  release=release)  # fmt: skip
        play = make_play(store, contract, small_table(800, change_at=320))
        play.begin(START)
        adopt_first(play.world, contract)
        for start in range(START, 700, 50):
            play.go_to(start)
            settle(play.world, contract)
            if play.state.release is not None or play.state.champion > 1:
                return play
            play.answer(start, start + 50)
        return pytest.fail("there was no release")

    return make


def say(play, **told):
    """Let a gateway report now, and let the loop settle."""
    name = told.pop("name", "a")
    known = {"at": play.clock.wall(), "generation": play.state.generation}
    play.world.deployments.report(GatewayReport(gateway=name, **(known | told)))
    return settle(play.world, play.contract)


def test_challenger_that_gateways_refuse_is_taken_back_at_once_and_the_ledger_says_why(begun):
    play = begun(**CANARY)
    before = play.state
    (decision,) = say(play, generation=before.generation - 1, ready=(1,), refused={"2": ALTERED})
    words = (
        f"version 2 is taken back, version 1 has all traffic: gateways cannot serve it: {ALTERED}"
    )
    assert (decision.action, decision.reason, decision.version) == ("roll_back", words, 2)
    (explained,) = explain(play.world.journal, decision.id)
    assert explained.verdicts[0].verdict == "error"
    assert explained.verdicts[0].evidence == {"refused": {"a": ALTERED}}
    after = play.state
    assert (after.champion, after.release) == (1, None)
    assert after.rejected == (before.versions["2"].artifact,)
    assert play.world.deployments.current().weights == {"1": 1.0}
    assert (status(play.world.journal).unserved, say(play, ready=(1,))) == ({}, [])


def test_refusal_of_a_gateway_that_is_gone_ends_no_release(begun):
    play = begun(**CANARY)
    old = play.clock.wall() - LIVE_S - 1
    assert say(play, at=old, refused={"2": ALTERED}) == []
    assert play.state.release is not None


def test_canary_step_waits_for_a_gateway_that_is_behind(begun):
    play = begun(**CANARY)
    begun_at = play.state.generation
    play.answer(700, 800)
    assert say(play, name="behind", generation=begun_at - 1) == []
    assert say(play, name="on time") == []
    (decision,) = say(play, name="behind", generation=begun_at)
    assert (decision.action, play.state.champion) == ("promote", 2)


def test_champion_that_a_gateway_refuses_is_told_once_and_status_shows_it(begun):
    play = begun(**CANARY)
    told = []
    for refused in ({}, {"1": ALTERED}, {"1": ALTERED}, {"1": "another reason"}):
        told += say(play, refused=refused, ready=(2,))
    (alert,) = told
    assert alert.action == "alert"
    assert alert.reason == f"version 1: gateways cannot serve it, the champion: {ALTERED}"
    assert play.events[-1].kind == "signal_breached"
    shown = "gateways cannot serve it, the champion: another reason"
    assert status(play.world.journal).unserved == {"version 1": shown}
    assert say(play, ready=(1, 2)) == []
    assert status(play.world.journal).unserved == {}
    assert [one.action for one in say(play, refused={"1": ALTERED})] == ["alert"]


def test_direct_release_that_no_gateway_can_serve_is_taken_back(begun):
    play = begun(strategy="direct")
    assert play.state.champion == 2
    (decision,) = say(play, generation=1, ready=(1,), refused={"2": ALTERED})
    assert (decision.action, decision.version) == ("roll_back", 2)
    assert decision.reason.endswith(f"gateways cannot serve it: {ALTERED}")
    assert decision.verdicts[0].verdict == "error"
    assert (play.state.champion, play.state.untold) == (1, {})
    assert play.world.registry.aliases("small") == {"champion": 1}
    assert say(play, ready=(1,)) == []


def test_direct_release_that_some_gateway_serves_stays_and_people_are_told(begun):
    play = begun(strategy="direct")
    assert say(play, name="b", ready=(1, 2)) == []
    (decision,) = say(play, generation=1, ready=(1,), refused={"2": ALTERED})
    assert decision.action == "alert"
    assert "1 of 2 gateways cannot serve it, the champion" in decision.reason
    assert play.state.champion == 2
