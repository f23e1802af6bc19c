"""Tables read in pieces: the same cells and the same refusals as read whole, in tables of as many rows as asked for."""

import gzip

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet
import pytest

from setpoint.adapters.file_source import FileSource
from setpoint.adapters.row_stream import RowStream
from setpoint.adapters.text_stream import TextStream
from setpoint.contract.data import Format
from setpoint.errors import EmptyTableError, SourceError

TABLE = pa.table({"a": list(range(100)), "b": [f"t{n}" if n % 7 else None for n in range(100)]})
CSV = "a,b\n" + "".join(f'{n},"x, ""{n}""\nnew line"\n' for n in range(200))


def stream(source, folder, form=None):
    return RowStream(source, folder=folder, form=form or Format())


def whole(found, rows, first=0):
    tables = [table for table, _ in found.tables(rows, first=first)]
    assert [table.num_rows for table in tables[:-1]] == [rows] * (len(tables) - 1)
    return pa.concat_tables(tables)


def test_a_text_file_reads_in_pieces_as_it_reads_whole(tmp_path):
    texts = {
        "plain.csv": CSV.encode(),
        "packed.csv.gz": gzip.compress(CSV.encode()) + gzip.compress(b'7,"second member"\n'),
        "bom.csv": b"\xef\xbb\xbfname;n\nb\xc3\xa4r;1\n",
        "windows.csv": b"a;b\n" + b"plain;1\n" * 2_000 + b"b\xe4r;2\n",
        "r.csv": b"a b\n1 2 3\n2 4 5\n".replace(b" ", b","),
        "crlf.tsv": b"a\tb\r\n1\t2\r\n\r\n3\t4",
    }
    for name, data in texts.items():
        path = tmp_path / name
        path.write_bytes(data)
        expected, _ = FileSource(name, folder=tmp_path).read()
        for block in (97, 1 << 20):
            tables = [table for table, _ in TextStream(path, Format(), block=block).tables()]
            assert pa.concat_tables(tables).equals(expected), (name, block)
        assert whole(stream(name, tmp_path), 3).equals(expected), name


def test_every_kind_of_file_is_read_from_any_row_on(tmp_path):
    pa.csv.write_csv(TABLE, tmp_path / "t.csv")
    pa.parquet.write_table(TABLE, tmp_path / "t.parquet", row_group_size=17)
    pa.feather.write_feather(TABLE, tmp_path / "t.arrow", chunksize=13)
    for name in ("t.csv", "t.parquet", "t.arrow"):
        found = stream(name, tmp_path)
        everything = whole(found, 9)
        assert everything.num_rows == 100
        for first in (1, 17, 34, 50, 99):
            assert whole(found, 9, first).equals(everything.slice(first)), (name, first)
        assert list(found.tables(9, first=100)) == []
        shares = [share for _, share in found.tables(9)]
        assert shares == sorted(shares)
        assert shares[-1] == 1.0


def test_files_of_a_folder_are_one_table_of_types_that_hold_all(tmp_path):
    pa.parquet.write_table(pa.table({"a": [1, 2], "b": ["x", "y"]}), tmp_path / "1.parquet")
    coded = pa.array(["z"]).dictionary_encode()
    pa.parquet.write_table(pa.table({"b": coded, "a": [2.5]}), tmp_path / "2.parquet")
    for source in (".", "*.parquet"):
        found = stream(source, tmp_path)
        assert found.schema.types == [pa.float64(), pa.string()]
        assert whole(found, 2).to_pydict() == {"a": [1.0, 2.0, 2.5], "b": ["x", "y", "z"]}
        assert whole(found, 2, first=2).to_pydict() == {"a": [2.5], "b": ["z"]}


def test_categories_of_pandas_are_written_out(tmp_path):
    frame = pd.DataFrame({"a": pd.Categorical(["x", "y", None])})
    frame.to_parquet(tmp_path / "t.parquet")
    assert whole(stream("t.parquet", tmp_path), 2)["a"].to_pylist() == ["x", "y", None]


def faults(tmp_path):
    pa.parquet.write_table(TABLE, tmp_path / "cut.parquet")
    cut = (tmp_path / "cut.parquet").read_bytes()[:-20]
    return {
        "cut.parquet": (cut, "damaged or cut off"),
        "cut.csv.gz": (gzip.compress(CSV.encode())[:-30], "cut off before its end"),
        "named.csv.gz": (b"a,b\n1,2\n", "named .gz and is not gzip"),
        "ragged.csv": (CSV.encode() + b"1,2,3\n", "row 202 has 3 cells, the header has 2"),
        "open.csv": (CSV.encode() + b'1,"never closed\n3,4\n', "opened and never closed"),
        "empty.csv": (b"", "is empty"),
        "blank.csv": (b" \n \n", "only blanks"),
        "twice.csv": (b"a,a\n1,2\n", "'a' come more than once"),
        "binary.csv": (bytes(range(256)) * 9, "neither text nor Parquet"),
        "typed.parquet": (b"a,b\n1,2\n", "named .parquet but is none"),
    }


def test_a_damaged_file_is_refused_in_the_words_of_the_whole_reader(tmp_path):
    for name, (data, hint) in faults(tmp_path).items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceError, match=hint):
            whole(stream(name, tmp_path), 50)
        with pytest.raises(SourceError, match=hint):
            FileSource(name, folder=tmp_path).read()


def test_a_quote_that_swallows_more_than_a_block_is_told(tmp_path):
    (tmp_path / "t.csv").write_text('a,b\n1,"' + "x,y\n" * 1_000)
    with pytest.raises(SourceError, match="opened and never closed"):
        list(TextStream(tmp_path / "t.csv", Format(), block=500).tables())


def test_a_byte_that_is_not_of_the_encoding_names_its_line(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"a,b\n" + b"1,2\n" * 400_000 + b"b\xe4r,2\n")
    with pytest.raises(SourceError, match="line 400002 is not utf-8"):
        whole(stream("t.csv", tmp_path, Format(encoding="utf-8")), 10_000)
    with pytest.raises(SourceError, match="'klingon' is unknown"):
        stream("t.csv", tmp_path, Format(encoding="klingon"))


def test_a_header_alone_is_no_table(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n")
    pa.parquet.write_table(TABLE.slice(0, 0), tmp_path / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        with pytest.raises(EmptyTableError, match="no rows"):
            whole(stream(name, tmp_path), 5)


def test_a_file_is_known_again_unless_it_was_touched(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(CSV)
    before = stream("t.csv", tmp_path).marks()
    assert stream("t.csv", tmp_path).marks() == before
    path.write_text(CSV.replace("7", "8", 1))
    assert stream("t.csv", tmp_path).marks() != before
