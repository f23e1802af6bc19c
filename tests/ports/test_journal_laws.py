"""The laws of `setpoint.ports.journal`, on every adapter. An adapter is one entry of `JOURNALS`."""

import math

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from setpoint.adapters.memory_journal import MemoryJournal
from setpoint.adapters.sql_journal import SqlJournal
from setpoint.errors import JournalError, StaleStateError
from setpoint.facts.deployment import Deployed, Deployment
from setpoint.facts.ledger import Event
from setpoint.facts.release import Release
from setpoint.facts.snapshot import Origin, Snapshot
from setpoint.facts.state import Attempt, LoopState, TriggerState
from setpoint.facts.training import Feature, Perturb, Recipe, TrainingJob
from setpoint.facts.verdict import Verdict
from setpoint.facts.version import Lineage, ModelVersion, Seen
from setpoint.ledger.chain import START
from setpoint.ledger.verify import verify

JOURNALS = {
    "memory": lambda *_, model: MemoryJournal(model),
    "sqlite": lambda _, folder, model: SqlJournal(folder / "store" / "state.db", model),
    "postgres": lambda request, _, model: SqlJournal(
        request.getfixturevalue("postgres").database(), model
    ),
}


@pytest.fixture(params=JOURNALS)
def journal(request, tmp_path):
    return JOURNALS[request.param](request, tmp_path, model="churn")


def event(kind="promoted", at=1.0, **body):
    return Event(kind=kind, at=at, body=body)


def full_state():
    verdict = Verdict(
        subject="f1", verdict="pass", observed=0.5, limit=(0.1, 0.9), interval=(0.4, 0.6), n=9
    )
    lineage = Lineage(snapshot="s", contract="c", dirty=None)
    seen = Seen(by="time", table="t", until=3.5)
    version = ModelVersion(
        version=1,
        attempt="a1",
        artifact="aa",
        behaviour="bb",
        runtime="onnx",
        lineage=lineage,
        seen=seen,
        metrics={"f1": 0.5},
        intervals={"f1": (0.4, 0.6)},
    )
    return LoopState(
        model="churn",
        contract="c",
        now=12.5,
        champion=1,
        versions={"1": version},
        attempt=Attempt(
            id="a2",
            reason="by hand",
            trigger="by hand",
            snapshot=Snapshot(
                digest="s",
                table="t",
                ranges=((0, 3), (5, 9)),
                rows=7,
                columns={"a": "double"},
                origin=Origin(source="rows.csv"),
            ),
            job=TrainingJob(
                key="k",
                model="churn",
                contract="c",
                recipe=Recipe(
                    estimator="auto",
                    params={"max_depth": 3},
                    task="binary",
                    target="y",
                    positive="1",
                    features=(Feature(name="a", kind="float", low=0.5),),
                    threshold=0.5,
                    seed=7,
                    time_limit_s=60.0,
                    memory_limit=10**9,
                ),
                table="t",
                rows="rows/r.npz",
                perturbs=(Perturb(gate=1, column="a", add=2.0),),
            ),
            seen=seen,
            verdicts=(verdict,),
        ),
        release=Release(id="r", version=2, champion=1, strategy="canary", steps=(0.05, 1.0)),
        deployment=Deployment(
            model="churn",
            generation=1,
            contract="c",
            prepare=(Deployed(version=1, bundle="b", artifact="aa"),),
            weights={"1": 1.0},
            champion=1,
        ),
        triggers={"drift.share > 30%": TriggerState(windows=2, fired_at=3.0)},
        retrains=(1.0, 2.0),
        promoted_at=4.0,
    )


def test_nothing_is_there_before_the_first_commit(journal):
    assert journal.load() == (None, 0)
    assert journal.head() == (0, START)
    assert list(journal.entries()) == []


def test_state_comes_back_as_it_was(journal):
    state = full_state()
    assert journal.commit(0, state, []) == 1
    assert journal.load() == (state, 1)


