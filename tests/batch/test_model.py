"""A model fails by the rows that it fails on, and answers the others, whatever stands beside them."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from setpoint.batch.model import BatchModel, tensors
from setpoint.facts.evidence import Scores
from setpoint.gateway.rows.column_check import ColumnRule
from setpoint.gateway.rows.schema import RequestDocument, Schema

SCHEMA = Schema(
    RequestDocument(
        model="m",
        task="regression",
        contract="c",
        columns=(ColumnRule(name="x", kind="float"),),
    )
)


class Doubling:
    """Answers twice a number, fails on negative ones, and says nothing of 13."""

    def __init__(self):
        self.asked = []

    def run_columns(self, columns):
        values = columns[0].to_numpy()
        self.asked.append(len(values))
        if (values < 0).any():
            raise ZeroDivisionError("negative")
        values = np.where(values == 13, np.nan, 2 * values)
        return Scores(label=np.empty(0, np.int64), probability=np.empty((0, 0)), value=values)


def model_of(runner, pool=None):
    version = SimpleNamespace(batcher=SimpleNamespace(runner=runner), schema=SCHEMA)
    return BatchModel(version, pool)


@pytest.mark.parametrize("pool", [None, ThreadPoolExecutor(3)])
def test_a_row_fails_alone(pool):
    values = np.arange(10_000.0)
    values[[0, 4_095, 7_000]] = -1
    found = model_of(Doubling(), pool).answer([pa.array(values)], 10_000)
    assert found.reasons == {
        13: "ValueError: the model answered [nan]",
        **dict.fromkeys((0, 4_095, 7_000), "ZeroDivisionError: negative"),
    }
    sound = np.delete(np.arange(10_000), list(found.reasons))
    assert np.array_equal(found.values[sound], 2.0 * sound)


def test_a_model_that_answers_another_number_of_rows_fails_on_all():
    class Mute(Doubling):
        def run_columns(self, columns):
            return super().run_columns([columns[0].slice(0, 0)])

    found = model_of(Mute()).answer([pa.array([1.0, 2.0])], 2)
    assert set(found.reasons) == {0, 1}
    assert "answered 0 rows of 1" in found.reasons[0]


def test_missing_values_become_what_the_inputs_have_for_them():
    columns = [
        pa.array([1, None, 2**53 + 1], pa.int64()),
        pa.array(["a", None, "a"]),
        pa.array([True, None, False]),
    ]
    numbers, texts = tensors(columns, [False, True, False], 3)
    assert np.array_equal(
        numbers, [[1.0, 1.0], [np.nan, np.nan], [float(2**53 + 1), 0.0]], equal_nan=True
    )
    assert texts.tolist() == [["a"], [""], ["a"]]
