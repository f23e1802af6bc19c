"""The OpenAPI document: it is one, its examples work, its answers are as it says, and its rows are the contract's."""

import dataclasses
import json
import math
import re

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi import checks as openapi
from tests.gateway.rows.test_row_decoder import rules, schema_of, values

from setpoint.gateway.app import MODEL_ROUTES, ROUTES
from setpoint.gateway.doors.openapi import describe
from setpoint.gateway.rows.column_check import FLOAT32_MAX, ColumnRule
from setpoint.gateway.rows.row_schema import example_row, list_schema, row_schema
from setpoint.gateway.wire.refusal import RefusedError

PLAIN = "application/json"


@pytest.fixture
def document(client):
    return client.get("/openapi.json").content


def validator(document, schema):
    """Return what judges by a schema that points into the document."""
    return jsonschema_rs.Draft202012Validator({**schema, "components": document["components"]})


def posts(document):
    return {path: door["post"] for path, door in document["paths"].items() if "post" in door}


def test_every_example_of_every_door_works_and_is_answered_as_promised(client, document, row):
    tried = set()
    known = client.post("/predict", row).content["prediction_id"]
    client.until(lambda: client.station.writer.pending == 0)
    for path, door in posts(document).items():
        if "requestBody" not in door:
            continue
        for media, content in door["requestBody"]["content"].items():
            for name, example in content["examples"].items():
                body = example["value"]
                text = body if isinstance(body, str) else json.dumps(body)
                if path == "/outcomes":
                    text = re.sub(r'(?<="prediction_id": ")[^"]*', known, text)
                assert validator(document, content["schema"]).is_valid(body), (path, name)
                answer = client.post(path, text.encode(), {b"content-type": media.encode()})
                assert answer.status == 200, (path, name, answer)
                promised = door["responses"]["200"]["content"][PLAIN]["schema"]
                validator(document, promised).validate(answer.content)
                tried.add((path, name))
    assert len(tried) == 14


def test_every_route_is_described(document):
    model = "/v2/models/churn"
    routes = {(path, method.lower()) for path, (method, _) in ROUTES.items()}
    routes |= {
        (f"{model}/{verb}".rstrip("/"), method.lower())
        for verb, (method, _) in MODEL_ROUTES.items()
    }
    described = {(path, method) for path, door in document["paths"].items() for method in door}
    assert described == routes


def test_document_is_sound_and_names_the_contract(client, document):
    assert jsonschema_rs.meta.is_valid(document["components"]["schemas"]["Row"])
    assert document["openapi"] == "3.1.0"
    assert client.station.release in document["info"]["description"]
    assert document["components"]["schemas"]["Row"]["properties"]["tenure"] == {
        "type": "integer",
        "minimum": 0,
        "maximum": 120,
    }
    assert "security" not in document


def test_name_of_the_model_may_be_any_text(project, open_client, request_document):
    name = "préd/ict <b>"
    project.add(1, request=request_document | {"model": name})
    project.deploy(1, {1: 1.0}, model=name)
    client = open_client()
    paths = client.get("/openapi.json").content["paths"]
    assert "/v2/models/pr%C3%A9d%2Fict%20%3Cb%3E/infer" in paths
    page = client.get("/docs").content
    assert "<b>" not in page
    assert "préd/ict &lt;b&gt;" in page


def test_page_needs_nothing_from_elsewhere(client):
    answer = client.get("/docs")
    assert answer.headers[b"content-type"] == b"text/html; charset=utf-8"
    page = answer.content
    assert "<script" not in page
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    for path in ("/predict", "/invocations", "/outcomes", "/v2/models/churn/infer"):
        assert path in page
    for text in ("tenure", "0 … 120", "monthly, yearly"):
        assert text in page


def test_before_a_model_is_loaded_there_is_nothing_to_describe(open_client):
    client = open_client(ready=False)
    assert client.get("/openapi.json").status == 503
    assert client.get("/docs").status == 503


