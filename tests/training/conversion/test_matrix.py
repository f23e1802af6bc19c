"""Tests of columns as one tensor: order, steps, fillings and tables."""

import numpy as np
import pytest

from setpoint.training.conversion.columns import Lookup, Number
from setpoint.training.conversion.graph import Graph
from setpoint.training.conversion.matrix import columns_of, matrix
from setpoint.training.conversion.not_convertible import NotConvertibleError
from setpoint.training.conversion.session import open_session
from setpoint.training.conversion.weighted import mirrored, weighted

NUMBERS = np.array([[1.0, 10.0, np.nan], [2.0, np.nan, 0.5], [3.0, 30.0, -1.0]])
TEXTS = np.array([["x", "1:x"], ["", "y"], ["1:", "x"]], dtype=object)
FEED = {"numbers": NUMBERS, "texts": TEXTS}
COLUMNS = [
    Lookup("texts", 1, {"x": 5.0}, -5.0),
    Number("numbers", 2, fill=7.0, steps=(("Sub", 1.0), ("Div", 2.0))),
    Lookup("texts", 0, {"x": 1.0}, 0.0),
    Number("numbers", 0, steps=(("Mul", 3.0),)),
    Lookup("texts", 0, {"": 1.0, "1:": 2.0}, 0.0),
    Lookup("numbers", 1, {10.0: 4.0, np.nan: 6.0}, 8.0),
    Number("numbers", 0),
]
EXPECTED = np.array(
    [
        [-5.0, 3.0, 1.0, 3.0, 0.0, 4.0, 1.0],
        [-5.0, -0.25, 0.0, 6.0, 1.0, 6.0, 2.0],
        [5.0, -1.0, 0.0, 9.0, 2.0, 8.0, 3.0],
    ]
)


def answered(make, width):
    graph = Graph(3, 2)
    session = open_session(graph.finished(make(graph), "variable", width))
    return session.run(None, FEED)[0]


def test_columns_stand_in_their_order():
    np.testing.assert_array_equal(answered(lambda graph: matrix(graph, COLUMNS), 7), EXPECTED)


@pytest.mark.parametrize("chosen", [[0], [2], [0, 2], [3, 6], [1], [5, 4], [6, 0, 3]])
def test_any_few_of_them_do_too(chosen):
    columns = [COLUMNS[at] for at in chosen]
    found = answered(lambda graph: matrix(graph, columns), len(chosen))
    np.testing.assert_array_equal(found, EXPECTED[:, chosen])


def test_columns_of_several_tensors_stand_in_their_order():
    def make(graph):
        first = columns_of(graph, graph.add("Neg", "numbers"), 3)
        return matrix(graph, [first[0], Number("numbers", 0), first[1], COLUMNS[2]])

    expected = np.stack([-NUMBERS[:, 0], NUMBERS[:, 0], -NUMBERS[:, 1], [1.0, 0.0, 0.0]], axis=1)
    np.testing.assert_array_equal(answered(make, 4), expected)


@pytest.mark.parametrize("chosen", [range(7), [0, 2], [3, 6], [1, 4], [5]])
@pytest.mark.parametrize("sums", [1, 3])
def test_weighted_sums_are_those_of_the_matrix(chosen, sums):
    chance = np.random.default_rng(0)
    chosen = list(chosen)
    columns = [COLUMNS[at] for at in chosen]
    weights, intercept = chance.normal(size=(len(chosen), sums)), chance.normal(size=sums)
    found = answered(lambda graph: weighted(graph, columns, weights, intercept), sums)
    expected = EXPECTED[:, chosen] @ weights + intercept
    np.testing.assert_allclose(found, expected, atol=1e-12)
    both = answered(lambda graph: mirrored(graph, columns, weights[:, 0], intercept[0]), 2)
    np.testing.assert_allclose(both, expected[:, :1] * [-1, 1], atol=1e-12)


def test_missing_numbers_that_nobody_uses_do_not_spread():
    column = [Number("numbers", 0, fill=0.0)]
    found = answered(lambda graph: weighted(graph, column, np.ones((1, 1)), np.zeros(1)), 1)
    np.testing.assert_array_equal(found[:, 0], NUMBERS[:, 0])


def test_no_column_is_refused():
    with pytest.raises(NotConvertibleError, match="no column"):
        matrix(Graph(1, 0), [])
    with pytest.raises(NotConvertibleError, match="no column"):
        weighted(Graph(1, 0), [], np.ones((0, 1)), np.zeros(1))
