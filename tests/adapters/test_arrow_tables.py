import datetime as dt
import os

import numpy as np
import pyarrow as pa
import pytest

from setpoint.adapters.arrow_tables import ArrowTables, table_digest


@pytest.fixture
def table():
    return pa.table(
        {
            "n": pa.array([1.5, None, 3.0, float("nan")]),
            "t": pa.array(["ä", None, "", "b"]),
            "b": pa.array([True, None, False, True]),
            "when": pa.array([dt.datetime(2024, 1, 1, tzinfo=dt.UTC)] * 4),
            "day": pa.array([dt.date(2024, 1, 1)] * 3 + [None]),
            "c": pa.array(["x", "y", None, "x"]).dictionary_encode(),
            "l": pa.array([[1], [2, 3], None, []]),
        }
    )


def test_what_was_put_is_got_from_any_process(table, tmp_path):
    digest = ArrowTables(tmp_path).put(table)
    back = ArrowTables(tmp_path).get(digest)
    assert repr(back.to_pylist()) == repr(table.to_pylist())
    assert back.schema.equals(table.schema)
    assert ArrowTables(tmp_path).path(digest).is_file()


def test_the_digest_is_of_the_content_not_of_its_layout(table):
    chunked = pa.concat_tables([table.slice(0, 1), table.slice(1, 3)])
    longer = pa.concat_tables([table.slice(2), table, table])
    with_notes = table.replace_schema_metadata({"pandas": "notes"})
    for same in (chunked, longer.slice(2, 4), with_notes, table.take([0, 1, 2, 3])):
        assert table_digest(same) == table_digest(table)


def test_bytes_under_missing_values_do_not_count():
    gone = np.array([False, True])
    first = pa.table({"n": pa.array([1.0, 2.0], mask=gone)})
    second = pa.table({"n": pa.array([1.0, 9.0], mask=gone)})
    assert table_digest(first) == table_digest(second)


@pytest.mark.parametrize(
    "other",
    [
        {"n": pa.array([1.0, 2.0])},
        {"m": pa.array([1, 2])},
        {"n": pa.array([2, 1])},
        {"n": pa.array([1, 2, None])},
        {"n": pa.array([1, None])},
        {"n": pa.array([1, 2], pa.int32())},
    ],
)
def test_other_content_has_another_digest(other):
    assert table_digest(pa.table(other)) != table_digest(pa.table({"n": pa.array([1, 2])}))


def test_texts_cannot_run_into_each_other():
    first = pa.table({"t": ["ab", "c"]})
    assert table_digest(first) != table_digest(pa.table({"t": ["a", "bc"]}))
    assert table_digest(pa.table({"t": ["", None]})) != table_digest(pa.table({"t": [None, ""]}))


def test_putting_again_changes_nothing(table, tmp_path):
    tables = ArrowTables(tmp_path)
    path = tables.path(tables.put(table))
    before = path.stat().st_mtime_ns
    tables.put(table)
    assert path.stat().st_mtime_ns == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("seen_before", [True, False])
def test_an_altered_file_is_found(seen_before, tmp_path):
    from setpoint.errors import DataError

    tables = ArrowTables(tmp_path)
    digest = tables.put(pa.table({"n": np.arange(1000.0)}))
    if seen_before:
        tables.get(digest)
    else:
        tables = ArrowTables(tmp_path)
    path = tables.path(digest)
    data = bytearray(path.read_bytes())
    at = data.find(np.float64(500.0).tobytes())
    data[at : at + 8] = np.float64(501.0).tobytes()
    path.write_bytes(bytes(data))
    os.utime(path, ns=(1, 1))
    with pytest.raises(DataError, match="was altered"):
        tables.get(digest)
    path.write_bytes(bytes(data[:100]))
    with pytest.raises(DataError, match="was altered"):
        tables.get(digest)
    path.unlink()
    with pytest.raises(DataError, match="no stored table"):
        tables.get(digest)


def test_no_rows_and_no_columns_are_tables_too(tmp_path):
    tables = ArrowTables(tmp_path)
    empty = pa.table({"n": pa.array([], pa.float64()), "t": pa.array([], pa.string())})
    assert tables.get(tables.put(empty)).num_rows == 0


def test_rows_are_named_by_content(tmp_path):
    tables = ArrowTables(tmp_path)
    path = tables.put_rows({"fit": np.arange(3), "test": np.arange(2)})
    assert path == tables.put_rows({"test": np.arange(2), "fit": np.arange(3)})
    assert path != tables.put_rows({"fit": np.arange(2), "test": np.arange(3)})
    with np.load(path) as file:
        np.testing.assert_array_equal(file["fit"], [0, 1, 2])