def is_strange(rule):
    """Return whether there is no value between a column's bounds, or only ones beyond what is calculated with."""
    low, high = (bound if bound is not None else 0 for bound in (rule.min, rule.max))
    if rule.kind == "int" and rule.max is not None and math.ceil(low) > high:
        return True
    return max(abs(low), abs(high)) > (2**63 if rule.kind == "int" else FLOAT32_MAX)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(rules=rules())
def test_example_row_keeps_the_rules(rules):
    schema = schema_of(*rules)
    if any(map(is_strange, rules)):
        return
    row = example_row(schema)
    assert jsonschema_rs.is_valid(row_schema(schema), row)
    assert jsonschema_rs.is_valid(list_schema(schema), list(row.values()))
    schema.check([[value] for value in row.values()])


@settings(max_examples=500, deadline=None, derandomize=True)
@given(rules=rules(), data=st.data())
def test_what_the_document_calls_a_row_the_contract_takes(rules, data):
    schema = schema_of(*rules)
    row = {rule.name: data.draw(values) for rule in rules}
    if any(value == "\ud800" for value in row.values()):
        return
    if jsonschema_rs.is_valid(row_schema(schema), row):
        schema.check([[value] for value in row.values()])
        assert jsonschema_rs.is_valid(list_schema(schema), list(row.values()))


def test_value_that_the_document_does_not_list_is_refused_by_both():
    rule = ColumnRule(name="a", kind="category", values=("x", 3.0), unseen="refuse", nullable=False)
    schema = schema_of(rule)
    for value, sound in (("x", True), ("3", True), ("y", False), (None, False), ("", False)):
        assert jsonschema_rs.is_valid(row_schema(schema), {"a": value}) is sound
        if not sound:
            with pytest.raises(RefusedError):
                schema.check([[value]])


NEEDY = ("/outcomes", "/v2/models/churn/infer")
"""Doors whose requests a schema cannot describe in full: an id must be known, and data fill their shape."""
ROW_DOORS = ("/predict", "/v1/predict", "/invocations")
CHECKS = (
    schemathesis.checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_schema_conformance,
)


@pytest.fixture
def gateway(project, start_gateway, wait_until):
    """A gateway process that is ready, with its document."""
    import requests

    project.add(1)
    project.deploy(1, {1: 1.0})
    url = start_gateway().url
    wait_until(lambda: requests.get(f"{url}/readyz", timeout=5).ok)
    return schemathesis.openapi.from_url(f"{url}/openapi.json")


def sweep(operation, mode, examples):
    """Send generated requests of one operation, check each answer, and return the statuses."""
    sound = mode is schemathesis.GenerationMode.POSITIVE and operation.path in ROW_DOORS
    seen = []

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        response = case.call_and_validate(checks=CHECKS)
        seen.append(response.status_code)
        by_column = isinstance(case.body, dict) and isinstance(case.body.get("inputs"), dict)
        if sound and case.media_type == PLAIN and not by_column:  # no schema says "equally long"
            assert response.status_code == 200, (case.body, response.text)

    ask()
    return seen


def test_schemathesis_finds_nothing_with_requests_as_described(gateway):
    for found in gateway.get_all_operations():
        operation = found.ok()
        seen = sweep(operation, schemathesis.GenerationMode.POSITIVE, 60 if operation.body else 2)
        assert 200 in seen or operation.path in NEEDY, operation.label


def test_schemathesis_finds_nothing_with_requests_otherwise(gateway):
    for found in gateway.get_all_operations():
        operation = found.ok()
        if operation.body:
            assert sweep(operation, schemathesis.GenerationMode.NEGATIVE, 60)


def test_document_names_the_keys_where_a_gateway_asks_for_them(client):
    station = dataclasses.replace(client.station, access=object())
    found = describe(client.station.follower.serving, station)
    assert found["security"] == [{"bearer": []}, {"key": []}]
    assert set(found["components"]["securitySchemes"]) == {"bearer", "key"}
