"""The way to production and back: shares, generations, watches; who serves when."""

from types import SimpleNamespace

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from setpoint.adapters.memory_deployments import MemoryDeployments
from setpoint.adapters.memory_journal import MemoryJournal
from setpoint.adapters.memory_registry import MemoryRegistry
from setpoint.clock import ManualClock
from setpoint.control import pairing, releasing
from setpoint.control.observe import observe
from setpoint.control.reconcile import reconcile
from setpoint.control.world import World
from setpoint.errors import UsageError
from setpoint.facts.answers import Answers
from setpoint.facts.evidence import Scores
from setpoint.facts.registration import Registration
from setpoint.facts.release import ArmCounts, Watch
from setpoint.facts.state import LoopState
from setpoint.facts.training import TrainingResult
from setpoint.facts.verdict import Verdict
from setpoint.facts.version import Lineage, ModelVersion, Seen
from setpoint.release.move import Step

CANARY = {
    "strategy": "canary",
    "steps": ["10%", "50%", "100%"],
    "min_requests": 100,
    "guardrails": [{"error_rate": "5%"}],
}
WATCHED = [{"outcome": "accuracy", "not_worse_by": "0.02 abs", "after": "500 rows"}]


class Traffic:
    """Says what it is told to."""

    def __init__(self):
        self.counts = {}
        self.asked = []
        self.scales = []
        self.right = {}
        self.known = {}
        self.withheld = {}

    def arms(self, generation, slow_s=(), *, scale=1.0):  # noqa: ARG002 - nobody measures time here
        self.asked.append(generation)
        self.scales.append(scale)
        return {
            version: ArmCounts(version=version, requests=requests, errors=errors)
            for version, (requests, errors) in self.counts.get(generation, {}).items()
        }

    def reach(self):
        return 0.0, 0.0

    def scored(self, version, stretches):
        return tuple(self.answers(version, *stretch) for stretch in stretches)

    def answers(self, version, start, end):
        at = np.arange(start, end)
        rows = len(at)
        self.read = (start, end)
        zeros = np.zeros(rows, dtype=np.int64)
        label = zeros + (0 if self.right.get(version, True) else 1)
        return Answers(
            version=version,
            start=start,
            end=end,
            table=pa.table({"a": np.zeros(rows)}),
            at=at,
            scores=Scores(label=label, probability=np.ones((rows, 2)) / 2, value=np.empty(0)),
            classes=("0", "1"),
            truth_label=zeros,
            truth_value=np.empty(0),
            known=at < self.known.get(version, np.inf),
            withheld=self.withheld,
        )


class Scorer:
    """The replaced version is always right."""

    def score(self, _artifact, table):
        rows = table.num_rows
        return Scores(
            label=np.zeros(rows, dtype=np.int64),
            probability=np.ones((rows, 2)) / 2,
            value=np.empty(0),
        )

    def classes(self, _artifact):
        return ("0", "1")


def version(number, **metrics):
    return ModelVersion(
        version=number,
        attempt=f"a-{number}",
        artifact=f"{number}" * 64,
        behaviour="",
        runtime="native",
        lineage=Lineage(snapshot="", contract=""),
        seen=Seen(by="time", table=""),
        metrics=metrics,
    )


@pytest.fixture
def world(tmp_path):
    rows = SimpleNamespace(known=lambda _: 0, unfolding=False, at=np.empty(0))
    registry = MemoryRegistry()
    for number in (1, 2, 3):
        registration = Registration(
            model="small",
            attempt=f"a-{number}",
            register=True,
            ruling="pass",
            verdicts=(),
            result=TrainingResult(key="", metrics={}, artifact="", behaviour="", runtime="native"),
            params={},
            lineage=Lineage(snapshot="", contract=""),
            contract_text="",
        )
        registry.record(registration, tmp_path)
    bundles = SimpleNamespace(find=lambda artifact: tmp_path / artifact)
    return World(
        clock=ManualClock(1000.0),
        journal=MemoryJournal("small"),
        registry=registry,
        jobs=SimpleNamespace(),
        tables=SimpleNamespace(),
        bundles=bundles,
        deployments=MemoryDeployments(),
        traffic=Traffic(),
        scorer=Scorer(),
        rows=lambda: rows,
        lineage=lambda: Lineage(snapshot="", contract=""),
        wall_clock=False,
    )


def state(*versions, **more):
    numbers = versions or (1, 2)
    begun = LoopState(
        model="small",
        champion=1,
        versions={str(number): version(number) for number in numbers},
        generation=7,
        watched=900.0,
    )
    return msgspec.structs.replace(begun, **more)


def begin(world, contract, before, number=2):
    return releasing.begin(world, contract, before, before.versions[str(number)])


def weights(change):
    return change.state.deployment.weights


