"""What people are told: found, allowed, and the nearest known key or word."""

import pytest

from setpoint.contract.explain import known_keys
from setpoint.contract.parse import parse
from setpoint.errors import ContractError, Problem

BASE = "model: {name: churn, task: binary}\n"


def only(text: str) -> Problem:
    with pytest.raises(ContractError) as caught:
        parse(BASE + text)
    assert len(caught.value.problems) == 1, str(caught.value)
    return caught.value.problems[0]


@pytest.mark.parametrize(
    ("text", "path", "nearest"),
    [
        ("relase: {}", "relase", "release"),
        ("monitor: {drift: {efect: 5%}}", "monitor.drift.efect", "effect"),
        ("gates: [{metric: f1, mim: 0.5, max: 1}]", "gates[0].mim", "min"),
        ("release: {steps: [{traffic: 100%, fro: 1h}]}", "release.steps[0].fro", "for"),
        (
            "release: {guardrails: [{outcome: f1, not_worse_by: 1%, afer: 1h}]}",
            "release.guardrails[0].afer",
            "after",
        ),
        (
            "retrain: {when: [{forecast: drift.share > 30%, withn: 1h, within: 1h}]}",
            "retrain.when[0].withn",
            "within",
        ),
        ("data: {source: a, target: y, columns: {c: {tpye: int}}}", "data.columns.c.tpye", "type"),
        ("train: {split: {tset: 20%}}", "train.split.tset", "test"),
        ("data: {source: a, target: y, threshold: 0.5}", "data.threshold", "train.threshold"),
        ("train: {hyperparameters: {a: 1}}", "train.hyperparameters", "train.params"),
        ("serving: {replicas: 2}", "serving", "serve"),
    ],
)
def test_an_unknown_key_is_told_the_nearest_known_one(text, path, nearest):
    problem = only(text)
    assert (problem.path, problem.nearest) == (path, nearest)
    assert problem.line == 2
    assert problem.found
    assert problem.allowed


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("gates: [{metric: auc, min: 0.5}]", "roc_auc"),
        ("gates: [{metric: accurracy, min: 0.5}]", "accuracy"),
        ("serve: {runtime: onx}", "onnx"),
        ("data: {source: a, target: y, columns: {c: {type: string}}}", "text"),
        ("release: {strategy: Canary}", "canary"),
        ("alerts: [{to: a, when: [incidents]}]", "incident"),
    ],
)
def test_an_unknown_word_is_told_the_nearest_known_one(text, nearest):
    problem = only(text)
    assert problem.nearest == nearest
    assert nearest in problem.allowed


@pytest.mark.parametrize(
    ("text", "nearest"),
    [("gates: [{metrc: f1}]", "metric"),
     ("release: {guardrails: [{eror_rate: 1%}]}", "error_rate"),
     ("retrain: {when: [{shedule: x}]}", "schedule")],
)  # fmt: skip
def test_an_item_of_no_kind_is_told_the_nearest_kind(text, nearest):
    assert only(text).nearest == nearest


@pytest.mark.parametrize(
    ("text", "path", "found", "allowed"),
    [
        ("train: {seed: 1.5}", "train.seed", "1.5", "a whole number"),
        ("train: {seed: -1}", "train.seed", "-1", "0 or more"),
        ("train: {seed: '1'}", "train.seed", '"1"', "a whole number"),
        ("train: {threshold: high}", "train.threshold", "high", "a number"),
        ("train: {threshold: 1.5}", "train.threshold", "1.5", "less than 1"),
        ("train: {params: [1]}", "train.params", "a list", "a mapping"),
        ("train: 5", "train", "5", "a mapping"),
        ("gates: {metric: f1}", "gates", "a mapping", "a list"),
        ("data: {source: a, target: 5}", "data.target", "5", '"5"'),
        ("data: {source: a, target: ''}", "data.target", '""', "text"),
        ("data: {source: a, target: y, protected: sex}", "data.protected", "sex", "[sex]"),
        ("data: {source: a, target: y, columns: {c: {unique: 1}}}", "data.columns.c.unique", "1", "true or false"),
        ("data: {source: a}", "data.target", "", "Column to predict"),
        ("monitor: {window: 24}", "monitor.window", "24", "24h"),
        ("gates: [{metric: f1, not_worse_by: 0.1}]", "gates[0].not_worse_by", "0.1", "0.1 abs"),
        ("release: {steps: [5%]}", "release.steps", "a list", "100%"),
        ("gates: [{slices: [a], metric: f1}]", "gates[0]", "a mapping", "min, max or between"),
        ("alerts: [{to: a, when: []}]", "alerts[0].when", "a list", "one item"),
    ],
)  # fmt: skip
def test_what_was_found_and_what_is_allowed(text, path, found, allowed):
    problem = only(text)
    assert (problem.path, problem.found) == (path, found)
    assert allowed in problem.allowed


def test_keys_of_the_short_form_are_named_in_model():
    assert {"name", "slas", "monitoring"} <= set(known_keys(("model",)))


def test_known_keys_inside_lists_unions_and_mappings():
    assert "model" in known_keys(())
    assert known_keys(("gates", 3, "<latency>")) == ["latency", "max"]
    assert "min" in known_keys(("data", "columns", "any name"))
    assert known_keys(("release", "steps", 0)) == ["traffic", "for"]
    assert known_keys(("train", "params", "a")) == []


def test_a_column_name_that_looks_like_a_tag_does_no_harm():
    problem = only("data: {source: a, target: y, columns: {'<metric>': {foo: 1}}}")
    assert problem.path == 'data.columns["<metric>"].foo'
    assert problem.line == 2
