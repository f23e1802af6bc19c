import numpy as np
import pyarrow as pa
import pytest
from small_contracts import contract

from setpoint.data.profile import PREDICTION, WindowPlan, prediction_profile, profile_of
from setpoint.facts.evidence import Scores
from setpoint.stats.binning import CategoryBins, NumericBins

PLAN = WindowPlan((50, 200), ordered=True)


def table(rows: int = 4000) -> pa.Table:
    rng = np.random.default_rng(0)
    return pa.table(
        {
            "x": pa.array(rng.normal(size=rows), mask=rng.random(rows) < 0.1),
            "c": rng.choice(["a", "b", "c"], rows, p=[0.7, 0.2, 0.1]),
            "b": rng.random(rows) < 0.3,
            "e": pa.nulls(rows, pa.float64()),
            "y": rng.choice(["0", "1"], rows),
        }
    )


def test_shares_are_those_that_the_bins_count():
    found = {column.name: column for column in profile_of(table(), contract(), PLAN).columns}
    x, c = found["x"], found["c"]
    values = table()["x"].to_numpy()
    assert x.shares == pytest.approx(NumericBins(x.edges).counts(values) / 4000)
    bins = CategoryBins(c.values, frozenset(c.known) - set(c.values))
    assert c.shares == pytest.approx(bins.counts(table()["c"].to_pylist()) / 4000)
    assert all(sum(column.shares) == pytest.approx(1) for column in found.values())
    assert (c.values[0], found["b"].kind, x.missing) == (
        "a",
        "category",
        pytest.approx(0.1, abs=0.02),
    )


def test_an_empty_column_has_a_profile_too():
    empty = next(c for c in profile_of(table(), contract(), PLAN).columns if c.name == "e")
    assert (empty.missing, empty.mean, empty.shares[-1]) == (1.0, None, 1.0)


def test_independent_rows_have_small_floors_and_no_design_effect():
    x = profile_of(table(), contract(), PLAN).columns[0]
    assert x.windows == 20
    assert x.design_effect < 1.6
    assert x.floors["200"] < x.floors["50"] < 0.35


def test_rows_that_resemble_their_neighbours_have_large_ones():
    rng = np.random.default_rng(1)
    walk = np.repeat(rng.normal(size=80), 50)
    rows = pa.table({"x": walk, "y": ["0", "1"] * 2000})
    x = profile_of(rows, contract(), PLAN).columns[0]
    assert x.design_effect > 15
    assert x.floors["50"] > 0.8
    loose = profile_of(rows, contract(), WindowPlan((50,), ordered=False)).columns[0]
    assert (loose.design_effect, loose.windows) == (1.0, 0)


def test_label_shares_are_of_the_labelled_rows():
    rows = pa.table({"x": [1.0, 2.0, 3.0], "y": ["a", None, "b"]})
    assert profile_of(rows, contract(), WindowPlan((1,), ordered=False)).label_shares == {
        "a": 0.5,
        "b": 0.5,
    }


def test_answers_are_profiled_as_probability_class_or_number():
    none = np.empty((0, 0))
    probability = np.array([[0.9, 0.1], [0.2, 0.8]] * 50)
    labels = np.array([0, 1] * 50)
    binary = prediction_profile(Scores(labels, probability, np.empty(0)), ["n", "p"], PLAN)
    assert (binary.name, binary.kind, binary.high) == (PREDICTION, "numeric", 0.8)
    many = prediction_profile(
        Scores(labels, np.empty((100, 0)), np.empty(0)), ["u", "v", "w"], PLAN
    )
    assert many.values == ("u", "v")
    number = prediction_profile(Scores(np.empty(0, np.int64), none, np.arange(100.0)), [], PLAN)
    assert number.mean == 49.5
