"""Tests of tree ensembles as ONNX: every kind of split, missing values, and trees of one leaf."""

import numpy as np
import pytest

from setpoint.training.conversion.columns import Lookup, Number, Text
from setpoint.training.conversion.graph import Graph
from setpoint.training.conversion.not_convertible import NotConvertibleError
from setpoint.training.conversion.session import open_session
from setpoint.training.conversion.trees import ensemble, vector_ensemble
from setpoint.training.trees import Tree


def stump(
    left=1.0, right=2.0, threshold=0.5, *, missing_left=False, members=None, feature=0, target=0
):
    return Tree(
        feature=np.array([feature, 0, 0]),
        threshold=np.array([threshold, 0.0, 0.0]),
        left=np.array([1, -1, -1]),
        right=np.array([2, -1, -1]),
        missing_left=np.array([missing_left, False, False]),
        value=np.array([0.0, left, right]),
        target=target,
        members={} if members is None else {0: frozenset(members)},
    )


def leaf(value, target=0):
    none, zero = np.array([-1]), np.array([0])
    return Tree(zero, np.zeros(1), none, none, np.zeros(1, bool), np.array([value]), target)


def asked(trees, columns, feed, numbers=1, texts=0, targets=1, **more):
    graph = Graph(numbers, texts)
    tensor = ensemble(graph, columns, trees, targets, **more)
    session = open_session(graph.finished(tensor, "variable", targets))
    return session.run(None, feed)[0]


def numbers(*values):
    return {"numbers": np.array(values, dtype=np.float64).reshape(-1, 1)}


@pytest.mark.parametrize("missing_left", [False, True])
@pytest.mark.parametrize(
    "members", [set(), {3.0}, {0.0, 7.0}, set(range(0, 250, 2)), set(map(float, range(254)))]
)
def test_categories_go_left_where_they_are_members(members, missing_left):
    codes = [*map(float, range(256)), -1.0, np.nan]
    tree = stump(members=members, missing_left=missing_left)
    found = asked([tree], [Number("numbers", 0)], numbers(*codes))[:, 0]
    expected = [
        1.0 if code in members or (np.isnan(code) and missing_left) else 2.0 for code in codes
    ]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("fill", [0.0, 0.5, 1.0])
def test_a_missing_value_goes_where_its_filling_would(fill):
    tree = stump(missing_left=fill > 0.5)  # the opposite of what it would be without filling
    found = asked([tree], [Number("numbers", 0, fill=fill)], numbers(np.nan, 0.4, 0.6))[:, 0]
    np.testing.assert_array_equal(found, [1.0 if fill <= 0.5 else 2.0, 1.0, 2.0])


def test_columns_of_one_category_are_split_by_its_code():
    one_hot = [Lookup("texts", 0, {word: 1.0}, 0.0) for word in "abcd"]
    trees = [stump(feature=at, left=0.0, right=10.0**at) for at in range(4)]
    words = np.array([["a"], ["b"], ["c"], ["d"], ["e"], [""]], dtype=object)
    found = asked(trees, one_hot, {"texts": words}, numbers=0, texts=1)[:, 0]
    np.testing.assert_array_equal(found, [1, 10, 100, 1000, 0, 0])


def test_sums_and_averages_are_exact_in_double():
    trees = [stump(left=0.1 * at, right=1 / (at + 1)) for at in range(30)]
    left, right = 0.0, 0.0
    for at in range(30):
        left, right = left + 0.1 * at, right + 1 / (at + 1)
    found = asked(trees, [Number("numbers", 0)], numbers(0.0, 1.0))[:, 0]
    np.testing.assert_array_equal(found, [left, right])
    mean = asked(trees, [Number("numbers", 0)], numbers(0.0, 1.0), average=True)[:, 0]
    np.testing.assert_array_equal(mean, [left / 30, right / 30])


def test_trees_of_one_leaf_and_several_targets_are_added():
    trees = [leaf(3.0), stump(), leaf(0.25, target=1)]
    found = asked(trees, [Number("numbers", 0)], numbers(0.0, 1.0, np.nan), targets=2)
    np.testing.assert_array_equal(found, [[4.0, 0.25], [5.0, 0.25], [5.0, 0.25]])


@pytest.mark.parametrize("rows", [1, 2, 3000])
def test_leaves_with_a_number_for_each_class_are_added_in_the_trees_order(rows):
    chance = np.random.default_rng(0)
    trees = [stump(0.0, 1.0, threshold=at / 40) for at in range(40)]
    leaves = [chance.random((2, 5)) for _ in trees]
    values = chance.random(rows)
    graph = Graph(1, 0)
    tensor = vector_ensemble(graph, [Number("numbers", 0)], trees, leaves)
    session = open_session(graph.finished(tensor, "probabilities", 5))
    expected = np.zeros((rows, 5))
    for tree, table in zip(trees, leaves, strict=True):
        expected += table[(values > tree.threshold[0]).astype(int)]
    np.testing.assert_array_equal(session.run(None, numbers(*values))[0], expected)


def test_text_is_not_split():
    with pytest.raises(NotConvertibleError, match="text"):
        ensemble(Graph(0, 1), [Text(0)], [stump()], 1)
