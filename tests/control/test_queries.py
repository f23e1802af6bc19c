import math

import msgspec
import pytest

from setpoint.adapters.memory_journal import MemoryJournal
from setpoint.contract.parse import parse
from setpoint.control.change import change
from setpoint.control.queries import axis_of, explain, require_state, status
from setpoint.errors import UsageError
from setpoint.facts.ledger import Event
from setpoint.facts.release import Release
from setpoint.facts.state import Blocked, Hold, LoopState, TriggerState
from setpoint.facts.verdict import Verdict

TEXT = """\
model: {name: m, task: binary}
data: {source: t.csv, target: y}
retrain:
  when: [rows.new >= 100, drift.share > 30%]
  cooldown: 500 rows
"""
FIRST, SECOND = "a-1-aaaa", "a-2-bbbb"
FAILED = Verdict(
    subject="f1 min 0.8",
    verdict="fail",
    observed=0.7,
    limit=0.8,
    interval=(0.6, 0.75),
    n=300,
    reason="below its limit",
    evidence={"alpha": 0.05, "spread": math.nan},
)


@pytest.fixture
def contract():
    return parse(TEXT, file="c.yaml")


@pytest.fixture
def journal(contract):
    """Two attempts: the first becomes version 1 and champion, the second is refused."""
    kept = MemoryJournal("m")
    state = LoopState(model="m", contract=contract.digest, contract_text=contract.text)
    steps = [
        ("retrain", {"attempt": FIRST}),
        ("fit", {"attempt": FIRST}),
        ("register", {"attempt": FIRST, "version": 1}),
        ("promote", {"version": 1}),
        ("retrain", {"attempt": SECOND}),
        ("refuse", {"attempt": SECOND, "verdicts": (FAILED,)}),
    ]
    for at, (action, facts) in enumerate(steps):
        step = change(state, action, f"because of {action}", at=float(at), **facts)
        state = msgspec.structs.replace(step.state, champion=1)
        kept.commit(at, state, step.events)
    return kept


def put(journal, **changes):
    state, revision = journal.load()
    journal.commit(revision, msgspec.structs.replace(state, **changes), ())


def ids(found):
    return [one.id for one in found]


def test_before_the_first_pass_it_says_how_to_begin():
    with pytest.raises(UsageError, match="setpoint run"):
        status(MemoryJournal("m"))
    with pytest.raises(UsageError, match="setpoint run"):
        explain(MemoryJournal("m"))


def test_a_decision_comes_back_from_the_ledger_as_it_was_taken(journal):
    (found,) = explain(journal, "d-6")
    assert (found.action, found.attempt, found.at) == ("refuse", SECOND, 5.0)
    (verdict,) = found.verdicts
    assert verdict.interval == (0.6, 0.75)
    assert math.isnan(verdict.evidence["spread"])


def test_an_attempt_gives_its_decisions_alone(journal):
    assert ids(explain(journal, SECOND)) == ["d-5", "d-6"]
    assert ids(explain(journal, "a-2")) == ["d-5", "d-6"]
    assert ids(explain(journal, "a-1-aa")) == ["d-1", "d-2", "d-3"]


def test_a_beginning_that_fits_two_attempts_is_not_guessed(journal):
    with pytest.raises(UsageError, match=f"{FIRST}, {SECOND}"):
        explain(journal, "a-")


def test_attempt_3_is_not_attempt_31():
    kept = MemoryJournal("m")
    for number, name in enumerate(("a-31-cc", "a-3-dd")):
        step = change(LoopState(model="m", decisions=number), "fit", "x", at=0.0, attempt=name)
        kept.commit(number, step.state, step.events)
    assert ids(explain(kept, "a-3")) == ["d-2"]


@pytest.mark.parametrize("name", ["v1", "1"])
def test_a_version_gives_also_what_made_it(journal, name):
    assert ids(explain(journal, name)) == ["d-1", "d-2", "d-3", "d-4"]