def test_direct_release_promotes_at_once(world, small_contract):
    found = begin(world, small_contract(), state(proposed=2, candidates=3))
    after = found.state
    assert found.decision.action == "promote"
    assert (after.champion, after.previous, after.proposed, after.candidates) == (2, 1, 0, 0)
    assert after.promoted_at == after.watched == 1000.0
    assert weights(found) == {"2": 1.0}
    assert after.generation == after.deployment.generation == 8


def test_first_version_is_promoted_whatever_the_strategy(world, small_contract):
    found = begin(world, small_contract(release=CANARY), state(2, champion=0, proposed=2))
    assert found.decision.action == "promote"
    assert found.state.champion == 2
    assert found.state.previous == 0
    assert found.state.watch is None


def test_canary_goes_step_by_step_and_keeps_the_old_version_ready(world, small_contract):
    contract = small_contract(release=CANARY)
    first = begin(world, contract, state(proposed=2))
    assert first.decision.action == "release"
    assert weights(first) == {"1": 0.9, "2": 0.1}
    assert first.state.champion == 1
    fine = Step(action="advance", reason="fine")
    second = releasing.move(world, contract, first.state, first.state.release, fine)
    assert weights(second) == {"1": 0.5, "2": 0.5}
    assert second.state.release.generation == second.state.generation == 9
    done = Step(action="promote", reason="fine")
    third = releasing.move(world, contract, second.state, second.state.release, done)
    assert weights(third) == {"2": 1.0}
    assert third.state.release is None
    assert {one.version for one in third.state.deployment.prepare} == {1, 2}


def test_requests_of_earlier_generations_move_nothing(world, small_contract):
    contract = small_contract(release=CANARY)
    before = begin(world, contract, state(proposed=2)).state
    world.traffic.counts = {7: {1: (90_000, 0), 2: (90_000, 0)}, 8: {1: (99, 0), 2: (99, 0)}}
    seen = observe(world, contract, before, world.rows())
    assert world.traffic.asked == [8]
    assert seen.step.action == "wait"
    assert "99 of 100" in seen.step.reason


def test_loop_takes_a_canary_to_production_on_verdicts_alone(world, small_contract):
    contract = small_contract(release=CANARY)
    world.journal.commit(0, begin(world, contract, state(proposed=2)).state, ())
    actions = []
    for _ in range(4):
        now = world.journal.load()[0].generation
        world.traffic.counts = {now: {1: (20_000, 10), 2: (20_000, 10)}}
        actions.append(reconcile(world, contract).action)
        assert world.deployments.current() == world.journal.load()[0].deployment
    assert actions == ["advance", "promote", "wait", "wait"]
    assert world.registry.aliases("small") == {"champion": 2}


def test_challenger_that_fails_goes_back_and_the_champion_stays_as_it_was(world, small_contract):
    contract = small_contract(release=CANARY)
    watch = Watch(version=1, previous=3, since=800.0, until=2000.0)
    told = {"breaches": ("drift.share",), "watch": watch, "previous": 3}
    before = begin(world, contract, state(1, 2, 3, proposed=2, **told)).state
    world.journal.commit(0, before, ())
    world.traffic.counts = {8: {1: (20_000, 10), 2: (20_000, 9_000)}}
    assert reconcile(world, contract).action == "roll_back"
    after = world.journal.load()[0]
    assert (after.champion, after.previous, after.release) == (1, 3, None)
    assert after.rejected == ("2" * 64,)
    assert after.deployment.weights == {"1": 1.0}
    assert after.watch == watch
    assert after.watched == before.watched
    assert after.breaches == before.breaches


def test_champion_goes_back_to_the_one_before(world, small_contract):
    before = state(champion=2, previous=1, breaches=("drift.share",))
    found = releasing.roll_back(world, small_contract(), before, 2, reason="worse")
    after = found.state
    assert (after.champion, after.previous, after.watch) == (1, 0, None)
    assert after.breaches == ()
    assert after.watched == 1000.0
    assert found.decision.numbers["back_to"] == 1


def test_first_champion_has_nothing_to_go_back_to(world, small_contract):
    with pytest.raises(UsageError, match="first champion"):
        releasing.roll_back(world, small_contract(), state(), 1, reason="worse")


def test_promoted_version_that_outcomes_show_to_be_worse_is_rolled_back(world, small_contract):
    contract = small_contract(release={"strategy": "direct", "guardrails": WATCHED})
    promoted = begin(world, contract, state(proposed=2)).state
    assert promoted.watch == Watch(version=2, previous=1, since=1000.0, until=1500.0)
    world.journal.commit(0, promoted, ())
    world.traffic.right = {2: False}
    world.clock.put(1400.0)
    found = reconcile(world, contract)
    assert found.action == "roll_back"
    assert found.verdicts[0].verdict == "fail"
    assert world.registry.aliases("small") == {"champion": 1}


