import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from setpoint.adapters.file_source import FileSource
from setpoint.contract.data import Format
from setpoint.errors import EmptyTableError, SourceError

CSV = b"a,b\n1,x\n2,y\n"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def source(folder: Path, name: str = "t.csv", data: bytes = CSV, **form) -> FileSource:
    (folder / name).write_bytes(data)
    return FileSource(name, folder=folder, form=Format(**form))


def rows(found: FileSource) -> dict:
    return found.read()[0].to_pydict()


def test_text_is_read_as_text_and_nothing_is_guessed(tmp_path):
    found = source(tmp_path, data=b"id,x\n007,1.50\n008,NA\n")
    assert rows(found) == {"id": ["007", "008"], "x": ["1.50", "NA"]}


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv"])
def test_an_archive_is_known_by_its_bytes_not_by_its_name(tmp_path, name):
    assert rows(source(tmp_path, name, gzip.compress(CSV))) == {"a": ["1", "2"], "b": ["x", "y"]}


def test_parquet_and_arrow_keep_their_types(tmp_path):
    table = pa.table({"a": [1, 2], "b": pa.array(["x", "y"]).dictionary_encode()})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    pyarrow.feather.write_feather(table, str(tmp_path / "t.arrow"))
    for name in ("t.parquet", "t.arrow"):
        found = FileSource(name, folder=tmp_path)
        assert found.read()[0].schema.field("a").type == pa.int64()
        assert found.text_form() is None


def test_several_files_are_joined_in_order_of_their_names(tmp_path):
    (tmp_path / "b.csv").write_bytes(b"b,a\nz,3\n")
    (tmp_path / "a.csv").write_bytes(CSV)
    for name in ("*.csv", "."):
        table, origin = FileSource(name, folder=tmp_path).read()
        assert table.to_pydict() == {"a": ["1", "2", "3"], "b": ["x", "y", "z"]}
        assert list(origin.files) == ["a.csv", "b.csv"]


def test_files_of_other_columns_are_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(CSV)
    (tmp_path / "b.csv").write_bytes(b"a,c\n1,2\n")
    with pytest.raises(SourceError, match=r"missing \['b'\], more \['c'\]"):
        FileSource("*.csv", folder=tmp_path).read()


def test_row_names_without_a_header(tmp_path):
    found = source(tmp_path, data=b'"x","y"\n"1",5,6\n"2",7,8\n')
    assert rows(found) == {"row_name": ["1", "2"], "x": ["5", "7"], "y": ["6", "8"]}


def test_separator_encoding_and_quotes_are_found(tmp_path):
    found = source(tmp_path, data='"naïve";"b"\n"a;b\nc";2\n'.encode("cp1252"))
    assert rows(found) == {"naïve": ["a;b\nc"], "b": ["2"]}


def test_a_character_that_is_not_utf8_far_down_is_found_too(tmp_path):
    data = b"a,b\n" + b"1,x\n" * 400_000 + "2,é\n".encode("cp1252")
    found = source(tmp_path, data=data)
    assert found.text_form().encoding == "cp1252"
    assert found.read()[0]["b"][-1].as_py() == "é"


def test_what_the_contract_says_of_the_file_overrules(tmp_path):
    found = source(tmp_path, data=b"a;b,c\n1;2,3\n", separator=";")
    assert rows(found) == {"a": ["1"], "b,c": ["2,3"]}


def test_equal_bytes_have_an_equal_fingerprint_wherever_they_lie(tmp_path):
    prints = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        prints.append(source(tmp_path / name).fingerprint())
    assert prints[0] == prints[1]
    assert source(tmp_path, data=CSV + b"3,z\n").fingerprint() != prints[0]


def test_an_absolute_path_needs_no_folder(tmp_path):
    (tmp_path / "t.csv").write_bytes(CSV)
    assert FileSource(str(tmp_path / "t.csv"), folder=Path("/nowhere")).read()[0].num_rows == 2


BAD = {
    "empty file": ("t.csv", b"", "empty"),
    "blanks": ("t.csv", b"\n \n", "only blanks"),
    "truncated archive": ("t.csv.gz", gzip.compress(CSV * 1000)[:-20], "cut off before its end"),
    "text named as an archive": ("t.csv.gz", CSV, "is not gzip; fetch it again, or name it t.csv"),
    "damaged archive": ("t.csv.gz", b"\x1f\x8b" + b"junk" * 9, "damaged"),
    "long row": ("t.csv", b"a,b\n1,2\n1,2,3\n", "row 3 has 3 cells, the header has 2"),
    "short row": ("t.csv", b"a,b\n1,2\n1\n", "row 3 has 1 cells"),
    "open quote": ("t.csv", b'a,b\n1,"2\n3,4\n', "t.csv"),
    "binary": ("t.csv", bytes(range(256)) * 9, "neither text nor Parquet"),
    "truncated parquet": ("t.parquet", b"PAR1" + b"\x00" * 50, "damaged or cut off"),
    "text named parquet": ("t.parquet", CSV, "named .parquet but is none"),
    "name twice": ("t.csv", b"a,a\n1,2\n", "'a' come more than once"),
    "no name": ("t.csv", b"a,,c\n1,2,3\n", "column 2 has no name"),
}


@pytest.mark.parametrize(("name", "data", "reason"), BAD.values(), ids=BAD.keys())
def test_a_file_that_cannot_be_read_says_why(tmp_path, name, data, reason):
    with pytest.raises(SourceError, match=reason):
        source(tmp_path, name, data).read()


def test_a_header_without_rows_is_an_empty_table(tmp_path):
    with pytest.raises(EmptyTableError, match="no rows"):
        source(tmp_path, data=b"a,b\n").read()


def test_what_is_not_there_says_so(tmp_path):
    for name in ("nope.csv", "*.csv", "."):
        with pytest.raises(SourceError, match=r"no .*file"):
            FileSource(name, folder=tmp_path).read()


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"encoding": "ascii"}, "line 2 is not ascii"),
        ({"encoding": "klingon"}, "unknown"),
        ({"separator": "::"}, "one character"),
    ],
)
def test_a_wrong_format_in_the_contract_says_so(tmp_path, form, reason):
    with pytest.raises(SourceError, match=reason):
        source(tmp_path, data="a,b\né,1\n".encode(), **form).read()


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("occupancy/datatraining.txt", (8143, 8)),
        ("bank_marketing/bank-additional-full.csv.gz", (41188, 21)),
        ("adult/adult.parquet", (48842, 15)),
        ("occupancy/*.txt", (20560, 8)),
    ],
)
def test_real_files(name, shape):
    if not SHARED.is_dir():
        pytest.skip(f"the real tables are not here: {SHARED}")
    assert FileSource(name, folder=SHARED).read()[0].shape == shape
