import json

import jsonschema
import pytest

from setpoint.contract.conditions import GRAMMAR, SIGNALS
from setpoint.contract.contract import Contract
from setpoint.contract.document import read_document
from setpoint.contract.metrics import METRICS
from setpoint.contract.schema import DIALECT, schema, schema_text


@pytest.fixture(scope="module")
def validator():
    return jsonschema.Draft202012Validator(schema())


def errors(validator, text: str) -> list[str]:
    plain = read_document(text, file="c.yaml").root.plain()
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(plain)]


def test_it_is_a_schema_of_its_dialect():
    assert schema()["$schema"] == DIALECT
    jsonschema.Draft202012Validator.check_schema(schema())
    assert json.loads(schema_text()) == schema()


def test_long_short_and_minimal_form_are_valid(validator, whole, short, minimal, rows):
    for text in (whole, short, minimal, rows):
        assert errors(validator, text) == []


def test_a_canonical_form_is_valid(validator, whole, rows):
    from setpoint.contract.parse import parse

    for text in (whole, rows):
        assert not list(validator.iter_errors(parse(text).plain))


BASE = "model: {name: a, task: binary}\n"


@pytest.mark.parametrize(
    "text",
    [
        "modl: {}", "gates: [{metric: f1, mim: 0.5}]", "gates: [{metric: f3, min: 0.5}]",
        "gates: [{latency: p42, max: 1s}]",
        "gates: [{latency: p99, max: 10}]", "gates: [{metric: f1, beats_champion: 0.02}]", "monitor: {window: 24}",
        "monitor: {drift: {effect: 5}}", "serve: {runtime: onx}", "train: {seed: x}", "release: {steps: [5]}",
        "retrain: {when: [drift.share = 5]}", "retrain: {data: last year}", "retrain: {accept: always}",
        "data: {source: a}", "release: {guardrails: [{foo: 1}]}", "alerts: [{to: a, when: [whenever]}]",
    ],
)  # fmt: skip
def test_what_is_refused_by_parse_is_marked_by_editors(validator, text):
    assert errors(validator, BASE + text)


@pytest.mark.parametrize(
    "text",
    [
        "gates: [{metric: f1, not_worse_by: 0.02 abs, confidence: 90%}]",
        "monitor: {window: 1000 rows, drift: {effect: 5%}}",
        "release: {steps: [0.05, {traffic: 20%, for: 24h}, 100%]}", "retrain: {budget: {runs: 1, per: week}}",
        "retrain: {accept: {not_worse_by: 2%}, data: last 50000 rows}", "serve: {resources: {cpu: 500m, memory: 2Gi}}",
        "train: {params: {a: null, b: [1, x], c: {d: 1}}, limits: {time: 10m}}", "train: {split: {test: 1000 rows}}",
        "data: {source: a, target: y, positive: 1, columns: {a: {min: 2024-01-01, values: [1, x, true]}}}",
        "model: {name: a, slas: {target_f1: 0.5, data_drift_threshold: 5%}, monitoring: {metrics: [f1, nulls]}}",
    ],
)  # fmt: skip
def test_what_parse_reads_is_not_marked(validator, text):
    assert errors(validator, text if text.startswith("model") else BASE + text) == []


def test_every_key_is_described():
    undescribed = []
    for name, section in schema()["$defs"].items():
        properties = section.get("properties") or section["anyOf"][-1]["properties"]
        for key, value in properties.items():
            reference = value.get("$ref", "").rsplit("/", 1)[-1]
            if not (
                value.get("description") or schema()["$defs"].get(reference, {}).get("description")
            ):
                undescribed.append(f"{name}.{key}")
    assert undescribed == []


def test_no_mapping_takes_unknown_keys():
    open_sections = [
        name
        for name, section in schema()["$defs"].items()
        if (section if "properties" in section else section["anyOf"][-1]).get(
            "additionalProperties"
        )
        is not False
    ]
    assert open_sections == []
    assert schema()["additionalProperties"] is False


def test_editors_get_words_and_defaults():
    sections = schema()["$defs"]
    assert sections["MetricGate"]["properties"]["metric"]["enum"] == list(METRICS)
    assert sections["Drift"]["properties"]["effect"]["default"] == "10%"
    assert sections["Monitor"]["properties"]["window"]["default"] == "1d"
    assert sections["Release"]["properties"]["strategy"]["default"] == "canary"
    assert set(schema()["properties"]) == set(Contract.model_fields)


def test_the_grammar_and_the_reading_rules_are_in_it():
    assert json.dumps(GRAMMAR)[1:-1] in json.dumps(schema())
    assert all(signal in schema_text() for signal in SIGNALS)
    description = schema()["description"]
    for words in (
        "a bare number there is an error",
        "part for life",
        "1000 rows",
        "parsed, never evaluated",
        "inconclusive",
        "judges the interval",
    ):
        assert words in " ".join(description.split())
