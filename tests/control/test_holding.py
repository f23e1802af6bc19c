"""A retrain that is due and would be no use: held without a word each pass, and not forgotten."""

import numpy as np
import pyarrow as pa
import pytest

from setpoint.adapters.arrow_tables import ArrowTables
from setpoint.control import drafting
from setpoint.control.holding import held_back
from setpoint.control.reconcile import current, reconcile, settle
from setpoint.control.rows import LabelledRows
from setpoint.control.run import RunWish, run
from setpoint.data.conform import conform, ticks
from setpoint.facts.snapshot import Origin

TRIGGER = "rows.new >= 100"


def rows_of(store, contract, table):
    conformed = conform(table, contract)
    return LabelledRows(
        conformed=conformed,
        contract=contract,
        table=ArrowTables(store).put(conformed.table),
        origin=Origin(source="rows.csv", files={}, details={}),
        at=ticks(conformed.table, contract),
        ordered=True,
    )


class Source:
    """A table that is read as a whole, and that somebody replaces."""

    def __init__(self, store, contract, table):
        self._store, self._contract = store, contract
        self.put(table)

    def put(self, table):
        self._rows = rows_of(self._store, self._contract, table)

    def __call__(self):
        return self._rows


@pytest.fixture
def live(tmp_path, make_play, small_contract, small_table):
    """Make a world whose source was read as a whole, and a champion that was made from all of it by `run`."""

    def make(**sections):
        contract = small_contract(
            gates=[{"metric": "accuracy", "min": 0.5}],
            retrain={"when": [TRIGGER, "model.age >= 50 rows"], "cooldown": "0 rows"},
            **sections,
        )
        source = Source(tmp_path, contract, small_table(400))
        play = make_play(tmp_path, contract, small_table(400), unfolding=False, rows=source)
        run(play.world, contract, RunWish(source="s", lock="l"))
        assert play.state.champion == 1
        return play, source

    return make


def due_now(play, *, after=60.0):
    """Let the champion grow old, so that a retrain is due."""
    play.clock.put(play.clock.now() + after)


def test_retrain_that_would_give_the_champion_again_is_held_and_stays_due(live):
    play, _ = live()
    due_now(play)
    told = len(play.events)
    found = reconcile(play.world, play.contract)
    assert found.action == "wait"
    assert "champion again" in found.reason
    memory = play.state.triggers["model.age >= 50 rows"]
    assert (memory.firing, memory.fired_at) == (True, None)
    assert play.state.retrains == ()
    assert len(play.events) == told


def test_rows_that_arrive_after_the_hold_start_the_retrain_at_once(live, small_table):
    play, source = live()
    due_now(play)
    assert settle(play.world, play.contract) == []
    source.put(small_table(450))  # 50 rows: too few for the other trigger
    taken = settle(play.world, play.contract)
    assert taken[0].action == "retrain"
    assert "model.age" in taken[0].reason
    assert play.state.hold is None
    assert (play.state.retrains, play.state.champion) == ((play.clock.now(),), 2)


def test_nothing_is_written_and_no_job_is_drafted_while_a_retrain_is_held(live, monkeypatch):
    play, _ = live()
    due_now(play)
    reconcile(play.world, play.contract)
    revision, told = play.world.journal.load()[1], len(play.events)

    def never(*_, **__):
        raise AssertionError("the job was drafted again")

    monkeypatch.setattr(drafting, "draft_job", never)
    for _ in range(5):
        due_now(play, after=1.0)
        assert reconcile(play.world, play.contract).action == "wait"
    assert play.world.journal.load()[1] == revision
    assert len(play.events) == told


def test_nothing_is_looked_at_while_nothing_is_due(live, monkeypatch):
    play, _ = live()
    monkeypatch.setattr("setpoint.control.observe.held_back", None)
    assert reconcile(play.world, play.contract).reason == "nothing is due"


def test_changed_recipe_starts_the_retrain_on_the_same_rows(live, small_contract):
    play, _ = live()
    due_now(play)
    assert settle(play.world, play.contract) == []
    changed = small_contract(
        gates=[{"metric": "accuracy", "min": 0.5}],
        retrain={"when": [TRIGGER, "model.age >= 50 rows"], "cooldown": "0 rows"},
        train={"params": {"max_depth": 2}},
    )
    assert settle(play.world, changed)[0].action == "retrain"


def test_changed_contract_with_the_same_recipe_is_still_the_champion_again(live, small_contract):
    play, _ = live()
    due_now(play)
    changed = small_contract(
        gates=[{"metric": "accuracy", "min": 0.6}],
        retrain={"when": [TRIGGER, "model.age >= 50 rows"], "cooldown": "0 rows"},
    )
    assert "champion again" in reconcile(play.world, changed).reason


def test_person_who_asks_again_is_answered_without_a_second_fit(live):
    play, _ = live()
    result = run(play.world, play.contract, RunWish(source="s", lock="l"))
    assert "registered already" in result.reason
    assert len(play.world.jobs.fits) == 1


def bad_rows(small_table):
    table = small_table(600)
    label = np.asarray(table["y"]).copy()
    label[200:] = "1"
    return table.set_column(2, "y", pa.array(label))


def test_table_that_fails_its_checks_is_told_once_and_the_trigger_stays_due(live, small_table):
    play, source = live(data={"checks": {"label_share": {"shift": "5 points"}}})
    source.put(bad_rows(small_table))
    (told,) = settle(play.world, play.contract)
    assert (told.action, play.events[-1].kind) == ("block", "data_blocked")
    assert told.verdicts[0].verdict == "fail"
    assert TRIGGER in told.reason
    written = len(play.events)
    for _ in range(3):
        assert settle(play.world, play.contract) == []
    assert len(play.events) == written
    source.put(small_table(600))
    assert settle(play.world, play.contract)[0].action == "retrain"


def test_other_bad_rows_are_told_anew(live, small_table):
    play, source = live(data={"checks": {"label_share": {"shift": "5 points"}}})
    source.put(bad_rows(small_table))
    settle(play.world, play.contract)
    source.put(bad_rows(small_table).slice(0, 590))
    assert [one.action for one in settle(play.world, play.contract)] == ["block"]


def test_nothing_holds_a_first_model_back(live, small_table):
    play, source = live()
    state, _ = current(play.world, play.contract)
    assert held_back(play.world, play.contract, state, source()) is not None
    without = type(state)(model="small")
    assert held_back(play.world, play.contract, without, source()) is None
