import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from setpoint.adapters.table_chunks import read_chunks, written_table
from setpoint.contract.data import Format
from setpoint.errors import EmptyTableError, SourceError, UsageError

TABLE = pa.table({"a": list(range(10)), "b": [f"t{n}" for n in range(10)]})


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_chunks_are_the_rows_in_order(tmp_path, name):
    with written_table(tmp_path / name) as out:
        out.write(TABLE.slice(0, 4))
        out.write(TABLE.slice(4))
    total, chunks = read_chunks(tmp_path / name, form=Format(), rows=3)
    read = list(chunks)
    assert total == 10
    assert [chunk.num_rows for chunk in read] == [3, 3, 3, 1]
    assert [int(value) for chunk in read for value in chunk["a"].to_pylist()] == list(range(10))


def test_an_error_leaves_no_file_and_the_old_one_as_it_was(tmp_path):
    path = tmp_path / "out.parquet"
    pa.parquet.write_table(TABLE, path)

    def fail():
        with written_table(path) as out:
            out.write(TABLE.slice(0, 1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert pa.parquet.read_table(path).equals(TABLE)
    assert [one.name for one in tmp_path.iterdir()] == ["out.parquet"]


def test_a_file_that_is_cut_off_is_an_error_and_no_rows(tmp_path):
    path = tmp_path / "t.parquet"
    pa.parquet.write_table(TABLE, path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SourceError, match=r"t\.parquet"):
        read_chunks(path, form=Format(), rows=3)


def test_no_rows_are_an_error(tmp_path):
    pa.parquet.write_table(TABLE.slice(0, 0), tmp_path / "t.parquet")
    with pytest.raises(EmptyTableError):
        read_chunks(tmp_path / "t.parquet", form=Format(), rows=3)


@pytest.mark.parametrize("name", ["t.xlsx", "t"])
def test_a_form_that_is_not_written_is_said_before_anything_is_done(tmp_path, name):
    with pytest.raises(UsageError, match=r"parquet or \.csv"), written_table(tmp_path / name):
        pytest.fail("it was opened")
