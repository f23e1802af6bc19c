"""The classes of a task: one text each, one order, whichever room asks."""

import numpy as np
import pytest

from setpoint.errors import DataError
from setpoint.facts.classes import class_order, label_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (np.bool_(False), "false"),
        (1, "1"),
        (1.0, "1"),
        (np.float32(2.0), "2"),
        (1.5, "1.5"),
        ("Yes", "Yes"),
    ],
)
def test_a_label_has_one_text(value, text):
    assert label_text(value) == text


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (["b", "a", "b"], ("a", "b")),
        (["10", "2", "-1"], ("-1", "2", "10")),
        (["10", "2", "x"], ("10", "2", "x")),
        (["true", "false"], ("false", "true")),
        ([], ()),
    ],
)
def test_whole_numbers_stand_in_the_order_of_numbers(labels, order):
    assert class_order(labels, task="multiclass") == order


@pytest.mark.parametrize(
    ("labels", "positive", "order"),
    [
        (["No", "Yes"], "No", ("Yes", "No")),
        (["No", "Yes"], "yes", ("No", "Yes")),
        (["1", "0"], "0", ("1", "0")),
        (["9", "10"], "", ("9", "10")),
        (["yes", "YES"], "yes", ("YES", "yes")),
        (["Yes"], "Yes", ("Yes",)),
    ],
)
def test_the_positive_class_is_the_last_code(labels, positive, order):
    assert class_order(labels, task="binary", positive=positive) == order


@pytest.mark.parametrize(
    ("labels", "positive", "message"),
    [
        (["No", "Yes"], "Ja", "target 'left' is the positive class 'Ja'; found No, Yes"),
        (["yes", "YES"], "Yes", "positive class 'Yes'; found YES, yes"),
        ([], "Yes", "found none"),
        (["1", "2", "3"], "1", r"has 3 classes \(1, 2, 3\); set task: multiclass"),
    ],
)
def test_what_is_not_binary_or_lacks_its_positive_class_is_refused(labels, positive, message):
    with pytest.raises(DataError, match=message):
        class_order(labels, task="binary", positive=positive, target="left")
