import pyarrow as pa
from small_contracts import contract

from setpoint.data.conform import conform
from setpoint.data.snapshot import take_snapshot
from setpoint.facts.snapshot import Origin, name_snapshot


def test_a_snapshot_knows_its_rows_and_their_span():
    declared = contract({"x": {"type": "int"}}, time="t")
    rows = conform(
        pa.table(
            {"t": ["1970-01-01", "1970-01-02", "1970-01-03"], "x": [1, 2, 3], "y": ["a", "b", "a"]}
        ),
        declared,
    ).table
    snapshot = take_snapshot(
        rows, declared, digest="d", origin=Origin(source="x"), ranges=[(0, 1), (1, 1), (2, 3)]
    )
    assert snapshot.rows == 2
    assert snapshot.ranges == ((0, 1), (2, 3))
    assert snapshot.time_range == (0.0, 172_800.0)
    assert snapshot.digest == name_snapshot("d", ((0, 1), (2, 3)))


def test_without_a_time_axis_there_is_no_span():
    rows = pa.table({"x": [1], "y": ["a"]})
    assert take_snapshot(rows, contract(), digest="d", origin=Origin(source="x")).time_range is None
