"""The Open Inference Protocol, version 2, over REST: what a client may ask beside inference.

Beside the protocol's own paths there are those by which KServe lists models, and those of Triton's model configuration
and model repository extensions that only tell.
"""

from typing import Any

import msgspec

from setpoint.gateway.doors.health import unready_reasons
from setpoint.gateway.models.versions import Version
from setpoint.gateway.rows.column_check import ColumnRule
from setpoint.gateway.rows.schema import Schema
from setpoint.gateway.serving import Serving
from setpoint.gateway.station import Station
from setpoint.gateway.wire.exchange import Request, Response, answer_json
from setpoint.gateway.wire.refusal import refuse

EXTENSIONS = ("binary_tensor_data", "model_configuration", "model_repository")
COLUMN_TYPES = {
    "int": "INT64",
    "float": "FP64",
    "bool": "BOOL",
    "category": "BYTES",
    "text": "BYTES",
}
_CONFIGURED = {"BYTES": "TYPE_STRING"}


async def server(station: Station, request: Request) -> Response:
    """Describe the server."""
    del request
    return answer_json({"name": "setpoint", "version": station.release, "extensions": EXTENSIONS})


async def server_live(station: Station, request: Request) -> Response:
    """Say that the server lives."""
    del station, request
    return answer_json({"live": True})


async def server_ready(station: Station, request: Request) -> Response:
    """Say whether the server is ready; the protocol's text has `live` here, its servers `ready`."""
    del request
    reasons = unready_reasons(station)
    content = {"live": True, "ready": not reasons, "reasons": reasons}
    return answer_json(content, 503 if reasons else 200)


async def models(station: Station, request: Request) -> Response:
    """List the models, as KServe does: one, or none while nothing is loaded."""
    del request
    serving = station.follower.serving
    return answer_json({"models": [serving.deployment.model] if serving else []})


async def repository_index(station: Station, request: Request) -> Response:
    """List the model's prepared versions, as Triton's repository index does."""
    del request
    return answer_json(describe_versions(station.follower.serving))


async def model(station: Station, request: Request) -> Response:
    """Describe the model: its versions, inputs and outputs."""
    serving, version = find_version(station, request)
    return answer_json(
        describe_model(serving, version)
        | {
            "inputs": [
                {**tensor, "parameters": _said(rule)}
                for tensor, rule in zip(
                    _inputs(version.schema), version.schema.document.columns, strict=True
                )
            ],
            "parameters": {
                "model_version": version.text,
                "contract": version.schema.document.contract,
                "artifact": version.artifact,
                "key": version.schema.key,
            },
        }
    )


async def model_ready(station: Station, request: Request) -> Response:
    """Say that a model or a version is ready: what is not prepared is not found."""
    serving, _ = find_version(station, request)
    return answer_json({"name": serving.deployment.model, "ready": True})


async def model_config(station: Station, request: Request) -> Response:
    """Describe the model in the words of Triton's configuration; a batch is a dimension like any other."""
    return answer_json(describe_configuration(*find_version(station, request)))


def find_version(station: Station, request: Request) -> tuple[Serving, Version]:
    """Return what is served and the version that the path names; the champion where it names none.

    Raises:
        RefusedError: 404 another model or version; 503 nothing is served yet.
    """
    return find_named(station, request.place["model"], request.place.get("version", ""))


def find_named(station: Station, model: str, version: str) -> tuple[Serving, Version]:
    """Return what is served and the version of this name; the champion where the name is empty.

    Raises:
        RefusedError: 404 another model or version; 503 nothing is served yet.
    """
    serving = station.require_serving()
    if model != serving.deployment.model:
        raise refuse(
            404, f"there is no model {model[:60]!r} here; there is {serving.deployment.model!r}"
        )
    return serving, serving.pin(version).version if version else serving.champion


def describe_model(serving: Serving, version: Version) -> dict[str, Any]:
    """Return what every client is told of a model."""
    return {
        "name": serving.deployment.model,
        "versions": [loaded.text for loaded in serving.versions.values()],
        "platform": f"setpoint_{version.runtime}",
        "inputs": _inputs(version.schema),
        "outputs": _outputs(version.schema),
    }


def describe_configuration(serving: Serving, version: Version) -> dict[str, Any]:
    """Return a model in the words of Triton's configuration; a batch is a dimension like any other."""
    return {
        "name": serving.deployment.model,
        "platform": f"setpoint_{version.runtime}",
        "backend": "setpoint",
        "max_batch_size": 0,
        "input": [_configured(tensor) for tensor in _inputs(version.schema)],
        "output": [_configured(tensor) for tensor in _outputs(version.schema)],
    }


def describe_versions(serving: Serving | None) -> list[dict[str, str]]:
    """Return the prepared versions as Triton's repository index lists them."""
    versions = serving.versions.values() if serving else ()
    model = serving.deployment.model if serving else ""
    return [
        {"name": model, "version": one.text, "state": "READY", "reason": ""} for one in versions
    ]


def _inputs(schema: Schema) -> list[dict[str, Any]]:
    """Return the inputs of a model as metadata."""
    return [
        {"name": rule.name, "datatype": COLUMN_TYPES[rule.kind], "shape": [-1]}
        for rule in schema.document.columns
    ]


def _said(rule: ColumnRule) -> dict[str, str | float | bool]:
    """Return what the contract says of an input, as scalars: parameters have no lists, so values are JSON in a text."""
    said: dict[str, str | float | bool] = {"kind": rule.kind, "nullable": rule.nullable}
    if rule.min is not None:
        said["min"] = rule.min
    if rule.max is not None:
        said["max"] = rule.max
    if rule.values is not None:
        said["values"] = msgspec.json.encode(rule.values).decode()
    return said


def _outputs(schema: Schema) -> list[dict[str, Any]]:
    """Return the outputs of a model as metadata."""
    if not schema.classes:
        return [{"name": "prediction", "datatype": "FP64", "shape": [-1]}]
    return [
        {"name": "label", "datatype": "BYTES", "shape": [-1]},
        {"name": "probability", "datatype": "FP64", "shape": [-1, len(schema.classes)]},
    ]


def _configured(tensor: dict[str, Any]) -> dict[str, Any]:
    """Return a tensor of the metadata as Triton's configuration has it."""
    datatype = tensor["datatype"]
    kind = _CONFIGURED.get(datatype, f"TYPE_{datatype}")
    return {"name": tensor["name"], "data_type": kind, "dims": tensor["shape"]}
