"""Tests of encoders as tables, asked of the encoders themselves."""

import numpy as np
import pandas as pd
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from setpoint.training.conversion import encoders
from setpoint.training.conversion.columns import Block, Lookup, Number, Text
from setpoint.training.conversion.encoders import encoded
from setpoint.training.conversion.graph import Graph


def texts(*columns):
    return pd.DataFrame(
        {f"c{at}": pd.Series(list(one), dtype=object) for at, one in enumerate(columns)}
    )


def test_each_category_gets_its_own_column():
    encoder = OneHotEncoder(handle_unknown="ignore").fit(texts(["a", "b", np.nan], ["x", "x", "x"]))
    found = encoded(encoder, Block((Text(4), Text(2))), Graph(0, 5)).columns
    assert found == (
        Lookup("texts", 4, {"a": 1.0}, 0.0),
        Lookup("texts", 4, {"b": 1.0}, 0.0),
        Lookup("texts", 4, {"": 1.0}, 0.0),
        Lookup("texts", 2, {"x": 1.0}, 0.0),
    )


def test_refusing_the_unknown_does_not_mix_the_columns_up():
    encoder = OneHotEncoder().fit(texts(["a", "b"], ["x", "y"]))
    found = encoded(encoder, Block((Text(0), Text(1))), Graph(0, 2)).columns
    assert [one.position for one in found] == [0, 0, 1, 1]
    assert [dict(one.table) for one in found] == [{"a": 1.0}, {"b": 1.0}, {"x": 1.0}, {"y": 1.0}]


def test_a_column_with_one_category_that_refuses_others_is_constant():
    encoder = OneHotEncoder().fit(texts(["a"], ["x"]))
    found = encoded(encoder, Block((Text(0), Text(1))), Graph(0, 2)).columns
    assert [(dict(one.table), one.other) for one in found] == [({}, 1.0), ({}, 1.0)]


def test_what_stands_for_a_missing_text_is_encoded_for_it():
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    encoder.fit(texts(["a", "b"]))
    (known,) = encoded(encoder, Block((Text(0, "b"),)), Graph(0, 1)).columns
    assert known == Lookup("texts", 0, {"a": 0.0, "b": 1.0, "": 1.0}, -1.0)
    (unknown,) = encoded(encoder, Block((Text(0, "gone"),)), Graph(0, 1)).columns
    assert unknown == Lookup("texts", 0, {"a": 0.0, "b": 1.0}, -1.0)


def test_many_categories_are_asked_in_turn(monkeypatch):
    monkeypatch.setattr(encoders, "_CELLS_AT_ONCE", 64)
    words = [f"w{at:04}" for at in range(700)]
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(texts(words))
    (found,) = encoded(encoder, Block((Text(0),)), Graph(0, 1)).columns
    assert found.table == {word: float(at) for at, word in enumerate(words)}


def test_numbers_are_encoded_by_their_value():
    frame = pd.DataFrame({"n": [1.0, 2.5, np.nan]})
    encoder = OneHotEncoder(handle_unknown="ignore").fit(frame)
    found = encoded(encoder, Block((Number("numbers", 3),)), Graph(4, 0)).columns
    assert [dict(one.table) for one in found] == [{1.0: 1.0}, {2.5: 1.0}, {np.nan: 1.0}]


def test_a_code_is_encoded_once_more():
    frame = pd.DataFrame({"n": [0.0, 1.0, 2.0, np.nan]})
    encoder = OneHotEncoder(handle_unknown="ignore").fit(frame)
    before = Lookup("texts", 3, {"a": 0.0, "b": 1.0, "c": 7.0}, float("nan"))
    found = encoded(encoder, Block((before,)), Graph(0, 4)).columns
    assert [dict(one.table) for one in found] == [
        {"a": 1.0, "b": 0.0, "c": 0.0},
        {"a": 0.0, "b": 1.0, "c": 0.0},
        {"a": 0.0, "b": 0.0, "c": 0.0},
        {"a": 0.0, "b": 0.0, "c": 0.0},
    ]
    assert [one.other for one in found] == [0.0, 0.0, 0.0, 1.0]
