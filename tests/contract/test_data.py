import pytest
from pydantic import ValidationError

from setpoint.contract.data import Column, Data


@pytest.mark.parametrize(
    "raw",
    [
        {"type": "int", "min": 5, "max": 3}, {"type": "category", "min": 1}, {"type": "int", "min": "2024-01-01"},
        {"type": "datetime", "min": 5}, {"min": 1, "max": "2024-01-01"}, {"type": "float", "min": float("nan")},
        {"type": "float", "max": True}, {"type": "int", "min": "many"}, {"type": "category", "values": [1.1, "a"]},
        {"type": "string"}, {"values": []}, {"values": [None]}, {"values": "a"}, {"nulls": 5}, {"unique": "true"},
        {"reason": "leaks"}, {"use": True, "reason": "leaks"}, {"min": "2024-02-01", "max": "2024-01-01"},
        {"use": False, "log": "hash"}, {"type": "category", "log": "round 10"}, {"type": "float", "log": "first 3"},
        {"log": "hide"}, {"log": True},
    ],
)  # fmt: skip
def test_a_column_that_contradicts_itself_is_refused(raw):
    with pytest.raises(ValidationError):
        Column.model_validate(raw)


@pytest.mark.parametrize(
    "raw",
    [
        {"type": "int", "min": 0, "max": 120}, {"type": "datetime", "min": "2024-01-31", "max": "2024-02-01T10:00:00"},
        {"type": "category", "values": [1, 2, True, "a"]}, {"type": "float", "nulls": "1%"}, {"min": -1.5}, {}, None,
        {"log": "keep"}, {"type": "int", "log": "round 10"}, {"type": "text", "log": "first 3"}, {"log": "drop"},
        {"use": False}, {"use": False, "reason": "known only after the event"}, {"unit": "EUR"},
        {"use": False, "log": "keep"},
    ],
)  # fmt: skip
def test_a_sound_column_is_read(raw):
    Column.model_validate(raw)


def test_one_and_one_point_zero_are_one_bound():
    assert Column.model_validate({"min": 1.0, "values": [2.0]}) == Column.model_validate(
        {"min": 1, "values": [2]}
    )


def test_text_and_number_stay_apart():
    assert Column.model_validate({"values": ["1"]}) != Column.model_validate({"values": [1]})


def test_what_is_left_out_keeps_its_reason():
    data = Data.model_validate(
        {
            "source": "a",
            "target": "y",
            "columns": {"a": {"use": False, "reason": "leaks"}, "b": {"use": False}, "c": {}},
        }
    )
    assert data.left_out == {"a": "leaks", "b": ""}


def test_how_a_text_file_is_written():
    raw = {
        "separator": ";",
        "encoding": "latin-1",
        "dayfirst": True,
        "nulls": ["", "NA"],
        "decimal": ",",
    }
    data = Data.model_validate({"source": "a", "target": "y", "format": raw})
    assert data.format.model_dump() == {**raw, "nulls": ("", "NA")}
