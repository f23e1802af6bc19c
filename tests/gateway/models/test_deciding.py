"""Tests of what a model's numbers mean."""

import numpy as np
import pytest

from setpoint.facts.evidence import Scores
from setpoint.gateway.models.deciding import decide as decide_part
from setpoint.gateway.models.deciding import numbers_of
from setpoint.gateway.rows.schema import read_schema


def decide(schema, scores, rows):
    return decide_part(schema, numbers_of(schema, scores, rows), 0, rows)


def schema_of(task, classes, positive="", threshold=0.5):
    document = (
        f'{{"model": "m", "task": "{task}", "classes": {classes}, "positive": "{positive}", '
        f'"threshold": {threshold}, "contract": "c", "columns": [{{"name": "x", "kind": "float"}}]}}'
    )
    return read_schema(document.encode())


def scores(probability):
    return Scores(np.empty(0, np.int64), np.array(probability), np.empty(0))


def test_binary_is_decided_by_the_threshold_inclusive():
    schema = schema_of("binary", '["No", "Yes"]', "Yes", 0.3)
    decided = decide(schema, scores([[0.71, 0.29], [0.7, 0.3], [0.2, 0.8]]), 3)
    assert decided.labels == ["No", "Yes", "Yes"]
    assert decided.probability == [0.29, 0.3, 0.8]


def test_positive_class_may_stand_first():
    schema = schema_of("binary", '["bad", "good"]', "bad", 0.6)
    decided = decide(schema, scores([[0.7, 0.3], [0.5, 0.5]]), 2)
    assert decided.labels == ["bad", "good"]
    assert decided.probability == [0.7, 0.5]


def test_multiclass_answers_the_largest_probability():
    decided = decide(schema_of("multiclass", '["a", "b", "c"]'), scores([[0.2, 0.3, 0.5]]), 1)
    assert (decided.labels, decided.probability) == (["c"], [0.5])


def test_probability_a_hair_above_one_is_one():
    decided = decide(schema_of("binary", '["No", "Yes"]', "Yes"), scores([[-1e-7, 1 + 1e-7]]), 1)
    assert decided.probability == [1.0]


def test_wrong_number_of_answers_is_refused():
    with pytest.raises(ValueError, match="1 rows of 2"):
        decide(schema_of("binary", '["No", "Yes"]'), scores([[0.5, 0.5]]), 2)


def test_model_without_probabilities_answers_its_labels():
    labels = Scores(np.array([1, 0]), np.empty((2, 0)), np.empty(0))
    decided = decide(schema_of("binary", '["No", "Yes"]'), labels, 2)
    assert (decided.labels, list(decided.probability)) == (["Yes", "No"], [])
