"""`/openapi.json`: the doors of this gateway as OpenAPI 3.1, made from the contract of the champion.

Every door that takes a body has an example that works as it stands.
"""

import csv
import io
from typing import Any
from urllib.parse import quote

import msgspec

from setpoint.gateway.doors.oip import COLUMN_TYPES
from setpoint.gateway.rows.row_schema import example_row, list_schema, row_schema, value_schema
from setpoint.gateway.rows.schema import Schema
from setpoint.gateway.serving import Serving
from setpoint.gateway.station import Station
from setpoint.gateway.wire.exchange import Request, Response, answer_json

_JSON = "application/json"
_TEXT: dict[str, Any] = {"type": "string"}
_NUMBER: dict[str, Any] = {"type": "number"}
_WHOLE: dict[str, Any] = {"type": "integer"}
_TRUTH: dict[str, Any] = {"type": "boolean"}
_CLASS: dict[str, Any] = {"type": ["string", "number", "boolean"]}
_SHARE: dict[str, Any] = {"type": "number", "minimum": 0, "maximum": 1}
_PROVENANCE = {
    "model_version": _TEXT,
    "contract": _TEXT,
    "variant": {"enum": ["champion", "challenger"]},
    "generation": _WHOLE,
}
_FREE: dict[str, Any] = {"type": "object"}

Json = dict[str, Any]


async def openapi(station: Station, request: Request) -> Response:
    """Return the document."""
    del request
    return answer_json(describe(station.require_serving(), station))


