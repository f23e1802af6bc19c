"""Many rows are decided as gateways decide each, to the bit."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from setpoint.batch.deciding import decide_all
from setpoint.facts.evidence import Scores
from setpoint.gateway.models.deciding import decide, numbers_of
from setpoint.gateway.rows.column_check import ColumnRule
from setpoint.gateway.rows.schema import RequestDocument, Schema

NONE = Scores(label=np.empty(0, np.int64), probability=np.empty((0, 0)), value=np.empty(0))


def schema_of(task, classes, *, positive=None, threshold=0.5):
    return Schema(
        RequestDocument(
            model="m",
            task=task,
            classes=classes,
            positive=positive,
            threshold=threshold,
            contract="c",
            columns=(ColumnRule(name="x", kind="float"),),
        )
    )


SCHEMAS = {
    2: [
        schema_of("binary", ("No", "Yes"), threshold=0.4),
        schema_of("binary", ("Yes", "No"), positive="Yes", threshold=1.0),
        schema_of("multiclass", ("a", "b")),
    ],
    3: [schema_of("multiclass", ("a", "b", "c"))],
    0: [schema_of("regression", ())],
}
chances = st.floats(-1e-7, 1 + 1e-7) | st.sampled_from([0.0, 0.4, 0.5, 1.0, math.nan, math.inf])


def require_same(schema, scores, rows):
    found = decide_all(schema, scores, rows)
    for row in range(rows):
        part = Scores(
            label=scores.label[row : row + 1],
            probability=scores.probability[row : row + 1],
            value=scores.value[row : row + 1],
        )
        if row in found.reasons:
            with pytest.raises(ValueError, match="the model answered") as told:
                decide(schema, numbers_of(schema, part, 1), 0, 1)
            assert found.reasons[row] == f"ValueError: {told.value}"
            continue
        one = decide(schema, numbers_of(schema, part, 1), 0, 1)
        if not schema.classes:
            assert found.values[row] == one.labels[0]
            continue
        assert schema.classes[found.codes[row]] == one.labels[0]
        if one.probability:
            assert found.values[row] == one.probability[0]
        else:
            assert math.isnan(found.values[row])


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([2, 3]).flatmap(lambda width: arrays(np.float64, (5, width), elements=chances))
)
def test_classes(given_chances):
    for schema in SCHEMAS[given_chances.shape[1]]:
        scores = Scores(label=NONE.label, probability=given_chances, value=NONE.value)
        require_same(schema, scores, 5)
        narrow = Scores(label=NONE.label, probability=given_chances.astype("f4"), value=NONE.value)
        require_same(schema, narrow, 5)


@settings(max_examples=100, deadline=None)
@given(arrays(np.float64, 6, elements=st.floats(width=64)))
def test_numbers(values):
    scores = Scores(label=NONE.label, probability=NONE.probability, value=values)
    require_same(SCHEMAS[0][0], scores, 6)


def test_a_model_without_probabilities_says_its_class():
    scores = Scores(label=np.array([2, 0, 1]), probability=np.empty((3, 0)), value=np.empty(0))
    found = decide_all(SCHEMAS[3][0], scores, 3)
    assert found.codes.tolist() == [2, 0, 1]
    assert np.isnan(found.values).all()
