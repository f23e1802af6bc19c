"""What each call of the protocol is answered: a literal table, from message to message.

A call is a POST of its path, as gRPC has it over HTTP/2; those that only tell are GETs, as in REST, so that the same
rules say who may ask.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from google.protobuf.message import DecodeError

from setpoint.gateway.app import Handler
from setpoint.gateway.doors.health import unready_reasons
from setpoint.gateway.doors.oip import (
    describe_configuration,
    describe_model,
    describe_versions,
    find_named,
)
from setpoint.gateway.doors.oip_answer import answer_tensors, outputs_of, parameters_of
from setpoint.gateway.doors.tensors import require_near
from setpoint.gateway.grpc.contents import (
    put_parameters,
    read_tensors,
    write_tensors,
)
from setpoint.gateway.grpc.messages import (
    HEALTH_PACKAGE,
    HEALTH_SERVICE,
    MESSAGES,
    PACKAGE,
    SERVICE,
)
from setpoint.gateway.station import Station
from setpoint.gateway.wire.exchange import Request, Response
from setpoint.gateway.wire.patience import parameter_patience_s
from setpoint.gateway.wire.refusal import refuse

EXTENSIONS = ("model_configuration", "model_repository")
_GET, _POST = "GET", "POST"
_KIND = b"application/grpc"


async def server_live(station: Station, request: Request) -> Response:
    """Say that the server lives."""
    del station, request
    return _answer("ServerLiveResponse", live=True)


async def server_ready(station: Station, request: Request) -> Response:
    """Say whether the server is ready."""
    del request
    return _answer("ServerReadyResponse", ready=not unready_reasons(station))


async def server_metadata(station: Station, request: Request) -> Response:
    """Describe the server."""
    del request
    return _answer(
        "ServerMetadataResponse", name="setpoint", version=station.release, extensions=EXTENSIONS
    )


async def model_ready(station: Station, request: Request) -> Response:
    """Say whether a model or a version is ready: what is not prepared is not found, and before the first nothing is."""
    asked = _read("ModelReadyRequest", request)
    if station.follower.serving is None:
        return _answer("ModelReadyResponse", ready=False)
    find_named(station, asked.name, asked.version)
    return _answer("ModelReadyResponse", ready=True)


async def model_metadata(station: Station, request: Request) -> Response:
    """Describe the model: its versions, inputs and outputs."""
    asked = _read("ModelMetadataRequest", request)
    return _answer(
        "ModelMetadataResponse", **describe_model(*find_named(station, asked.name, asked.version))
    )


async def model_config(station: Station, request: Request) -> Response:
    """Describe the model in the words of Triton's configuration."""
    asked = _read("ModelConfigRequest", request)
    found = find_named(station, asked.name, asked.version)
    return _answer("ModelConfigResponse", config=describe_configuration(*found))


async def repository_index(station: Station, request: Request) -> Response:
    """List the model's prepared versions; all of them are ready."""
    _read("RepositoryIndexRequest", request)
    return _answer("RepositoryIndexResponse", models=describe_versions(station.follower.serving))


async def model_infer(station: Station, request: Request) -> Response:
    """Answer tensors with tensors, in the form in which they came: as bytes beside the message, or as lists in it."""
    asked = _read("ModelInferRequest", request)
    serving, _ = find_named(station, asked.model_name, asked.model_version)
    for output in asked.outputs:
        require_near(output.parameters, output.name)
        if "classification" in output.parameters:
            said = "classification is not offered; ask for 'probability'"
            raise refuse(400, said, column=output.name[:60])
    answered = await answer_tensors(
        station,
        request,
        serving,
        read_tensors(asked),
        identity=asked.id,
        version=asked.model_version,
        within_s=parameter_patience_s(_given(asked.parameters, "timeout")),
    )
    answer = MESSAGES["ModelInferResponse"](
        model_name=serving.deployment.model,
        model_version=answered.choice.version.text,
        id=asked.id or answered.ids[0],
    )
    put_parameters(answer.parameters, parameters_of(answered))
    outputs = outputs_of(answered, [output.name for output in asked.outputs])
    write_tensors(answer, outputs, raw=bool(asked.raw_input_contents))
    return Response(200, answer.SerializeToString(), _KIND)


async def health_check(station: Station, request: Request) -> Response:
    """Say whether the gateway shall get traffic, as gRPC's own health protocol asks; Kubernetes asks so too."""
    service = _read("HealthCheckRequest", request).service
    if service not in ("", f"{PACKAGE}.{SERVICE}"):
        raise refuse(404, f"there is no service {service[:60]!r} here")
    status = "NOT_SERVING" if unready_reasons(station) else "SERVING"
    return _answer("HealthCheckResponse", status=status)


_INFERENCE, _HEALTH = f"/{PACKAGE}.{SERVICE}", f"/{HEALTH_PACKAGE}.{HEALTH_SERVICE}"

CALLS: Mapping[str, tuple[str, Handler]] = MappingProxyType(
    {
        f"{_INFERENCE}/ServerLive": (_GET, server_live),
        f"{_INFERENCE}/ServerReady": (_GET, server_ready),
        f"{_INFERENCE}/ServerMetadata": (_GET, server_metadata),
        f"{_INFERENCE}/ModelReady": (_GET, model_ready),
        f"{_INFERENCE}/ModelMetadata": (_GET, model_metadata),
        f"{_INFERENCE}/ModelConfig": (_GET, model_config),
        f"{_INFERENCE}/RepositoryIndex": (_GET, repository_index),
        f"{_INFERENCE}/ModelInfer": (_POST, model_infer),
        f"{_HEALTH}/Check": (_GET, health_check),
    }
)


def find_call(path: str) -> tuple[str, str, Handler, Mapping[str, str]]:
    """Return route, method and handler of a call; its place is in the message.

    Raises:
        RefusedError: 404; there is no such call.
    """
    found = CALLS.get(path)
    if found is None:
        raise refuse(404, f"there is no {path[:100]!r}; there are {', '.join(CALLS)}")
    return path, *found, {}


def _given(parameters: Any, name: str) -> dict[str, Any]:
    """Return one parameter of a message as REST has it, or nothing."""
    if name not in parameters:
        return {}
    found = parameters[name]
    return {name: getattr(found, found.WhichOneof("parameter_choice") or "", None)}


def _read(name: str, request: Request) -> Any:
    """Return the message of a request.

    Raises:
        RefusedError: 400; it is none.
    """
    try:
        return MESSAGES[name].FromString(request.body)
    except DecodeError as error:
        raise refuse(400, f"the message is no {name}: {error}"[:300]) from error


def _answer(message: str, /, **fields: Any) -> Response:
    """Return a message as a response."""
    return Response(200, MESSAGES[message](**fields).SerializeToString(), _KIND)