def test_promoted_version_that_does_well_is_watched_no_longer_than_asked(world, small_contract):
    contract = small_contract(release={"strategy": "direct", "guardrails": WATCHED})
    world.journal.commit(0, begin(world, contract, state(proposed=2)).state, ())
    world.clock.put(1499.0)
    reconcile(world, contract)
    assert world.journal.load()[0].watch is not None
    world.clock.put(1500.0)
    reconcile(world, contract)
    assert world.journal.load()[0].watch is None
    assert world.journal.load()[0].champion == 2


@pytest.mark.parametrize(("until", "read"), [(1300.0, 1300), (1000.5, 1001), (900.0, None)])
def test_watch_reads_inputs_only_as_far_as_outcomes_are_known(world, small_contract, until, read):
    contract = small_contract(release={"strategy": "direct", "guardrails": WATCHED})
    promoted = begin(world, contract, state(proposed=2)).state
    world.clock.put(1400.0)
    world.traffic.known = {2: until}
    step = releasing.look_back(world, contract, promoted, promoted.watch)
    assert step.verdict.n == (0 if read is None else read - 1000)
    start, end = world.traffic.read
    assert (start, np.ceil(end)) == (1000.0, 1400.0 if read is None else read)


def test_changed_rule_of_the_log_is_in_force_after_one_pass_and_holds_for_every_version(
    world, small_contract
):
    canary = {"release": CANARY}
    before = begin(world, small_contract(**canary), state(1, 2, proposed=2)).state
    world.journal.commit(0, before, ())
    hashed = small_contract(**canary, data={"columns": {"a": {"log": "hash"}}})
    found = reconcile(world, hashed)
    assert (found.action, found.numbers["generation"]) == ("renew", before.generation + 1)
    document = world.deployments.current()
    assert (document.kept, document.weights) == ({"a": "hash"}, before.deployment.weights)
    after = world.journal.load()[0]
    assert after.release.generation == before.release.generation  # its answers go on counting
    assert reconcile(world, hashed).action == "wait"


def test_watch_says_where_the_log_has_not_what_the_version_before_would_answer(
    world, small_contract
):
    contract = small_contract(release={"strategy": "direct", "guardrails": WATCHED})
    promoted = begin(world, contract, state(proposed=2)).state
    world.clock.put(1400.0)
    world.traffic.right = {2: False}
    world.traffic.withheld = {"a": "hash"}
    step = releasing.look_back(world, contract, promoted, promoted.watch)
    assert (step.action, step.verdict.verdict, step.verdict.n) == ("wait", "inconclusive", 400)
    assert "version 1 cannot answer the same rows" in step.reason
    world.clock.put(1500.0)
    assert releasing.look_back(world, contract, promoted, promoted.watch).action == "done"


def test_watch_without_outcomes_judges_nothing(world, small_contract):
    contract = small_contract(release={"strategy": "direct", "guardrails": WATCHED})
    promoted = begin(world, contract, state(proposed=2)).state
    step = releasing.look_back(world, contract, promoted, promoted.watch)
    assert step.action == "wait"
    assert step.verdict.verdict == "inconclusive"


def test_errors_of_a_regression_are_scaled_by_the_champions_own():
    before = state()
    assert pairing.loss_scale(before) == 1.0
    versions = {"1": version(1, mae=2.5)}
    assert pairing.loss_scale(msgspec.structs.replace(before, versions=versions)) == 20.0


def test_scale_of_errors_is_the_champions_of_the_moment_at_each_look(world, small_contract):
    contract = small_contract(release=CANARY)
    before = begin(world, contract, state(proposed=2)).state
    observe(world, contract, before, world.rows())
    versions = before.versions | {"1": version(1, mae=2.5)}
    observe(world, contract, msgspec.structs.replace(before, versions=versions), world.rows())
    assert world.traffic.scales == [1.0, 20.0]


def test_projecting_twice_changes_nothing(world, small_contract):
    after = begin(world, small_contract(release=CANARY), state(proposed=2)).state
    releasing.project(world, after)
    once = world.deployments.current(), world.registry.aliases("small")
    releasing.project(world, after)
    assert (world.deployments.current(), world.registry.aliases("small")) == once
    assert once[1] == {"champion": 1, "challenger": 2}


def test_verdicts_of_a_step_are_in_its_decision(world, small_contract):
    contract = small_contract(release=CANARY)
    before = begin(world, contract, state(proposed=2)).state
    verdict = Verdict(subject="error_rate max 5%", verdict="fail", reason="too many")
    bad = Step(action="roll_back", reason="too many", verdicts=(verdict,))
    found = releasing.move(world, contract, before, before.release, bad)
    assert found.decision.verdicts == (verdict,)
    assert "too many" in found.decision.reason