def describe(serving: Serving, station: Station) -> Json:
    """Return the OpenAPI document of a gateway.

    Args:
        serving: What is served; its champion's contract says what rows must be.
        station: The gateway.
    """
    schema = serving.champion.schema
    document: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": serving.deployment.model,
            "version": serving.champion.text,
            "description": (
                f"A {schema.document.task} model, version {serving.champion.text}, under contract "
                f"{schema.document.contract[:12]}. Served by setpoint {station.release}."
            ),
        },
        "paths": _paths(serving, station.limits.rows),
        "components": {"schemas": _components(schema, station.limits.rows)},
    }
    if station.access is not None:
        document["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        document["security"] = [{"bearer": []}, {"key": []}]
    return document


def _paths(serving: Serving, most: int) -> Json:
    schema = serving.champion.schema
    model = f"/v2/models/{quote(serving.deployment.model, safe='')}"
    chosen = _chosen_version(serving)
    return {
        "/predict": {"post": _predict(schema) | chosen},
        "/v1/predict": {"post": _predict_v1(schema) | chosen},
        "/invocations": {"post": _invocations(schema) | chosen},
        f"{model}/infer": {"post": _infer(schema, most) | chosen},
        "/outcomes": {"post": _outcomes(schema)},
        "/health": {"get": _get("whether a model is loaded")},
        "/healthz": {"get": _get("whether the process answers")},
        "/livez": {"get": _get("whether the process answers")},
        "/readyz": {"get": _get("whether the gateway shall get traffic, and why not")},
        "/metrics": {"get": _get("counters and histograms, for Prometheus", "text/plain")},
        "/ping": {"get": _get("MLflow's probe: a model is loaded", None)},
        "/version": {"get": _get("version of the server", "text/plain")},
        "/v2": {"get": _get("Open Inference Protocol: the server")},
        "/v2/health/live": {"get": _get("Open Inference Protocol: it lives")},
        "/v2/health/ready": {"get": _get("Open Inference Protocol: it is ready")},
        "/v2/models": {"get": _get("the models, as KServe lists them")},
        model: {"get": _get("Open Inference Protocol: versions, inputs and outputs")},
        f"{model}/ready": {"get": _get("Open Inference Protocol: the model is ready")},
        f"{model}/config": {"get": _get("the model as Triton's configuration")},
        "/v2/repository/index": {"post": _get("the prepared versions, as Triton lists them")},
        "/openapi.json": {"get": _get("this document")},
        "/docs": {"get": _get("this document for people", "text/html")},
    }


def _chosen_version(serving: Serving) -> Json:
    """Return the header by which testers choose a version, where they may."""
    if not serving.deployment.override:
        return {}
    header = {
        "name": serving.deployment.override,
        "in": "header",
        "required": False,
        "description": "a prepared version, chosen past the draw: for testers; no release counts such answers",
        "schema": {"enum": [version.text for version in serving.versions.values()]},
    }
    return {"parameters": [header]}


def _predict(schema: Schema) -> Json:
    row = example_row(schema)
    listed = list(row.values())
    examples = {
        "row": row,
        "features": {"features": [listed]},
        "instances": {"instances": [row]},
    }
    door = _door(
        "one row as an object, or rows",
        {"anyOf": [_ref("Row"), _ref("Features"), _ref("Instances"), _ref("Rows")]},
        examples,
        {"anyOf": [_ref("RowAnswer"), _ref("RowsAnswer")]},
    )
    door["operationId"] = "predict"
    door["responses"]["200"]["links"] = {
        "outcome": {
            "operationId": "outcomes",
            "requestBody": {
                "prediction_id": "$response.body#/prediction_id",
                "outcome": _outcome_of(schema),
            },
            "description": "tell later what was true",
        }
    }
    return door


def _predict_v1(schema: Schema) -> Json:
    listed = list(example_row(schema).values())
    return _door(
        "rows",
        {"anyOf": [_ref("Features"), _ref("Instances"), _ref("Rows")]},
        {"rows": [listed], "features": {"features": [listed]}},
        _object(
            {
                **_PROVENANCE,
                "predictions": _list(_CLASS),
                "probabilities": {"type": ["array", "null"], "items": _SHARE},
                "prediction_ids": _list(_TEXT),
            }
        ),
    )


def _invocations(schema: Schema) -> Json:
    row = example_row(schema)
    names, listed = list(row), list(row.values())
    door = _door(
        "rows in one of the forms of MLflow's scoring server",
        {
            "oneOf": [
                _object({"dataframe_split": _ref("Split")}),
                _object({"dataframe_records": _ref("Objects")}),
                _object({"instances": _ref("Rows")}),
                _object({"inputs": {"anyOf": [_ref("Rows"), _ref("Columns")]}}),
            ]
        },
        {
            "dataframe_split": {"dataframe_split": {"columns": names, "data": [listed]}},
            "dataframe_records": {"dataframe_records": [row]},
            "instances": {"instances": [row]},
            "inputs": {"inputs": {name: [value] for name, value in row.items()}},
        },
        _object({"predictions": _list(_CLASS)}),
    )
    door["requestBody"]["content"]["text/csv"] = {
        "schema": _TEXT,
        "examples": {"csv": {"value": _as_csv(names, listed)}},
    }
    door["responses"]["4XX"] = _answer("refused, and why", _ref("MlflowRefusal"))
    door["responses"]["5XX"] = door["responses"]["4XX"]
    return door


def _infer(schema: Schema, most: int) -> Json:
    row = example_row(schema)
    tensors = [
        {
            "name": rule.name,
            "shape": [1],
            "datatype": COLUMN_TYPES[rule.kind],
            "data": [row[rule.name]],
        }
        for rule in schema.document.columns
    ]
    scalar = {"type": ["string", "number", "boolean", "null"]}
    tensor = _object(
        {
            "name": {"enum": list(schema.names)},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": most}},
            "datatype": {"enum": sorted(set(COLUMN_TYPES.values()) | {"FP32", "INT32"})},
            "data": _list(scalar),
        }
    )
    return _door(
        "tensors: one a column, or one of whole rows; binary data too",
        {
            "type": "object",
            "properties": {
                "id": _TEXT,
                "inputs": {"type": "array", "items": tensor, "minItems": 1},
                "outputs": _list(_object({"name": _TEXT})),
            },
            "required": ["inputs"],
        },
        {"columns": {"id": "r-1", "inputs": tensors}},
        _object(
            {
                "model_name": _TEXT,
                "model_version": _TEXT,
                "id": _TEXT,
                "parameters": _FREE,
                "outputs": _list(
                    _object({"name": _TEXT, "shape": _list(_WHOLE), "datatype": _TEXT})
                ),
            }
        ),
    )


def _outcomes(schema: Schema) -> Json:
    outcome = _outcome_of(schema)
    one = {"prediction_id": "01890a5d-ac96-774b-bcce-b302099a8057", "outcome": outcome}
    examples: Json = {"one": one, "several": [one]}
    if schema.key:
        examples["by key"] = {"key": "C-1", "outcome": outcome, "latest": True}
    told = _ref("Outcome")
    several = {**_list(told), "minItems": 1}
    door = _door(
        "what turned out to be true of earlier answers, by prediction_id or by the contract's key",
        {"anyOf": [told, several, _object({"outcomes": several})]},
        examples,
        _object({"status": {"const": "success"}, "recorded": _WHOLE, "known": _WHOLE}),
    )
    door["operationId"] = "outcomes"
    return door


def _outcome(schema: Schema) -> Json:
    """Return the schema of one outcome."""
    regression = schema.document.task == "regression"
    outcome = _NUMBER if regression else {"enum": list(schema.own_classes)}
    by_id = _object({"prediction_id": _TEXT, "outcome": outcome})
    if not schema.key:
        return by_id
    by_key = _object({"key": {"type": ["string", "integer"]}, "outcome": outcome})
    by_key["properties"]["latest"] = _TRUTH
    return {"anyOf": [by_id, by_key]}


def _components(schema: Schema, most: int) -> Json:
    columns = {"type": "array", "const": list(schema.names)}
    rules = schema.document.columns
    many = {"type": "array", "minItems": 1, "maxItems": most}
    answered = {
        **_PROVENANCE,
        "status": {"const": "success"},
        "prediction": _CLASS,
        "probability": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        "prediction_id": _TEXT,
    }
    return {
        "Row": row_schema(schema),
        "List": list_schema(schema),
        "Lists": {**many, "items": _ref("List")},
        "Objects": {**many, "items": _ref("Row")},
        "Columns": _object({rule.name: _list(value_schema(rule)) for rule in rules}),
        "Rows": {"anyOf": [_ref("Lists"), _ref("Objects")]},
        "Features": _object({"features": _ref("Rows")}),
        "Instances": _object({"instances": _ref("Rows")}),
        "Split": {
            **_object({"columns": columns, "data": _ref("Lists")}),
            "additionalProperties": False,
        },
        "Outcome": _outcome(schema),
        "RowAnswer": _object(answered),
        "RowsAnswer": _object(
            {
                **_PROVENANCE,
                "status": {"const": "success"},
                "prediction": _list(_CLASS),
                "probability": {"type": ["array", "null"], "items": _SHARE},
                "prediction_ids": _list(_TEXT),
            }
        ),
        "Refusal": _object({"error": _TEXT, "detail": _list(_ref("Flaw"))}),
        "MlflowRefusal": {
            "anyOf": [_object({"error_code": _TEXT, "message": _TEXT}), _ref("Refusal")]
        },
        "Flaw": {
            **_object({"reason": _TEXT}),
            "properties": {"reason": _TEXT, "column": _TEXT, "row": _WHOLE, "rule": _TEXT},
        },
    }


def _door(summary: str, body: Json, examples: Json, answer: Json) -> Json:
    """Return a door that takes a body."""
    given = {name: {"value": value} for name, value in examples.items()}
    refused = _answer("refused, and why", _ref("Refusal"))
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": {_JSON: {"schema": body, "examples": given}}},
        "responses": {"200": _answer("answered", answer), "4XX": refused, "5XX": refused},
    }


def _get(summary: str, media: str | None = _JSON) -> Json:
    """Return a door that only tells; without a media type its body says nothing."""
    answer: Json = {"description": summary}
    if media is not None:
        answer["content"] = {media: {"schema": {} if media == _JSON else _TEXT}}
    return {"summary": summary, "responses": {"200": answer, "503": {"description": "not ready"}}}


def _answer(description: str, schema: Json) -> Json:
    return {"description": description, "content": {_JSON: {"schema": schema}}}


def _object(properties: Json) -> Json:
    """Return the schema of an object that has all of these."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _outcome_of(schema: Schema) -> Any:
    """Return an outcome that the door takes."""
    return schema.own_classes[schema.positive] if schema.own_classes else 1.5


def _as_csv(names: list[str], values: list[Any]) -> str:
    """Return a header and one row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerow(
        value if isinstance(value, str) else msgspec.json.encode(value).decode() for value in values
    )
    return text.getvalue()
