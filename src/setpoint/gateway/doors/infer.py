"""Inference of the Open Inference Protocol, version 2, over REST: tensors in, tensors out."""

from typing import Any

import msgspec

from setpoint.gateway.answering import Answered
from setpoint.gateway.doors.oip import find_version
from setpoint.gateway.doors.oip_answer import answer_tensors, outputs_of, parameters_of
from setpoint.gateway.doors.tensors import Tensor, as_bytes, require_near, sound_tensors
from setpoint.gateway.serving import Serving
from setpoint.gateway.station import Station
from setpoint.gateway.wire.exchange import Request, Response, answer_json, not_decodable
from setpoint.gateway.wire.patience import parameter_patience_s
from setpoint.gateway.wire.refusal import refuse

_HEADER = b"inference-header-content-length"
_BINARY = b"application/octet-stream"


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
    answered = await answer_tensors(
        station,
        request,
        serving,
        sound_tensors(asked.inputs, behind),
        identity=asked.id or "",
        version=request.place.get("version", ""),
        within_s=parameter_patience_s(asked.parameters),
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


def _answer(
    serving: Serving, answered: Answered, asked: InferRequest, binary: dict[str, bool]
) -> Response:
    """Return an inference response."""
    outputs = outputs_of(answered, [output.name for output in asked.outputs or ()])
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
        "parameters": parameters_of(answered),
        "outputs": outputs,
    }
    if not any(binary.values()):
        return answer_json(content)
    json = _encode(content)
    return Response(200, json + behind, _BINARY, [(_HEADER, b"%d" % len(json))])
