"""Training jobs: equal work has one name, and a champion is never judged by rows that it learnt from."""

import msgspec
import numpy as np
import pytest

from setpoint.control.job import Ask, draft_job, unseen_by
from setpoint.control.rows import admitted
from setpoint.data.snapshot import take_snapshot
from setpoint.facts.version import Lineage, ModelVersion, Seen


def snapshot_of(rows, contract, until=None, blocked=()):
    until = len(rows.at) if until is None else until
    return take_snapshot(
        rows.rows,
        contract,
        digest=rows.table,
        origin=rows.origin,
        ranges=admitted(until, blocked),
    )


def version(seen):
    return ModelVersion(
        version=1,
        attempt="a-1",
        artifact="f" * 64,
        behaviour="",
        runtime="native",
        lineage=Lineage(snapshot="", contract=""),
        seen=seen,
    )


@pytest.fixture
def draft(tmp_path, make_play, small_contract, small_table):
    """Draft a job over 400 rows; sections are the contract's."""

    def make(*, store="store", table=None, until=None, task="binary", time=False, **sections):
        asked = {
            name: sections.pop(name)
            for name in ("seed", "champion", "whole", "shuffle_labels")
            if name in sections
        }
        contract = small_contract(task, time=time, delay=sections.pop("delay", 0), **sections)
        given = small_table(400, task=task, time=time) if table is None else table
        play = make_play(tmp_path / store, contract, given)
        ask = Ask(
            snapshot=snapshot_of(play.rows, contract, until),
            seed=asked.pop("seed", 0),
            wall_clock=False,
            **asked,
        )
        return draft_job(play.rows, contract, ask, play.world.tables)

    return make


def test_equal_work_has_one_name_wherever_it_lies(draft):
    assert draft().job.key == draft(store="elsewhere").job.key


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"until": 399},
        {"whole": True},
        {"shuffle_labels": True},
        {"train": {"params": {"max_depth": 2}}},
        {"train": {"split": {"test": "40%"}}},
        {"champion": version(Seen(by="time", table="", until=0.0))},
        {"gates": [{"metric": "accuracy", "beats": "majority"}, {"invariant_to": "b"}]},
        {"gates": [{"metric": "accuracy", "beats": "no_change"}]},
        {"gates": [{"slices": ["b"], "metric": "accuracy", "min": 0.5}]},
    ],
)
def test_whatever_changes_the_work_changes_its_name(draft, change):
    assert draft(**change).job.key != draft().job.key


def test_gate_that_needs_nothing_new_measured_keeps_the_name(draft):
    gates = [{"metric": "accuracy", "min": 0.5}, {"metric": "accuracy", "beats": "majority"}]
    lower = [{"metric": "accuracy", "min": 0.4}, {"metric": "accuracy", "beats": "majority"}]
    assert draft(gates=gates).job.key == draft(gates=lower).job.key


def test_ordered_parts_leave_the_label_delay_between_them(draft):
    drafted = draft(delay=20)
    with np.load(drafted.job.rows) as rows:
        fit, test = rows["fit"], rows["test"]
    assert fit.max() + 20 <= test.min()
    assert test.max() == 399
    assert drafted.seen.until_row == fit.max() + 1


def test_whole_fit_has_seen_every_row(draft):
    drafted = draft(whole=True)
    assert drafted.fit.tolist() == list(range(400))
    assert drafted.seen.until_row == 400


def test_blocked_rows_are_in_no_part(tmp_path, make_play, small_contract, small_table):
    from setpoint.facts.state import Blocked

    contract = small_contract()
    play = make_play(tmp_path, contract, small_table(400))
    out = Blocked(start=100, end=150, checks=(), reason="", at=0.0)
    ask = Ask(snapshot_of(play.rows, contract, blocked=(out,)), seed=0, wall_clock=False)
    with np.load(draft_job(play.rows, contract, ask, play.world.tables).job.rows) as rows:
        used = np.concatenate([rows["fit"], rows["test"], rows["validation"]])
    assert not set(used.tolist()) & set(range(100, 150))
    assert used.size == 350


@pytest.fixture
def unseen(tmp_path, make_play, small_contract, small_table):
    """Ask which of the last 100 of 400 rows a champion did not see."""

    def make(seen, *, time=False, **sections):
        contract = small_contract(time=time, **sections)
        rows = make_play(tmp_path, contract, small_table(400, time=time)).rows
        test = np.arange(300, 400)
        champion = None if seen is None else version(seen(rows))
        return rows, test, unseen_by(champion, rows, contract, test)

    return make


def test_without_a_champion_every_row_is_unseen(unseen):
    assert unseen(None)[2].all()


def test_rows_up_to_the_last_that_a_champion_learnt_are_seen(unseen):
    _, test, found = unseen(lambda rows: Seen(by="time", table=rows.table, until_row=350))
    assert found.tolist() == (test >= 350).tolist()


def test_in_another_table_rows_are_told_by_their_time(unseen):
    rows, test, found = unseen(
        lambda rows: Seen(by="time", table="other", until_row=10, until=float(rows.at[350])),
        time=True,
    )
    assert found.tolist() == (rows.at[test] > rows.at[350]).tolist()
    assert 0 < found.sum() < 100


def test_in_another_table_without_time_nothing_is_known_to_be_unseen(unseen):
    found = unseen(lambda _: Seen(by="time", table="other", until_row=10, until=10.0))[2]
    assert not found.any()


def test_by_hash_a_champion_judged_by_a_row_did_not_learn_from_it(
    tmp_path, make_play, small_contract, small_table
):
    contract = small_contract(train={"split": {"by": "hash"}})
    play = make_play(tmp_path, contract, small_table(400), unfolding=False)
    ask = Ask(snapshot_of(play.rows, contract), seed=0, wall_clock=False)
    first = draft_job(play.rows, contract, ask, play.world.tables)
    assert first.seen.by == "hash"
    everything = np.arange(400)
    found = unseen_by(version(first.seen), play.rows, contract, everything)
    with np.load(first.job.rows) as rows:
        learnt = np.concatenate([rows["fit"], rows["validation"]])
    assert set(everything[~found]) == set(learnt.tolist())
    again = msgspec.structs.replace(first.seen, seed=99)
    assert unseen_by(version(again), play.rows, contract, everything).tolist() != found.tolist()


def test_tightened_gate_makes_no_other_fit_and_a_tightened_range_does_as_plan_says(draft):
    plain = draft()
    gates = [{"metric": "accuracy", "min": 0.9}, {"metric": "accuracy", "beats_champion": "0 abs"}]
    assert draft(gates=gates).job.key == plain.job.key
    columns = {"a": {"type": "float", "max": 50}, "b": {"type": "float"}}
    assert draft(data={"columns": columns}).job.key != plain.job.key
    nulls = {"a": {"type": "float", "nulls": "0%"}, "b": {"type": "float"}}
    assert draft(data={"columns": nulls}).job.key != plain.job.key
    unique = {"a": {"type": "float", "unique": True}, "b": {"type": "float"}}
    assert draft(data={"columns": unique}).job.key == plain.job.key
