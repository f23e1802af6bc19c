import numpy as np
import pyarrow as pa
import pytest
from small_contracts import contract

from setpoint.data.conform import conform
from setpoint.data.snapshot import rows_of, table_digest, take_snapshot
from setpoint.facts.snapshot import Origin, name_snapshot

TABLE = pa.table({"x": [1.5, None, -0.25], "c": ["a", None, "bb"], "b": [True, None, False]})


def test_chunks_slices_and_metadata_do_not_matter():
    chunked = pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)]).replace_schema_metadata(
        {"made": "by"}
    )
    sliced = pa.concat_tables([TABLE, TABLE]).slice(3, 3)
    assert table_digest(chunked) == table_digest(TABLE) == table_digest(sliced)


def test_known_digest_holds_for_every_version_to_come():
    assert table_digest(TABLE) == KNOWN


KNOWN = "c8735b4f66a1b9dde61cad5b17a183fd4c2a89e1af810fc7623e1d5e32f2d5c9"


def test_what_lies_under_a_null_does_not_matter():
    other = TABLE.set_column(
        0, "x", pa.array([1.5, 99.0, -0.25], mask=np.array([False, True, False]))
    )
    assert table_digest(other) == table_digest(TABLE)


@pytest.mark.parametrize(
    "other",
    [
        TABLE.take(pa.array([1, 0, 2])),
        TABLE.slice(0, 2),
        TABLE.rename_columns(["x", "d", "b"]),
        TABLE.select(["c", "x", "b"]),
        TABLE.set_column(1, "c", pa.array(["ab", None, "b"])),
        TABLE.set_column(1, "c", pa.array(["a", "", "bb"])),
        TABLE.set_column(0, "x", pa.array([1.5, 0.0, -0.25])),
        TABLE.set_column(0, "x", pa.array([1, None, 0])),
    ],
    ids=[
        "order",
        "rows",
        "name",
        "columns",
        "text boundary",
        "empty is not null",
        "zero is not null",
        "type",
    ],
)
def test_anything_else_does(other):
    assert table_digest(other) != table_digest(TABLE)


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
    assert rows_of(snapshot, rows)["x"].to_pylist() == [1, 3]


def test_without_a_time_axis_there_is_no_span():
    rows = pa.table({"x": [1], "y": ["a"]})
    assert take_snapshot(rows, contract(), digest="d", origin=Origin(source="x")).time_range is None
