"""A change and what the ledger is told of it."""

from types import SimpleNamespace
from typing import get_args

import msgspec

from setpoint.adapters.memory_journal import MemoryJournal
from setpoint.clock import ManualClock
from setpoint.control.change import EVENTS, change, commit
from setpoint.facts.decision import Action
from setpoint.facts.state import LoopState
from setpoint.ledger.verify import verify


def test_each_change_has_the_next_number_and_notes_the_time():
    first = change(LoopState(model="m"), "retrain", "due", at=5.0, attempt="a-1")
    second = change(first.state, "fit", "fitted", at=6.0)
    assert (first.decision.id, second.decision.id) == ("d-1", "d-2")
    assert second.state.decisions == 2
    assert second.state.now == 6.0


def test_ledger_is_told_the_whole_decision():
    (event,) = change(LoopState(model="m"), "promote", "better", at=5.0, version=3).events
    assert event.kind == "promoted"
    assert event.at == 5.0
    assert event.body["version"] == 3
    assert event.body["reason"] == "better"


def test_everything_but_waiting_and_checking_is_an_event():
    assert set(get_args(Action)) - set(EVENTS) == {"wait", "check"}
    assert len(set(EVENTS.values())) == len(EVENTS)


def test_waiting_is_no_event():
    assert change(LoopState(model="m"), "wait", "nothing is due", at=5.0).events == ()


def world(*, wall_clock):
    clock = ManualClock(1000.0)
    return SimpleNamespace(journal=MemoryJournal("m"), clock=clock, wall_clock=wall_clock)


def test_when_it_was_written_down_is_in_the_ledger_and_under_its_hash():
    live = world(wall_clock=True)
    decision = commit(live, 0, change(LoopState(model="m"), "promote", "better", at=0.0))
    (entry,) = live.journal.entries()
    assert entry.event.at == 0.0
    assert entry.event.body["recorded"] == decision.recorded == 1000.0
    assert verify([entry], live.journal.head()).ruling == "pass"
    body = {**entry.event.body, "recorded": 999.0}
    forged = msgspec.structs.replace(entry, event=msgspec.structs.replace(entry.event, body=body))
    assert verify([forged], live.journal.head()).ruling == "fail"


def test_a_replay_writes_down_no_wall_time():
    replayed = world(wall_clock=False)
    decision = commit(replayed, 0, change(LoopState(model="m"), "promote", "better", at=0.0))
    (entry,) = replayed.journal.entries()
    assert decision.recorded is None
    assert "recorded" not in entry.event.body