@given(
    st.floats(),
    st.dictionaries(st.text(max_size=5), st.none() | st.floats() | st.integers() | st.text()),
    st.integers(-(2**63), 2**63),
)
@settings(max_examples=40)
def test_strange_values_come_back_too(number, details, count):
    state = full_state()
    details = dict(sorted(details.items()))  # mappings come back with sorted keys
    version = msgspec.structs.replace(
        state.versions["1"], metrics={"f1": number}, trained_rows=count
    )
    state = msgspec.structs.replace(state, versions={"1": version}, last_run=details)
    journal = MemoryJournal("churn")  # the text that is kept is the same in every adapter
    journal.commit(0, state, [])
    back = journal.load()[0]
    assert repr(back.versions["1"]) == repr(version)  # by repr, because NaN does not equal itself
    assert repr(back.last_run) == repr(details)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_cannot_say_come_back(journal, number):
    state = LoopState(model="churn", now=number, last_run={"x": [number]})
    journal.commit(0, state, [event(at=number, x=number)])
    back, _ = journal.load()
    assert repr(back) == repr(state)
    assert verify(journal.entries(), journal.head()).ruling == "pass"


def test_revisions_grow_by_one(journal):
    state = LoopState(model="churn")
    assert [journal.commit(revision, state, []) for revision in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("expected", [0, 1, 3])
def test_stale_commit_writes_nothing(journal, expected):
    journal.commit(0, LoopState(model="churn"), [event(n=1)])
    journal.commit(1, LoopState(model="churn", now=2.0), [event(n=2)])
    before = (journal.load(), journal.head(), list(journal.entries()))
    with pytest.raises(StaleStateError) as caught:
        journal.commit(expected, LoopState(model="churn", now=9.0), [event(n=3)])
    assert (caught.value.expected, caught.value.found) == (expected, 2)
    assert (journal.load(), journal.head(), list(journal.entries())) == before


def test_entries_are_numbered_chained_and_in_order(journal):
    journal.commit(0, LoopState(model="churn"), [event(n=1), event(n=2)])
    journal.commit(1, LoopState(model="churn"), [])
    journal.commit(2, LoopState(model="churn"), [event(n=3)])
    entries = list(journal.entries())
    assert [entry.event.body["n"] for entry in entries] == [1, 2, 3]
    assert journal.head() == (3, entries[-1].hash)
    assert verify(entries, journal.head()).ruling == "pass"


@pytest.mark.parametrize("after", [0, 1, 1000, 1001, 2500, 9999])
def test_entries_after_a_number_are_all_of_them(journal, after):
    journal.commit(0, LoopState(model="churn"), [event(n=number) for number in range(1, 2501)])
    found = [entry.sequence for entry in journal.entries(after)]
    assert found == list(range(after + 1, 2501))


def test_commit_between_two_entries_does_not_wait_for_the_reader(journal):
    journal.commit(0, LoopState(model="churn"), [event(n=1), event(n=2)])
    reader = journal.entries()
    next(reader)
    assert journal.commit(1, LoopState(model="churn"), [event(n=3)]) == 2
    assert [entry.sequence for entry in reader][:1] == [2]


def test_what_is_not_plain_writes_nothing(journal):
    journal.commit(0, LoopState(model="churn"), [event(n=1)])
    before = (journal.load(), list(journal.entries()))
    with pytest.raises(JournalError, match="object is not plain data"):
        journal.commit(1, LoopState(model="churn"), [event(n=2), event(n=object())])
    with pytest.raises(JournalError, match="object is not plain data"):
        journal.commit(1, LoopState(model="churn", last_run={"x": object()}), [event(n=2)])
    assert (journal.load(), list(journal.entries())) == before


def test_another_model_is_refused(journal):
    with pytest.raises(JournalError, match="journal of churn, not of fraud"):
        journal.commit(0, LoopState(model="fraud"), [])


def test_later_changes_to_what_was_committed_change_nothing(journal):
    body = {"numbers": [1]}
    state = LoopState(model="churn", last_run=body)
    journal.commit(0, state, [Event(kind="k", at=0.0, body=body)])
    body["numbers"].append(2)
    assert journal.load()[0].last_run == {"numbers": [1]}
    assert next(journal.entries()).event.body == {"numbers": [1]}


@given(
    st.lists(
        st.lists(
            st.dictionaries(st.text(max_size=4), st.floats() | st.text(max_size=4)), max_size=3
        ),
        max_size=5,
    )
)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_adapters_agree_on_every_hash(tmp_path_factory, commits):
    folder = tmp_path_factory.mktemp("agree")
    journals = [JOURNALS[one](None, folder, model="churn") for one in ("memory", "sqlite")]
    for revision, bodies in enumerate(commits):
        events = [event(at=float(revision), x=body) for body in bodies]
        for journal in journals:
            journal.commit(revision, LoopState(model="churn"), events)
    assert len({journal.head() for journal in journals}) == 1
    assert all(verify(journal.entries(), journal.head()).ruling == "pass" for journal in journals)
