"""Rows that come in: kept out with a reason, let in when every failing check was accepted, not before."""

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from setpoint.control.admitting import accept, admit, check_arrived, check_rows
from setpoint.control.change import EVENTS
from setpoint.facts.state import Blocked, LoopState
from setpoint.facts.version import Lineage, ModelVersion, Seen


def state(**more):
    champion = ModelVersion(
        version=1,
        attempt="a-1",
        artifact="f" * 64,
        behaviour="",
        runtime="native",
        lineage=Lineage(snapshot="", contract=""),
        seen=Seen(by="time", table=""),
        label_shares={"0": 0.5, "1": 0.5},
        trained_rows=400,
    )
    begun = LoopState(model="small", champion=1, versions={"1": champion})
    return msgspec.structs.replace(begun, **more)


def blocked(start, end, *checks):
    return Blocked(start=start, end=end, checks=checks, reason="", at=0.0)


@pytest.fixture
def turned(tmp_path, make_play, small_contract, small_table):
    """A world whose rows from 200 on are all of class `1`, with one value out of range at row 250."""
    table = small_table(400)
    label, a = np.asarray(table["y"]).copy(), np.asarray(table["a"]).copy()
    label[200:] = "1"
    a[250] = 1e6
    table = pa.table({"a": a, "b": table["b"], "y": pa.array(label)})
    columns = {"a": {"type": "float", "min": -10, "max": 10}, "b": {"type": "float"}}
    data = {"columns": columns, "checks": {"label_share": {"shift": "25 points"}}}
    return make_play(tmp_path, small_contract(data=data), table)


def arrive(play, before, known):
    play.go_to(known)
    return check_arrived(play.world, play.contract, before, play.rows, known)


def test_good_rows_come_in_without_a_word(turned):
    found = arrive(turned, state(), 200)
    assert found.decision.action == "check"
    assert found.events == ()
    assert found.state == state(arrived=200)


def test_bad_rows_are_kept_out_and_the_reason_has_the_numbers(turned):
    found = arrive(turned, state(arrived=255), 400)
    assert found.decision.action == "block"
    assert "50.0% of the champion's" in found.decision.reason
    assert "label_share" in found.decision.reason
    assert found.decision.numbers["checks"] == ["label_share"]
    assert found.decision.numbers["accept"] == ["label_share"]
    (kept_out,) = found.state.blocked
    assert (kept_out.start, kept_out.end, kept_out.checks) == (255, 400, ("label_share",))
    assert found.state.arrived == 400
    assert [event.kind for event in found.events] == [EVENTS["block"]]


def test_accepted_check_blocks_no_more(turned):
    found = arrive(turned, state(arrived=255, accepted=("label_share",)), 400)
    assert found.decision.action == "check"
    assert found.state.blocked == ()


def test_few_rows_of_one_class_are_no_proof(turned):
    assert arrive(turned, state(arrived=255), 258).decision.action == "check"


def test_batch_is_not_asked_for_what_only_a_whole_table_has(turned):
    report = check_rows(turned.contract, state(), turned.rows, 0, 5)
    assert not {"min_rows", "columns"} & {check.name for check in report.checks}


def test_acceptance_is_recorded_once():
    found = accept(state(), ("label_share", "range"), now=5.0)
    assert found.state.accepted == ("label_share", "range")
    assert "label_share" in found.decision.reason
    assert accept(found.state, ("range",), now=6.0) is None
    assert accept(found.state, ("range", "nulls"), now=6.0).decision.numbers["checks"] == ["nulls"]


def test_rows_are_let_in_only_when_each_of_their_checks_was_accepted():
    both = (blocked(0, 10, "label_share"), blocked(10, 40, "label_share", "range"))
    found = admit(state(blocked=both, accepted=("label_share",)), now=5.0)
    assert found.state.blocked == both[1:]
    assert found.decision.reason.startswith("10 rows")
    after = msgspec.structs.replace(found.state, accepted=("label_share", "range"))
    assert admit(after, now=6.0).state.blocked == ()


def test_report_names_the_file_that_was_checked(turned):
    found = check_rows(turned.contract, state(), turned.rows, 0, 100)
    assert found.source == "rows.csv"
