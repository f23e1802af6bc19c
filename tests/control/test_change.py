"""A change and what the ledger is told of it."""

from typing import get_args

from setpoint.control.change import EVENTS, change
from setpoint.facts.decision import Action
from setpoint.facts.state import LoopState


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
