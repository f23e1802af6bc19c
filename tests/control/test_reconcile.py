"""The loop against what can happen to it: a death between any two calls, a second controller, fits that fail."""

from dataclasses import fields, replace

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from tests.control.power_cuts import PORTS, START, Cut, course

from setpoint.control.adopting import adopt_first
from setpoint.control.reconcile import current, reconcile, settle
from setpoint.errors import RegistryError, StaleStateError, TrainingError
from setpoint.facts.state import LoopState
from setpoint.ledger.verify import verify
from setpoint.release.rules import release_rules

CANARY = {"strategy": "canary", "steps": ["20%", "100%"], "min_requests": 20, "guardrails": []}
GUARDED = CANARY | {"guardrails": [{"error_rate": "20%"}, {"latency_p99": "100ms"}]}
COMMON = {
    "min_requests": 20,
    "guardrails": [{"error_rate": "20%"}, {"outcome": "accuracy", "not_worse_by": "5%"}],
}
OTHERS = {"shadow": {"steps": ["50%", "100%"]}, "blue_green": {}, "ab": {}, "bandit": {}}
KILLS = 40
FEW_KILLS = 10


def version_attempts(play):
    return [one.attempt for one in play.state.versions.values()]


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_champion_that_the_world_left_is_replaced(begun, task):
    play = begun(task)
    course(play)
    assert play.state.champion > 1
    kinds = [event.kind for event in play.events]
    assert kinds[:6] == [
        "version_adopted",
        "retrain_started",
        "candidate_fitted",
        "candidate_judged",
        "version_registered",
        "promoted",
    ]


def test_document_and_aliases_follow_the_state(begun):
    play = begun(release=CANARY)
    for start in range(START, 800, 50):
        play.go_to(start)
        settle(play.world, play.contract)
        state = play.state
        assert play.world.deployments.current() == state.deployment
        challenger = {} if state.release is None else {"challenger": state.release.version}
        wanted = {"champion": state.champion, **challenger}
        assert play.world.registry.aliases("small") == wanted
        play.answer(start, start + 50)
    assert state.champion > 1


def test_release_remembers_what_its_guardrails_gathered_and_promotes_by_it(begun):
    play = begun(release=GUARDED)
    gathered = []
    for start in range(START, 800, 25):
        play.go_to(start)
        settle(play.world, play.contract)
        if play.state.release is not None:
            gathered.append(play.state.release.evidence)
        play.answer(start, start + 25)
    (first, *_, last) = [one["error_rate max 20%"].challenger_n for one in gathered if one]
    assert first < last, "look by look"
    assert play.state.champion > 1


def test_alias_moved_by_hand_does_not_move_production(begun):
    play = begun()
    course(play, until=600)
    champion = play.state.champion
    assert champion == 2
    settle(play.world, play.contract)
    for moved in (1, None):
        play.world.registry.point("small", "champion", moved)
        decision = reconcile(play.world, play.contract)
        assert decision.action == "put_back"
        assert decision.numbers == {"found": moved or 0, "champion": champion}
        assert play.world.registry.aliases("small")["champion"] == champion
        assert play.events[-1].kind == "alias_put_back"
        assert reconcile(play.world, play.contract).action == "wait"


def test_registry_that_does_not_answer_stops_no_step_of_a_release(begun):
    class Gone:
        def aliases(self, model):
            raise RegistryError(f"{model} cannot be reached")

    def deaf_pass():
        with pytest.raises(RegistryError):
            reconcile(deaf, play.contract)

    play = begun(release=CANARY)
    deaf = replace(play.world, registry=Gone())
    for start in range(START, 800, 50):
        play.go_to(start)
        settle(play.world, play.contract)
        if play.state.release is not None:
            break
        play.answer(start, start + 50)
    generation = play.state.generation
    for ahead in range(start, 800, 50):
        play.answer(ahead, ahead + 50)
        play.go_to(ahead + 50)
        deaf_pass()
        if play.state.generation > generation:
            break
    assert play.state.generation > generation
    assert play.world.deployments.current() == play.state.deployment
    settle(play.world, play.contract)
    assert play.world.registry.aliases("small")["champion"] == play.state.champion


@pytest.mark.parametrize(
    ("release", "kills"),
    [
        ({"strategy": "direct"}, KILLS),
        (CANARY, KILLS),
        (GUARDED, KILLS),
        *((COMMON | {"strategy": one, **steps}, FEW_KILLS) for one, steps in OTHERS.items()),
    ],
)
def test_dies_between_any_two_calls_and_nothing_is_lost_or_doubled(begun, release, kills):
    undisturbed = begun(release=release)
    counted = Cut()
    course(undisturbed, cut=counted)
    assert undisturbed.state.champion > 1
    told = list(undisturbed.world.journal.entries())
    rng = np.random.default_rng(1)
    for at in sorted(rng.choice(counted.seen, size=kills, replace=False) + 1):
        play = begun(release=release)
        cut = Cut(int(at))
        course(play, cut=cut)
        assert cut.seen > at, "the power was cut"
        assert play.state == undisturbed.state
        assert list(play.world.journal.entries()) == told
        assert verify(play.world.journal.entries(), play.world.journal.head()).ruling == "pass"
        assert len(set(version_attempts(play))) == len(version_attempts(play))
        assert play.world.deployments.current() == play.state.deployment
        assert len(play.world.registry._versions["small"]) == len(play.state.versions)


