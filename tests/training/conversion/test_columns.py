"""Tests of how columns are chosen and changed."""

import numpy as np
import pytest

from setpoint.training.conversion.columns import Block, Lookup, Number, first_block
from setpoint.training.conversion.not_convertible import NotConvertibleError

BLOCK = first_block(["a", "c"], ["b"], ["a", "b", "c"])


@pytest.mark.parametrize(
    ("which", "names"),
    [
        ("b", ["b"]),
        (["c", "a"], ["c", "a"]),
        (1, ["b"]),
        ([-1, 0], ["c", "a"]),
        (slice(1, None), ["b", "c"]),
        (slice("a", "b"), ["a", "b"]),
        (slice("b", None), ["b", "c"]),
        ([True, False, True], ["a", "c"]),
        (np.array([False, True, False]), ["b"]),
        (np.array([2, 1]), ["c", "b"]),
        ([], []),
    ],
)
def test_columns_are_chosen_as_scikit_learn_chooses_them(which, names):
    assert list(BLOCK.chosen(which).names or ()) == names


def test_a_name_that_is_not_known_any_more_is_refused():
    with pytest.raises(NotConvertibleError, match="'a'"):
        Block(BLOCK.columns).chosen(["a"])


def test_steps_become_a_line():
    column = Number("numbers", 0).stepped("Sub", 3.0).stepped("Div", 2.0).stepped("Mul", 5.0)
    slope, intercept = column.stepped("Add", 1.0).line()
    assert slope * 7.0 + intercept == pytest.approx((7.0 - 3.0) / 2.0 * 5.0 + 1.0)
    assert column.stepped("Add", 0.0) == column


def test_a_looked_up_number_is_changed_at_once():
    column = Lookup("texts", 0, {"a": 4.0}, 2.0).stepped("Sub", 1.0).stepped("Div", 3.0)
    assert (column.table["a"], column.other) == (1.0, 1 / 3)
