"""Inference of the Open Inference Protocol, version 2, over REST: tensors in, tensors out."""

from collections.abc import Sequence
from typing import Any

import msgspec

from setpoint.gateway.answering import Answered
from setpoint.gateway.exchange import Request, Response, answer_json, not_decodable
from setpoint.gateway.oip import find_version
from setpoint.gateway.refusal import refuse
from setpoint.gateway.rows import Columns, Lists, Rows, TypedRows
from setpoint.gateway.serving import Serving
from setpoint.gateway.station import Station
from setpoint.gateway.tensors import FLOATS, Elements, Tensor, as_bytes, require_near, sound_tensors

_MATRIX = 2  # dimensions of a tensor that holds whole rows
_HEADER = b"inference-header-content-length"
_BINARY = b"application/octet-stream"
_OUTPUTS = ("label", "probability", "prediction_id")


class Asked(msgspec.Struct, frozen=True):
    """One output that the client wants."""

    name: str
    parameters: dict[str, Any] | None = None


class InferRequest(msgspec.Struct, frozen=True):
    """The JSON of an inference request."""

    inputs: list[Tensor]
    id: str | None = None
    parameters: dict[str, Any] | None = None
    outputs: list[Asked] | None = None


_decode = msgspec.json.Decoder(InferRequest).decode
_encode = msgspec.json.Encoder().encode


async def infer(station: Station, request: Request) -> Response:
    """Answer tensors with tensors."""
    serving, _ = find_version(station, request)
    json, behind = _split(request)
    try:
        asked = _decode(json)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_decodable(error, json) from error
    binary = _binary_outputs(asked)
    rows = _read_rows(asked.inputs, behind, serving, station)
    answered = await station.answering.answer(
        serving,
        rows,
        request=(asked.id or "")[:200],
        pinned=request.place.get("version") or request.header(b"x-setpoint-version"),
    )
    return _answer(serving, answered, asked, binary)


def _split(request: Request) -> tuple[bytes, bytes | None]:
    """Return the JSON of a request, and the bytes behind it; None where no header says that there are any.

    Raises:
        RefusedError: 400; the header does not say a place in the body.
    """
    given = request.headers.get(_HEADER)
    if given is None:
        return request.body, None
    size = int(given[:20]) if given.isdigit() else -1
    if not 0 <= size <= len(request.body):
        said = given[:20].decode("latin-1")
        raise refuse(
            400,
            f"Inference-Header-Content-Length is {said!r}, the body has {len(request.body)} bytes",
        )
    return request.body[:size], request.body[size:]


def _binary_outputs(asked: InferRequest) -> dict[str, bool]:
    """Return for each output that is asked for whether it is wanted as bytes; the empty name stands for the others.

    Raises:
        RefusedError: 400; an output is wanted in a way that is not offered.
    """
    every = (asked.parameters or {}).get("binary_data_output") is True
    found = {"": every}
    for output in asked.outputs or ():
        parameters = output.parameters or {}
        require_near(parameters, output.name)
        if "classification" in parameters:
            raise refuse(
                400, "classification is not offered; ask for 'probability'", column=output.name[:60]
            )
        found[output.name] = parameters.get("binary_data", every) is True
    return found


def _read_rows(
    tensors: Sequence[Tensor], behind: bytes | None, serving: Serving, station: Station
) -> Rows:
    """Return the rows of a request: one tensor a column, or one tensor of whole rows."""
    if not tensors:
        raise refuse(400, "the request has no inputs")
    found = sound_tensors(tensors, behind)
    first = found[0]
    shape = first.tensor.shape
    station.require_few(shape[0])
    if (
        len(found) == 1
        and len(shape) == _MATRIX
        and (shape[1] != 1 or first.tensor.name not in serving.feature_names)
    ):
        return _typed(first, serving) or _matrix(first)
    fitting = ([shape[0]], [shape[0], 1])
    columns: dict[str, Sequence[Any]] = {}
    for one in found:
        tensor = one.tensor
        if tensor.shape not in fitting:
            said = f"has shape {tensor.shape[:5]}, needs [{shape[0]}] like {first.name!r}"
            raise refuse(422, said, column=one.name)
        if tensor.name in columns:
            raise refuse(422, "is given twice", column=one.name)
        columns[tensor.name] = one.values()
    return Columns(columns, shape[0])