def test_model_that_was_rolled_back_is_not_released_again(begun):
    released = begun()
    course(released)
    artifacts = [one.artifact for one in released.state.versions.values() if one.version > 1]
    play = begun()
    state, revision = play.world.journal.load()
    play.world.journal.commit(
        revision, msgspec.structs.replace(state, rejected=tuple(artifacts)), ()
    )
    course(play, until=550)
    refused = [event for event in play.events if event.kind == "candidate_refused"]
    assert "rolled back" in refused[0].body["reason"]
    assert play.state.champion == 1


def test_second_controller_is_told_and_nothing_is_lost(begun):
    play = begun()
    journal = play.world.journal

    class Interrupted:
        """Somebody else takes a whole step while this pass is at work."""

        def __getattr__(self, name):
            return getattr(journal, name)

        def commit(self, expected, state, events):
            reconcile(play.world, play.contract)
            return journal.commit(expected, state, events)

    slow = replace(play.world, journal=Interrupted())
    refused = 0
    for start in range(START, 700, 50):
        play.go_to(start)
        try:
            reconcile(slow, play.contract)
        except StaleStateError:
            refused += 1
        settle(play.world, play.contract)
        play.answer(start, start + 50)
    alone = begun()
    course(alone)
    assert refused > 0
    assert play.state == alone.state
    assert list(journal.entries()) == list(alone.world.journal.entries())


def test_fit_that_fails_is_an_error_and_the_loop_goes_on(begun):
    play = begun()
    jobs = play.world.jobs

    class Failing:
        """Its first fit runs out of memory."""

        failed = False

        def __getattr__(self, name):
            return getattr(jobs, name)

        def train(self, job):
            if not Failing.failed:
                Failing.failed = True
                raise TrainingError("memory", "the fit needs more memory", output="Killed")
            return jobs.train(job)

    play.world = replace(play.world, jobs=Failing())
    course(play)
    (refused,) = [event for event in play.events if "the fit failed" in event.body["reason"]]
    assert refused.kind == "candidate_refused"
    (verdict,) = refused.body["verdicts"]
    assert verdict["verdict"] == "error"
    assert verdict["evidence"]["output"] == "Killed"
    assert play.state.champion > 1


def test_rows_of_one_class_do_not_stop_the_loop(begun, small_table):
    table = small_table(800)
    label = np.asarray(table["y"]).copy()
    label[START:] = "1"
    table = table.set_column(2, "y", pa.array(label))
    play = begun(table=table, data={"checks": {"label_share": {"shift": "100 points"}}})
    course(play, until=800)
    kinds = [event.kind for event in play.events]
    assert kinds.count("retrain_started") >= 2
    assert "promoted" not in kinds
    refused = [event for event in play.events if event.kind == "candidate_refused"]
    assert all(
        verdict["verdict"] in ("error", "inconclusive", "fail")
        for event in refused
        for verdict in event.body["verdicts"]
    )


def test_pass_with_nothing_to_do_writes_nothing(begun):
    play = begun()
    _, before = play.world.journal.load()
    assert reconcile(play.world, play.contract).action == "wait"
    reconcile(play.world, play.contract)
    _, after = play.world.journal.load()
    reconcile(play.world, play.contract)
    assert play.world.journal.load()[1] == after
    assert after - before <= 1


def test_first_model_that_cannot_be_fitted_is_an_error(store, make_play, small_contract):
    contract = small_contract()
    table = pa.table({"a": np.zeros(50), "b": np.zeros(50), "y": ["1"] * 50})
    play = make_play(store, contract, table)
    play.begin(25)
    with pytest.raises(TrainingError):
        adopt_first(play.world, contract)
    assert play.world.journal.load() == (None, 0)


def test_no_rows_at_all_is_nothing_due(store, make_play, small_contract, small_table):
    contract = small_contract("regression")
    play = make_play(store, contract, small_table(0, task="regression"))
    assert reconcile(play.world, contract).action == "wait"


def test_changed_contract_is_in_force_at_once(begun, small_contract):
    play = begun()
    changed = small_contract(delay=10, train={"seed": 9})
    state, revision = current(play.world, changed)
    assert state.contract == changed.digest
    assert state.contract_text == changed.text
    assert revision == play.world.journal.load()[1]


def test_every_field_of_the_state_survives_the_journal(begun):
    play = begun(release=CANARY)
    course(play)
    state = play.state
    again = msgspec.json.decode(msgspec.json.encode(state), type=LoopState)
    assert again == state
    assert {field.name for field in fields(play.world)} >= set(PORTS)
    assert release_rules(play.contract.release, axis="rows").min_requests == 20
