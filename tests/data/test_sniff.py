import pytest

from setpoint.data.sniff import TextForm, is_binary, sniff, sniff_encoding


def test_semicolons_beside_decimal_points():
    form = sniff(b'"age";"job";"y"\n56;"housemaid, retired";"no"\n57.5;"services";"no"\n')
    assert form == TextForm(separator=";")


def test_decimal_commas():
    assert sniff(b"a;b\n1,5;x\n1.234,5;y\n").decimal == ","


def test_commas_in_quoted_cells_are_no_separators():
    assert sniff(b'a|b\n"1,2,3,4"|2\n"5,6"|3\n').separator == "|"


def test_a_header_without_the_row_names():
    form = sniff(b'"date","x"\n"1","2015-02-04",3\n"2","2015-02-05",4\n')
    assert form.row_names
    assert "row name" in form.notes[0]


def test_bytes_that_are_not_utf8_are_cp1252():
    assert sniff("Temperature(°C),y\n1,2\n".encode("cp1252")).encoding == "cp1252"


def test_a_sample_cut_inside_a_character_is_still_utf8():
    assert sniff_encoding("héé".encode()[:-1]) == "utf-8"


def test_a_byte_order_mark_is_told():
    assert sniff(b"\xef\xbb\xbfa,b\n1,2\n").encoding == "utf-8-sig"


def test_one_column_has_no_separator_to_find():
    assert sniff(b"a\n1\n2\n").separator == ","


def test_a_header_alone():
    assert sniff(b"a;b;c").separator == ";"


@pytest.mark.parametrize("data", [b"\x00\x01\x02", bytes(range(1, 9)) * 50])
def test_binary_is_refused(data):
    assert is_binary(data)
    with pytest.raises(ValueError, match="no text"):
        sniff(data)
