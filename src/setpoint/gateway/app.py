"""The ASGI application: a literal table of routes, one loop from request to response."""

import asyncio
import contextlib
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from setpoint.gateway import health, oip, outcomes, predict
from setpoint.gateway.exchange import Header, Request, Response, answer_refusal
from setpoint.gateway.refusal import Flaw, RefusedError, refuse
from setpoint.gateway.station import Station

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Handler = Callable[[Station, Request], Awaitable[Response]]

_GET, _POST = "GET", "POST"

ROUTES: dict[str, tuple[str, Handler]] = {
    "/predict": (_POST, predict.predict),
    "/v1/predict": (_POST, predict.predict_v1),
    "/outcomes": (_POST, outcomes.outcomes),
    "/health": (_GET, health.health),
    "/healthz": (_GET, health.alive),
    "/livez": (_GET, health.alive),
    "/readyz": (_GET, health.ready),
    "/metrics": (_GET, health.metrics),
    "/v2": (_GET, oip.server),
    "/v2/health/live": (_GET, oip.server_live),
    "/v2/health/ready": (_GET, oip.server_ready),
}
_MODELS = "/v2/models/"
MODEL_ROUTES: dict[str, tuple[str, Handler]] = {
    "": (_GET, oip.model),
    "ready": (_GET, oip.model_ready),
    "infer": (_POST, oip.infer),
}
_READ_HEADERS = frozenset(
    (
        b"accept",
        b"content-encoding",
        b"content-length",
        b"inference-header-content-length",
        b"x-request-id",
        b"x-setpoint-version",
    )
)


class DisconnectedError(Exception):
    """The client went away before its request was whole."""


class App:
    """The application of one gateway process.

    Args:
        station: What the doors share.
    """

    def __init__(self, station: Station) -> None:
        self._station = station
        self._following: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or take part in the process's start and end."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and measure it."""
        clock = self._station.clock
        started = clock.stopwatch()
        route = "unknown"
        try:
            route, method, handler, place = find_route(scope["path"])
            request = await self._read(scope, receive, place, method)
            response = await handler(self._station, request)
        except RefusedError as refusal:
            response = answer_refusal(refusal)
        except DisconnectedError:
            return
        except Exception:  # noqa: BLE001 (the request's outermost frame: it is answered, and the trace is kept)
            traceback.print_exc(file=sys.stderr)
            response = answer_refusal(refuse(500, "the gateway failed; its error output says how"))
        await _send(send, response)
        labels = (scope["method"] if response.status not in (404, 405) else "_OTHER", route)
        seconds = clock.stopwatch() - started
        self._station.gauges.requests.observe((*labels, str(response.status)), seconds)

    async def _read(
        self, scope: Scope, receive: Receive, place: Mapping[str, str], method: str
    ) -> Request:
        """Return the whole request.

        Raises:
            RefusedError: 405 wrong method, 413 body too large, 415 compressed body.
            DisconnectedError: The client went away.
        """
        if scope["method"] != method and not (method == _GET and scope["method"] == "HEAD"):
            flaw = Flaw(reason=f"{scope['path'][:100]} takes {method}, not {scope['method'][:20]}")
            raise RefusedError(405, [flaw], [(b"allow", method.encode())])
        headers = {name: value for name, value in scope["headers"] if name in _READ_HEADERS}
        if method == _GET:
            return Request(method, scope["path"], headers, place=place)
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise refuse(415, "the body is compressed; send it as plain JSON")
        body = await self._read_body(headers, receive)
        return Request(method, scope["path"], headers, body, place)

    async def _read_body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """Return the whole body, up to the limit."""
        limit = self._station.limits.body
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length[:20]) > limit:
            raise _too_large(limit)
        message = await receive()
        body: bytes = message.get("body", b"")
        parts = [body]
        size = len(body)
        while message.get("more_body") and size <= limit:
            message = await receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        if size > limit:
            raise _too_large(limit)
        return body if len(parts) == 1 else b"".join(parts)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        """Start the log writer and the follower; at the end, when no request is left, write what waits."""
        await receive()
        self._station.writer.start()
        self._following = asyncio.create_task(self._station.follower.run())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._following
        lost = await self._station.writer.drain()
        if lost:
            sys.stderr.write(f"setpoint gateway: {lost} answers could not be written to the log\n")
        await send({"type": "lifespan.shutdown.complete"})


def find_route(path: str) -> tuple[str, str, Handler, Mapping[str, str]]:
    """Return route, method, handler and the parts of the path that the route names.

    Raises:
        RefusedError: 404; there is no such path.
    """
    if found := ROUTES.get(path):
        return path, *found, {}
    if path.startswith(_MODELS):
        parts = path[len(_MODELS) :].split("/")
        place = {"model": parts[0]}
        route, rest = f"{_MODELS}{{model}}", parts[1:]
        if len(rest) > 1 and rest[0] == "versions":
            place["version"] = rest[1]
            route, rest = f"{route}/versions/{{version}}", rest[2:]
        verb = rest[0] if rest else ""
        if len(rest) <= 1 and all(place.values()) and (found := MODEL_ROUTES.get(verb)):
            return f"{route}/{verb}".rstrip("/"), *found, place
    raise refuse(404, f"there is no {path[:100]!r}; there are {', '.join(ROUTES)} and {_MODELS}…")


def _too_large(limit: int) -> RefusedError:
    """Return the refusal of a body over the limit; the rest of the body is not read."""
    flaw = Flaw(reason=f"the body is larger than {limit} bytes")
    return RefusedError(413, [flaw], [(b"connection", b"close")])


async def _send(send: Send, response: Response) -> None:
    """Send one response."""
    headers: list[Header] = [
        (b"content-type", response.content_type),
        (b"content-length", str(len(response.body)).encode()),
        *response.headers,
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
