"""Rows answered in batch, with a scorer that answers by rule."""

import itertools

import numpy as np
import pyarrow as pa
import pytest

from setpoint.contract.data import Format
from setpoint.control.scoring import Arm, RowAnswering, Stamp, typed_features
from setpoint.errors import DataError
from setpoint.facts.evidence import Scores
from setpoint.facts.training import Feature

X = Feature(name="x", kind="float")


class Doubling:
    """Answers twice the input; fails where told to."""

    def __init__(self, *, fails=()):
        self.fails = fails

    def score(self, artifact, table):
        if artifact in self.fails:
            raise ZeroDivisionError("no")
        value = 2 * table["x"].to_numpy()
        return Scores(label=np.empty(0, dtype=np.int64), probability=np.empty((0, 0)), value=value)


class Multiclass:
    def score(self, _artifact, table):
        label = np.arange(table.num_rows) % 3
        probability = np.full((table.num_rows, 3), 0.2)
        probability[np.arange(table.num_rows), label] = 0.6
        return Scores(label=label, probability=probability, value=np.empty(0))


def arm(version, classes=(), features=(X,)):
    return Arm(version, f"artifact {version}", f"c{version}", features, classes, "champion", 0.5)


def answer(table, arms, assigned, scorer):
    ticks = itertools.count()
    stamp = Stamp("m", 3, 99.0, [f"p{n}" for n in range(table.num_rows)], [""] * table.num_rows)
    asked = RowAnswering({one.version: one for one in arms}, scorer, Format(), lambda: next(ticks))
    return asked.answer(table, np.array(assigned), stamp)


def test_each_row_is_answered_by_its_version_and_stays_in_its_place():
    found = answer(pa.table({"x": [1.0, 2.0, 3.0]}), [arm(1), arm(2)], [2, 1, 2], Doubling())
    assert found.prediction == [2.0, 4.0, 6.0]
    assert found.probability == [None] * 3
    assert [(one.id, one.by.version, one.by.contract) for one in found.predictions] == [
        ("p0", 2, "c2"),
        ("p1", 1, "c1"),
        ("p2", 2, "c2"),
    ]


def test_a_version_that_fails_is_on_record_and_the_other_goes_on():
    table = pa.table({"x": [1.0, 2.0, 3.0]})
    found = answer(table, [arm(1), arm(2)], [2, 1, 2], Doubling(fails={"artifact 2"}))
    assert found.prediction == [None, 4.0, None]
    assert found.error == ["ZeroDivisionError: no", "", "ZeroDivisionError: no"]
    assert [one.error != "" for one in found.predictions] == [True, False, True]


def test_the_probability_of_many_classes_is_that_of_the_answer():
    found = answer(pa.table({"x": [1.0] * 4}), [arm(1, ("a", "b", "c"))], [1] * 4, Multiclass())
    assert found.prediction == ["a", "b", "c", "a"]
    assert found.probability == [0.6] * 4


def test_rows_that_break_a_rule_are_not_asked_and_not_logged():
    found = answer(pa.table({"x": ["1", "many", "3"]}), [arm(1)], [1] * 3, Doubling())
    assert found.prediction == [2.0, None, 6.0]
    assert "'many'" in found.error[1]
    assert [one.id for one in found.predictions] == ["p0", "p2"]
    none = answer(pa.table({"x": ["many"]}), [arm(1)], [1], Doubling())
    assert none.predictions == []


@pytest.mark.parametrize(
    ("feature", "cells", "wrong"),
    [
        (
            Feature(name="x", kind="int", low=0, high=9),
            ["0", "9", "10", "-1", "2.5", ""],
            {2, 3, 4},
        ),
        (Feature(name="x", kind="float", nullable=False), ["1", "", "nan"], {1, 2}),
        (Feature(name="x", kind="category", values=("a", "b")), ["a", "c", ""], {1}),
        (Feature(name="x", kind="category", values=("a",), nullable=False), ["a", ""], {1}),
        (Feature(name="x", kind="bool"), ["true", "0", "maybe"], {2}),
        (Feature(name="x", kind="text"), ["", "anything"], set()),
    ],
)
def test_cells_are_held_to_the_rules_of_requests(feature, cells, wrong):
    _, errors = typed_features(pa.table({"x": cells}), [feature], Format())
    assert {row for row, error in enumerate(errors) if error} == wrong


def test_an_input_that_may_be_missing_may_be_no_column():
    other = Feature(name="y", kind="int")
    table, errors = typed_features(pa.table({"x": [1.0]}), [X, other], Format())
    assert table.to_pylist() == [{"x": 1.0, "y": None}]
    assert errors == [""]


def test_an_input_that_may_not_be_missing_must_be_a_column():
    firm = Feature(name="y", kind="int", nullable=False)
    with pytest.raises(DataError, match="lacks y"):
        typed_features(pa.table({"x": [1.0]}), [X, firm], Format())
