"""The Open Inference Protocol, version 2, over REST."""

from collections.abc import Sequence
from math import prod
from typing import Any

import msgspec

from setpoint.gateway.answering import Answered
from setpoint.gateway.exchange import Request, Response, answer_json, not_decodable
from setpoint.gateway.health import unready_reasons
from setpoint.gateway.refusal import refuse
from setpoint.gateway.rows import Columns, Lists, Rows
from setpoint.gateway.schema import Schema
from setpoint.gateway.serving import Serving
from setpoint.gateway.station import Station
from setpoint.gateway.versions import Version

_MATRIX = 2  # dimensions of a tensor that holds whole rows
_COLUMN_TYPES = {
    "int": "INT64",
    "float": "FP64",
    "bool": "BOOL",
    "category": "BYTES",
    "text": "BYTES",
}
_WHOLE = frozenset({int})
_REAL = frozenset({int, float})
_DATATYPES: dict[str, frozenset[type]] = {
    "BOOL": frozenset({bool}),
    **{f"{sign}INT{bits}": _WHOLE for sign in ("", "U") for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": _REAL for bits in (16, 32, 64)},
    "BYTES": frozenset({str}),
}


class Tensor(msgspec.Struct, frozen=True):
    """One input tensor."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class Asked(msgspec.Struct, frozen=True):
    """One output that the client wants."""

    name: str


class InferRequest(msgspec.Struct, frozen=True):
    """The body of an inference request."""

    inputs: list[Tensor]
    id: str = ""
    outputs: list[Asked] | None = None


_decode = msgspec.json.Decoder(InferRequest).decode


async def server(station: Station, request: Request) -> Response:
    """Describe the server."""
    del request
    return answer_json({"name": "setpoint", "version": station.release, "extensions": []})


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


async def model(station: Station, request: Request) -> Response:
    """Describe the model: its versions, inputs and outputs."""
    serving, version = _find(station, request)
    schema = version.schema
    return answer_json(
        {
            "name": serving.deployment.model,
            "versions": [loaded.text for loaded in serving.versions.values()],
            "platform": f"setpoint_{version.runtime}",
            "inputs": [
                {"name": rule.name, "datatype": _COLUMN_TYPES[rule.kind], "shape": [-1]}
                for rule in schema.document.columns
            ],
            "outputs": _described_outputs(schema),
            "parameters": {
                "model_version": version.text,
                "contract": schema.document.contract,
                "artifact": version.artifact,
            },
        }
    )


async def model_ready(station: Station, request: Request) -> Response:
    """Say that a model or a version is ready: what is not prepared is not found."""
    serving, _ = _find(station, request)
    return answer_json({"name": serving.deployment.model, "ready": True})


async def infer(station: Station, request: Request) -> Response:
    """Answer tensors with tensors."""
    if b"inference-header-content-length" in request.headers:
        raise refuse(400, "binary tensor data is not supported; send the data as JSON")
    serving, _ = _find(station, request)
    try:
        asked = _decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_decodable(error) from error
    rows = _read_rows(asked.inputs, serving, station)
    answered = await station.answering.answer(
        serving,
        rows,
        request=asked.id[:200],
        pinned=request.place.get("version") or request.header(b"x-setpoint-version"),
    )
    return answer_json(_answer(serving, answered, asked))


def _find(station: Station, request: Request) -> tuple[Serving, Version]:
    """Return what is served and the version that the path names; the champion where it names none."""
    serving = station.require_serving()
    if (name := request.place["model"]) != serving.deployment.model:
        raise refuse(
            404, f"there is no model {name[:60]!r} here; there is {serving.deployment.model!r}"
        )
    named = request.place.get("version")
    return serving, serving.pin(named).version if named else serving.champion


def _read_rows(tensors: list[Tensor], serving: Serving, station: Station) -> Rows:
    """Return the rows of a request: one tensor a column, or one tensor of whole rows."""
    if not tensors:
        raise refuse(400, "the request has no inputs")
    for tensor in tensors:
        _require_sound(tensor, station)
    first = tensors[0]
    if (
        len(tensors) == 1
        and len(first.shape) == _MATRIX
        and (first.shape[1] != 1 or first.name not in serving.feature_names)
    ):
        return Lists(_matrix(first))
    columns: dict[str, Sequence[Any]] = {}
    for tensor in tensors:
        if tensor.shape[0] != first.shape[0] or prod(tensor.shape) != first.shape[0]:
            raise refuse(
                422,
                f"has shape {tensor.shape}, needs [{first.shape[0]}] like {first.name[:60]!r}",
                column=tensor.name[:60],
            )
        if tensor.name in columns:
            raise refuse(422, "is given twice", column=tensor.name[:60])
        columns[tensor.name] = _flat(tensor)
    return Columns(columns, first.shape[0])


def _require_sound(tensor: Tensor, station: Station) -> None:
    """Refuse a tensor whose shape or datatype cannot be."""
    name = tensor.name[:60]
    if tensor.datatype not in _DATATYPES:
        allowed = ", ".join(_DATATYPES)
        raise refuse(422, f"datatype {tensor.datatype[:20]!r} is not one of {allowed}", column=name)
    if len(tensor.shape) not in (1, _MATRIX) or any(size < 1 for size in tensor.shape):
        raise refuse(
            422, f"has shape {tensor.shape[:5]}, needs [rows] or [rows, columns]", column=name
        )
    station.require_few(tensor.shape[0])


def _flat(tensor: Tensor) -> list[Any]:
    """Return the elements of a tensor in row-major order, flat or nested in the request."""
    data = tensor.data
    if data and isinstance(data[0], list):
        rows = data
        if len(rows) != tensor.shape[0] or not all(isinstance(row, list) for row in rows):
            raise _unlike(tensor, len(rows))
        data = [value for row in rows for value in row]
    if len(data) != prod(tensor.shape):
        raise _unlike(tensor, len(data))
    allowed = _DATATYPES[tensor.datatype]
    for row, value in enumerate(data):
        if value is not None and type(value) not in allowed:
            raise refuse(
                422,
                f"holds a {type(value).__name__}, its datatype is {tensor.datatype}",
                column=tensor.name[:60],
                row=row,
            )
    return data


def _matrix(tensor: Tensor) -> list[list[Any]]:
    """Return the rows of a tensor [n, k]."""
    rows, width = tensor.shape
    data = _flat(tensor)
    return [data[row * width : (row + 1) * width] for row in range(rows)]


def _unlike(tensor: Tensor, found: int) -> Exception:
    """Return the refusal of data that do not fill their shape."""
    reason = f"has shape {tensor.shape}, its data have {found} elements"
    return refuse(422, reason, column=tensor.name[:60])


def _described_outputs(schema: Schema) -> list[dict[str, Any]]:
    """Return the outputs of a model as metadata."""
    if not schema.classes:
        return [{"name": "prediction", "datatype": "FP64", "shape": [-1]}]
    return [
        {"name": "label", "datatype": "BYTES", "shape": [-1]},
        {"name": "probability", "datatype": "FP64", "shape": [-1, len(schema.classes)]},
    ]


def _answer(serving: Serving, answered: Answered, asked: InferRequest) -> dict[str, Any]:
    """Return the body of an inference response."""
    wanted = {output.name for output in asked.outputs or ()}
    outputs = _outputs(answered)
    if unknown := sorted(wanted - {output["name"] for output in outputs}):
        known = ", ".join(output["name"] for output in outputs)
        raise refuse(422, f"there is no output {unknown[0][:60]!r}; outputs are {known}")
    parameters: dict[str, str | int | float] = {
        "variant": answered.choice.variant,
        "contract": answered.contract,
        "generation": answered.generation,
    }
    chosen = [output for output in outputs if not wanted or output["name"] in wanted]
    if len(answered.ids) == 1:
        parameters["prediction_id"] = answered.ids[0]
    else:  # parameters are scalars: the ids of many rows travel as a tensor
        chosen.append(_tensor("prediction_id", "BYTES", [len(answered.ids)], answered.ids))
    return {
        "model_name": serving.deployment.model,
        "model_version": answered.choice.version.text,
        "id": asked.id or answered.ids[0],
        "parameters": parameters,
        "outputs": chosen,
    }


def _outputs(answered: Answered) -> list[dict[str, Any]]:
    """Return all outputs of an answer; probabilities are row-major in the order of the classes."""
    schema, decided = answered.schema, answered.decided
    rows = len(answered.ids)
    if not schema.classes:
        return [_tensor("prediction", "FP64", [rows], decided.labels)]
    label = _tensor("label", "BYTES", [rows], decided.labels)
    if not decided.probabilities:
        return [label]
    flat = [min(max(value, 0.0), 1.0) for row in decided.probabilities for value in row]
    probability = _tensor("probability", "FP64", [rows, len(schema.classes)], flat)
    probability["parameters"] = {"classes": msgspec.json.encode(schema.classes).decode()}
    return [label, probability]


def _tensor(name: str, datatype: str, shape: list[int], data: Sequence[Any]) -> dict[str, Any]:
    """Return an output tensor."""
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}
