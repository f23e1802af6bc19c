import gzip

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from setpoint.adapters.file_sample import copy_table
from setpoint.errors import SourceError

CSV = 'a;b\r\n1;"x\ny"\r\n2;é\r\n3;z\r\n'.encode("cp1252")


def test_the_whole_file_is_copied_byte_for_byte(tmp_path):
    (tmp_path / "s.csv").write_bytes(CSV)
    copy_table(tmp_path / "s.csv", tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == CSV


def test_the_first_rows_keep_separator_encoding_and_line_breaks_in_cells(tmp_path):
    (tmp_path / "s.csv").write_bytes(CSV)
    copy_table(tmp_path / "s.csv", tmp_path / "t.csv", rows=2)
    assert (tmp_path / "t.csv").read_bytes() == 'a;b\r\n1;"x\ny"\r\n2;é\r\n'.encode("cp1252")


def test_an_archive_stays_one_and_the_same_rows_give_the_same_bytes(tmp_path):
    (tmp_path / "s.csv.gz").write_bytes(gzip.compress(CSV))
    for name in ("one.csv.gz", "two.csv.gz"):
        copy_table(tmp_path / "s.csv.gz", tmp_path / name, rows=1)
    assert gzip.decompress((tmp_path / "one.csv.gz").read_bytes()) == b'a;b\r\n1;"x\ny"\r\n'
    assert (tmp_path / "one.csv.gz").read_bytes() == (tmp_path / "two.csv.gz").read_bytes()


def test_parquet_and_arrow_keep_their_types(tmp_path):
    table = pa.table({"a": pa.array([1, 2, 3], pa.int8())})
    pyarrow.parquet.write_table(table, tmp_path / "s.parquet")
    pyarrow.feather.write_feather(table, str(tmp_path / "s.arrow"))
    copy_table(tmp_path / "s.parquet", tmp_path / "t.parquet", rows=2)
    copy_table(tmp_path / "s.arrow", tmp_path / "t.arrow", rows=2)
    assert pyarrow.parquet.read_table(tmp_path / "t.parquet").equals(table.slice(0, 2))
    assert pyarrow.feather.read_table(tmp_path / "t.arrow").equals(table.slice(0, 2))


def test_a_copy_onto_itself_is_harmless(tmp_path):
    (tmp_path / "s.csv").write_bytes(CSV)
    copy_table(tmp_path / "s.csv", tmp_path / "s.csv")
    assert (tmp_path / "s.csv").read_bytes() == CSV


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(SourceError, match="No such file"):
        copy_table(tmp_path / "nope.csv", tmp_path / "t.csv")