def _typed(matrix: Elements, serving: Serving) -> Rows | None:
    """Return the rows of a matrix of floats, typed at once where the champion takes numbers only; else None."""
    decoder, shape = serving.decoder, matrix.tensor.shape
    schema = serving.champion.schema
    if (
        not decoder.numeric
        or matrix.tensor.datatype not in FLOATS
        or shape[1] != len(schema.names)
        or (numbers := matrix.numbers()) is None
    ):
        return None
    rows = decoder.numbers(numbers)
    if rows is None or len(rows) != shape[0]:
        return None
    extras = decoder.extras(rows)
    return TypedRows(rows, schema, lambda: _matrix(matrix), serving.extra, extras)


def _matrix(matrix: Elements) -> Lists:
    """Return the rows of a tensor [n, k]."""
    rows, width = matrix.tensor.shape
    values = matrix.values()
    return Lists([values[row * width : (row + 1) * width] for row in range(rows)])


def _answer(
    serving: Serving, answered: Answered, asked: InferRequest, binary: dict[str, bool]
) -> Response:
    """Return an inference response."""
    parameters: dict[str, str | int | float] = {
        "variant": answered.choice.variant,
        "contract": answered.contract,
        "generation": answered.generation,
    }
    if len(answered.ids) == 1:  # parameters are scalars: the ids of many rows travel as a tensor
        parameters["prediction_id"] = answered.ids[0]
    outputs = _chosen(answered, asked)
    behind = b""
    for output in outputs:
        if binary.get(output["name"], binary[""]):
            part = as_bytes(output["datatype"], output.pop("data"))
            output["parameters"] = output.get("parameters", {}) | {"binary_data_size": len(part)}
            behind += part
    content = {
        "model_name": serving.deployment.model,
        "model_version": answered.choice.version.text,
        "id": answered.ids[0] if asked.id is None else asked.id,
        "parameters": parameters,
        "outputs": outputs,
    }
    if not any(binary.values()):
        return answer_json(content)
    json = _encode(content)
    return Response(200, json + behind, _BINARY, [(_HEADER, b"%d" % len(json))])


def _chosen(answered: Answered, asked: InferRequest) -> list[dict[str, Any]]:
    """Return the outputs that the request names, in its order; all where it names none.

    Raises:
        RefusedError: 422; there is no such output.
    """
    outputs = _outputs(answered)
    ids = _tensor("prediction_id", "BYTES", [len(answered.ids)], answered.ids)
    if not asked.outputs:
        return [*outputs, ids] if len(answered.ids) > 1 else outputs
    known = {output["name"]: output for output in (*outputs, ids)}
    wanted = dict.fromkeys(output.name for output in asked.outputs)
    if unknown := [name for name in wanted if name not in known]:
        raise refuse(422, f"there is no output {unknown[0][:60]!r}; outputs are {', '.join(known)}")
    return [known[name] for name in wanted]


def _outputs(answered: Answered) -> list[dict[str, Any]]:
    """Return the model's outputs; probabilities are row-major in the order of the classes."""
    schema, decided = answered.schema, answered.decided
    rows = len(answered.ids)
    if not schema.classes:
        return [_tensor("prediction", "FP64", [rows], decided.labels)]
    label = _tensor("label", "BYTES", [rows], decided.labels)
    if not decided.probabilities:
        return [label]
    flat = [min(max(value, 0.0), 1.0) for row in decided.probabilities for value in row]
    probability = _tensor("probability", "FP64", [rows, len(schema.classes)], flat)
    probability["parameters"] = {"classes": _encode(schema.classes).decode()}
    return [label, probability]


def _tensor(name: str, datatype: str, shape: list[int], data: Sequence[Any]) -> dict[str, Any]:
    """Return an output tensor."""
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}
