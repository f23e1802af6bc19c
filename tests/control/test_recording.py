import pyarrow as pa
import pytest

from setpoint.contract.data import Format
from setpoint.control.recording import outcomes_of_ids, outcomes_of_keys, told_outcomes
from setpoint.errors import DataError, UsageError


def told(values, names=None, classes=("0", "1")):
    names = names or [f"p{n}" for n in range(len(values))]
    table = pa.table({"prediction_id": names, "outcome": values})
    return told_outcomes(
        table, name="prediction_id", outcome="outcome", classes=classes, form=Format()
    )


@pytest.mark.parametrize("values", [[1, None, 0], [1.0, None, 0.0], ["1", "", "0"]])
def test_a_class_has_one_text_however_it_was_written(values):
    found = told(values)
    assert (found.names, found.values, found.missing) == (["p0", "p2"], ["1", "0"], 1)


def test_numbers_are_numbers():
    assert told(["1.5", ""], classes=()).values == [1.5]
    with pytest.raises(DataError, match="'much' in row 1"):
        told(["1.5", "much"], classes=())


def test_a_class_that_nobody_knows_is_refused():
    with pytest.raises(DataError, match="'2'"):
        told([0, 2])


def test_an_outcome_of_nothing_is_refused():
    with pytest.raises(DataError, match="1 outcomes have no prediction_id"):
        told([0, 1], names=["p0", None])


def test_the_time_of_receipt_is_kept():
    assert [one.at for one in outcomes_of_ids(told([0, 1]), at=7.0)] == [7.0, 7.0]


def test_keys_with_one_prediction_each():
    found = outcomes_of_keys(
        told([0, 1], names=["a", "b"]), {"a": ["x"], "b": ["y"]}, latest=False, at=7.0
    )
    assert [(one.prediction, one.value) for one in found] == [("x", "0"), ("y", "1")]


def test_which_of_several_predictions_is_meant_is_not_guessed():
    ids = {"a": ["x", "y"]}
    with pytest.raises(UsageError, match="--latest"):
        outcomes_of_keys(told([1], names=["a"]), ids, latest=False, at=7.0)
    (found,) = outcomes_of_keys(told([1], names=["a"]), ids, latest=True, at=7.0)
    assert found.prediction == "y"


def test_a_key_that_was_never_answered_is_named():
    with pytest.raises(DataError, match="such as b"):
        outcomes_of_keys(told([0, 1], names=["a", "b"]), {"a": ["x"]}, latest=True, at=7.0)