def test_without_a_name_the_last_decision_that_is_no_fit(journal):
    state, revision = journal.load()
    fit = change(state, "fit", "fitted", at=9.0)
    journal.commit(revision, fit.state, fit.events)
    assert ids(explain(journal)) == ["d-6"]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("d-99", "d-6"), ("d-0", "d-1"), ("v7", "v1"), ("7", "v1"), ("a-2-bbxb", SECOND)],
)
def test_an_unknown_name_names_the_nearest(journal, name, nearest):
    with pytest.raises(UsageError, match=f"{name}.*nearest is {nearest}"):
        explain(journal, name)


def test_an_event_that_is_no_decision_is_passed_over(journal):
    state, revision = journal.load()
    journal.commit(revision, state, [Event(kind="started", at=1.0, body={"host": "x"})])
    assert len(status(journal).last) == 6


def test_status_tells_release_and_share(journal):
    release = Release(
        id="r",
        version=2,
        champion=1,
        strategy="canary",
        steps=(0.05, 0.5, 1.0),
        step=1,
        step_at=4.0,
    )
    put(journal, release=release)
    found = status(journal).release
    assert (found.version, found.share, found.step, found.steps) == (2, 0.5, 2, 3)


def test_status_tells_whether_the_contract_was_changed_since(journal, contract):
    assert status(journal).contract_changed is None
    assert status(journal, contract).contract_changed is False
    other = parse(TEXT.replace("500 rows", "600 rows"), file="c.yaml")
    assert status(journal, other).contract_changed is True


@pytest.mark.parametrize(
    ("ways", "hint"),
    [
        (["range", "nulls"], "--accept nulls --accept range"),
        (["range"], "nulls cannot be accepted"),
    ],
)
def test_rows_kept_out_come_with_the_way_on(journal, ways, hint):
    state, revision = journal.load()
    blocked = Blocked(start=3, end=9, checks=("nulls", "range"), reason="bad", at=6.0)
    numbers = {"start": 3, "end": 9, "accept": ways}
    state = msgspec.structs.replace(state, blocked=(blocked,))
    step = change(state, "block", "bad", at=6.0, numbers=numbers)
    journal.commit(revision, step.state, step.events)
    (found,) = status(journal).blocked
    assert hint in found.hint


def test_a_pending_trigger_says_what_holds_it_back_and_until_when(journal):
    waits = {"rows.new >= 100": TriggerState(windows=1, firing=True, evidence="e")}
    put(journal, triggers=waits, retrains=(400.0,), now=600.0)
    first, second = status(journal).triggers
    assert (first.pending, first.until) == (True, 900.0)
    assert "cool-down" in first.held
    assert not second.pending
    put(journal, now=900.0)
    assert status(journal).triggers[0].held == ""
    put(journal, hold=Hold(about="rows", reason="the champion again"))
    assert status(journal).triggers[0].held == "the champion again"


def test_a_trigger_that_has_fired_is_not_pending(journal):
    fired = {"rows.new >= 100": TriggerState(windows=1, firing=True, fired_at=400.0)}
    put(journal, triggers=fired, retrains=(400.0,), now=600.0)
    first = status(journal).triggers[0]
    assert (first.pending, first.held, first.fired_at) == (False, "", 400.0)


def test_the_axis_is_the_contracts(journal):
    assert axis_of(require_state(journal)) == "rows"
    timed = parse(
        "model: {name: m, task: binary}\ndata: {source: t, target: y, time: t}\n", file="c"
    )
    assert axis_of(LoopState(model="m", contract_text=timed.text)) == "time"


def test_status_is_json(journal):
    assert b'"champion":1' in msgspec.json.encode(status(journal))


def test_when_the_champion_was_promoted_is_told_by_the_wall_clock(journal):
    assert status(journal).promoted is None  # an old ledger, or a replay's
    state, revision = journal.load()
    step = change(state, "promote", "better", at=7.0, version=2)
    step = msgspec.structs.replace(
        step, decision=msgspec.structs.replace(step.decision, recorded=1.6e9)
    )
    after = msgspec.structs.replace(step.state, champion=2, promoted_at=7.0)
    journal.commit(revision, after, step.events)
    assert status(journal).promoted == 1.6e9
    (found,) = explain(journal, step.decision.id)
    assert found.recorded == 1.6e9
