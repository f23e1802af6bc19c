"""Two answers to the same rows: agreement by class, differences only of what is one quantity."""

import copy

import msgspec
import pytest

from setpoint.gateway.models.deciding import Decided
from setpoint.gateway.rows.schema import RequestDocument, Schema
from setpoint.gateway.shadows.comparing import compare


@pytest.fixture
def schema_of(request_document):
    def make(**changes):
        document = copy.deepcopy(request_document) | changes
        return Schema(msgspec.convert(document, RequestDocument))

    return make


def test_classes_agree_by_name_and_chances_differ_by_the_positive_class(schema_of):
    schema = schema_of()
    live = Decided(["Yes", "No", "No"], [1, 0, 0], [0.75, 0.25, 0.5])
    shadow = Decided(["Yes", "Yes", "No"], [1, 1, 0], [0.5, 0.75, 0.5])
    assert compare(live, schema, shadow, schema) == (2, [0.25, 0.5, 0.0])


def test_chances_of_two_different_classes_are_not_held_against_each_other(schema_of):
    yes, no = schema_of(), schema_of(positive="No")
    live = Decided(["Yes"], [1], [0.75])
    shadow = Decided(["Yes"], [1], [0.25])
    assert compare(live, yes, shadow, no) == (1, [])


def test_chances_of_many_classes_are_compared_where_both_answer_the_same(schema_of):
    schema = schema_of(task="multiclass", classes=["a", "b", "c"], positive=None, threshold=None)
    live = Decided(["a", "b"], [0, 1], [0.5, 0.75])
    shadow = Decided(["a", "c"], [0, 2], [0.625, 0.875])
    assert compare(live, schema, shadow, schema) == (1, [0.125])


def test_model_without_chances_has_agreement_alone(schema_of):
    schema = schema_of()
    live = Decided(["Yes"], [1], [0.75])
    assert compare(live, schema, Decided(["No"], [0]), schema) == (0, [])


def test_numbers_differ_and_do_not_agree_or_disagree(schema_of):
    schema = schema_of(task="regression", classes=[], positive=None, threshold=None)
    assert compare(Decided([1.5, -2]), schema, Decided([1.0, 2.0]), schema) == (None, [0.5, 4.0])
