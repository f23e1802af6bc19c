import numpy as np
import pyarrow as pa
import pytest
from small_contracts import contract

from setpoint.data.labels import classes_of, label_reference
from setpoint.errors import DataError


@pytest.mark.parametrize(
    ("positive", "labels", "classes"),
    [
        ("No", ["No", "Yes"], ("Yes", "No")),
        (0, ["0", "1"], ("1", "0")),
        (None, ["b", "a"], ("a", "b")),
        (True, ["False", "True"], ("False", "True")),
    ],
)
def test_the_positive_class_is_the_last_code(positive, labels, classes):
    data = {} if positive is None else {"positive": positive}
    assert classes_of(contract(**data), labels) == classes


def test_a_positive_class_that_no_row_has_is_refused():
    with pytest.raises(DataError, match="'Ja'; found No, Yes"):
        classes_of(contract(positive="Ja"), ["No", "Yes"])


def test_three_classes_are_not_binary():
    with pytest.raises(DataError, match="task: multiclass"):
        classes_of(contract(), ["a", "b", "c"])


def test_runs_of_labels_have_a_design_effect():
    coins = np.random.default_rng(0).permutation(["0", "1"] * 20)
    runs = pa.chunked_array([np.repeat(coins, 50)])
    assert label_reference(runs, ordered=True).design_effect > 10
    assert label_reference(runs, ordered=False).design_effect == 1.0
    assert label_reference(runs, ordered=False).shares == {"0": 0.5, "1": 0.5}


def test_no_labels_have_no_shares():
    assert label_reference(pa.chunked_array([pa.nulls(3, pa.string())]), ordered=True).rows == 0
