"""Tables written in parts: whole or not there, and gone on with only where nothing changed."""

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from setpoint.adapters.part_folder import Job, PartFolder
from setpoint.errors import UsageError

TABLE = pa.table({"a": list(range(10)), "b": [f'"t{n}"' if n % 3 else None for n in range(10)]})
MADE_OF = {"the input t.csv": "5 bytes", "the version": "1"}
JOB = Job(made_of=MADE_OF, at=1.0, seed="00")


def written(path, *, stop=None):
    """Write a table in three parts; leave before the part `stop`. Return whether it is whole."""
    parts = PartFolder(path)
    with parts.held():
        if parts.begun(MADE_OF) is None:
            parts.begin(JOB)
        for number in range(len(parts.notes()), 3):
            if number == stop:
                return False
            parts.add(number, TABLE.slice(4 * number, 4), {"rows": number})
        assert [note["rows"] for note in parts.notes()] == [0, 1, 2]
        parts.finish(TABLE.schema)
    return True


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_table_is_the_same_to_the_byte_however_often_it_was_stopped(tmp_path, name):
    assert written(tmp_path / f"whole-{name}")
    for stop in (0, 1, 1, 2):
        assert not written(tmp_path / name, stop=stop)
        assert not (tmp_path / name).exists()
    assert written(tmp_path / name)
    assert (tmp_path / name).read_bytes() == (tmp_path / f"whole-{name}").read_bytes()
    read = pa.csv.read_csv if name == "t.csv" else pa.parquet.read_table
    assert read(tmp_path / name)["a"].to_pylist() == list(range(10))
    assert sorted(one.name for one in tmp_path.iterdir()) == [name, f"whole-{name}"]


@pytest.mark.parametrize(
    ("now", "hint"),
    [
        ({**MADE_OF, "the version": "2"}, "the version was 1, is 2"),
        ({"the version": "1"}, "the input t.csv was 5 bytes, is nothing"),
        ({**MADE_OF, "the draw": "x"}, "the draw was nothing, is x"),
    ],
)
def test_what_changed_is_told_and_nothing_is_gone_on_with(tmp_path, now, hint):
    written(tmp_path / "t.csv", stop=1)
    with pytest.raises(UsageError, match=f"{hint}.*--restart"):
        PartFolder(tmp_path / "t.csv").begun(now)


def test_beginning_anew_forgets_the_parts(tmp_path):
    written(tmp_path / "t.csv", stop=2)
    parts = PartFolder(tmp_path / "t.csv")
    with parts.held():
        parts.begin(JOB)
        assert parts.notes() == []


def test_a_part_that_was_not_whole_is_no_part(tmp_path):
    written(tmp_path / "t.csv", stop=1)
    parts = PartFolder(tmp_path / "t.csv")
    (parts.folder / "000001.part.new").write_text("4,")
    (parts.folder / "000001.json").write_text('{"rows": 1}')
    assert len(parts.notes()) == 1
    assert written(tmp_path / "t.csv")
    assert pa.csv.read_csv(tmp_path / "t.csv").num_rows == 10


def test_two_processes_do_not_write_one_table(tmp_path):
    with (
        PartFolder(tmp_path / "t.csv").held(),
        pytest.raises(UsageError, match="another process"),
        PartFolder(tmp_path / "t.csv").held(),
    ):
        pytest.fail("both hold it")


def test_what_cannot_be_written_is_told(tmp_path):
    with pytest.raises(UsageError, match=r"name it \.parquet or \.csv"):
        PartFolder(tmp_path / "t.xlsx")
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UsageError, match="cannot be written"),
        PartFolder(tmp_path / "file" / "t.csv").held(),
    ):
        pytest.fail("a file is no folder")
    parts = PartFolder(tmp_path / "t.csv")
    with parts.held():
        parts.begin(JOB)
        with pytest.raises(UsageError, match="cannot be written"):
            parts.add(0, pa.table({"a": [[1]]}), {})
