"""The server that carries the calls: grpcio's, on the gateway's own event loop.

Rules:
1. A call becomes a `Request` and goes the way that every request goes; here is only what gRPC adds.
2. Everything has a bound: the message (also once it is decompressed), connections, calls of one connection, silence.
3. A call is answered whole or refused with a status and a reason; draining answers what has arrived.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, unquote

import grpc
import msgspec

from setpoint.gateway.grpc.calls import CALLS
from setpoint.gateway.limits import Limits, LimitsInForce
from setpoint.gateway.wire.exchange import Request, Response
from setpoint.gateway.wire.patience import GRPC_TIMEOUT

Respond = Callable[[Request], Coroutine[Any, Any, Response]]
Metadata = Sequence[tuple[str, str | bytes]]

STATUSES: Mapping[int, grpc.StatusCode] = MappingProxyType(
    {
        401: grpc.StatusCode.UNAUTHENTICATED,
        403: grpc.StatusCode.PERMISSION_DENIED,
        404: grpc.StatusCode.NOT_FOUND,
        429: grpc.StatusCode.RESOURCE_EXHAUSTED,
        500: grpc.StatusCode.INTERNAL,
        503: grpc.StatusCode.UNAVAILABLE,
        504: grpc.StatusCode.DEADLINE_EXCEEDED,
    }
)
"""What a refusal's HTTP status is in gRPC; any other says that the request cannot be answered as it is."""

_LONGEST = 4_000  # bytes of a reason on the wire: clients take 8,192 of all metadata together
_STREAMS = 1_000
_MOST = 10**8 - 1  # the header grpc-timeout has eight digits
_PARTING_S = 0.05
_PARTING_TURNS = 20  # a second in all


@dataclass(frozen=True, slots=True)
class Wire:
    """What the door may cost.

    Args:
        message: Bytes of a message.
        connections: Connections at once.
        idle_s: Seconds that a connection may be without a call; the client opens another when it needs one.
        age_s: Seconds after which a connection is ended between two calls, so that clients spread over new replicas.
        grace_s: Seconds that a call on such a connection may still take.
    """

    message: int = 1_000_000
    connections: int = 10_000
    idle_s: float = 300.0
    age_s: float = 1_800.0
    grace_s: float = 30.0

    def options(self) -> list[tuple[str, int]]:
        """Return them as grpcio's options."""
        return [
            ("grpc.max_receive_message_length", self.message),
            ("grpc.max_send_message_length", -1),  # an answer is as large as its request allows
            ("grpc.max_allowed_incoming_connections", self.connections),
            ("grpc.max_concurrent_streams", _STREAMS),
            ("grpc.max_connection_idle_ms", int(self.idle_s * 1000)),
            ("grpc.max_connection_age_ms", int(self.age_s * 1000)),
            ("grpc.max_connection_age_grace_ms", int(self.grace_s * 1000)),
            ("grpc.keepalive_time_ms", 60_000),  # finds clients that vanished
            ("grpc.keepalive_timeout_ms", 20_000),
            # Clients that ask more often whether the connection lives are told to calm down.
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.server_handshake_timeout_ms", 30_000),
            ("grpc.so_reuseport", 1),  # workers share the port
        ]


class GrpcServer:
    """Answers the calls of every connection of one process.

    Args:
        respond: Answers one request; never raises.
        limits: How large a message may be at this moment.
        wire: What the door may cost.
    """

    def __init__(self, respond: Respond, limits: Limits | LimitsInForce, wire: Wire) -> None:
        self._respond = respond
        self._limits = limits
        self._wire = wire
        self._server: Any = None
        self._draining = False
        self._called = 0  # calls that came
        self._answering: set[asyncio.Task[Response]] = set()

    async def open(self, address: str, tls: tuple[bytes, bytes] | None = None) -> int:
        """Accept connections, and return the port.

        Args:
            address: Host and port; an IPv6 host in brackets.
            tls: Private key and certificate with its chain, as PEM; None for the clear.

        Raises:
            OSError: The address cannot be listened on.
        """
        self._server = grpc.aio.server(handlers=self._handlers(), options=self._wire.options())
        try:
            if tls is None:
                port = self._server.add_insecure_port(address)
            else:
                port = self._server.add_secure_port(address, grpc.ssl_server_credentials([tls]))
        except RuntimeError as error:
            raise OSError(str(error)) from error
        await self._server.start()
        return int(port)

    async def drain(self, most_s: float) -> None:
        """Answer the calls that have arrived, refuse further ones, and close; after `most_s` seconds cut what is left.

        Calls that grpcio has not handed over when it closes would be told CANCELLED, which no client tries again. So
        it closes once nothing came for a moment.
        """
        if self._server is None:
            return
        self._draining = True
        for _ in range(_PARTING_TURNS):
            before = self._called
            await asyncio.sleep(_PARTING_S)
            if self._called == before:
                break
        await self._server.stop(most_s)
        if self._answering:  # of clients that gave up: their answers may still go to the log
            await asyncio.wait(self._answering, timeout=most_s)

    def _handlers(self) -> list[Any]:
        """Return what answers each service's calls; a call that there is none of is told UNIMPLEMENTED by grpcio."""
        services: dict[str, dict[str, Any]] = {}
        for path, (method, _) in CALLS.items():
            _, service, name = path.split("/")
            answer = partial(self._call, method, path)
            services.setdefault(service, {})[name] = grpc.unary_unary_rpc_method_handler(answer)
        return [grpc.method_handlers_generic_handler(*service) for service in services.items()]

    async def _call(self, method: str, path: str, message: bytes, context: Any) -> bytes:
        """Answer one call, or end it with a status."""
        self._called += 1
        if self._draining:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the gateway stops; ask another one")
        if len(message) > self._limits.body:
            reason = f"the message is larger than {self._limits.body} bytes"
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, reason)
        headers = _headers(context.invocation_metadata())
        if (left_s := context.time_remaining()) is not None:
            headers[GRPC_TIMEOUT] = _timeout(left_s)
        request = Request(method, path, headers, message, peer=_address(context.peer()))
        # A client that gives up cancels this frame. The request goes on, as over HTTP: nothing behind the door need be
        # written so that it can end anywhere.
        answering = asyncio.ensure_future(self._respond(request))
        self._answering.add(answering)
        answering.add_done_callback(self._answering.discard)
        response = await asyncio.shield(answering)
        if response.headers:
            trailing = [(name.decode(), value.decode()) for name, value in response.headers]
            context.set_trailing_metadata(trailing)
        if response.status != 200:  # noqa: PLR2004 (the status of an answer)
            status = STATUSES.get(response.status, grpc.StatusCode.INVALID_ARGUMENT)
            await context.abort(status, _reason(response.body))
        return response.body


def _headers(metadata: Metadata | None) -> dict[bytes, bytes]:
    """Return a call's metadata as headers; bytes among them are nobody's."""
    return {
        name.encode(): value.encode() for name, value in metadata or () if isinstance(value, str)
    }


def _timeout(left_s: float) -> bytes:
    """Return seconds as gRPC writes them in a header, which grpcio keeps to itself: at most eight digits and a unit."""
    micros = int(left_s * 1e6)
    return b"%du" % micros if micros <= _MOST else b"%dm" % min(micros // 1000, _MOST)


def _address(peer: str) -> str:
    """Return address and port of a client, of `ipv4:127.0.0.1:5000` or `ipv6:%5B::1%5D:5000`."""
    kind, _, address = peer.partition(":")
    return unquote(address) if kind in ("ipv4", "ipv6") else ""


def _reason(body: bytes) -> str:
    """Return why a request is refused, as long as it may be: what is no ASCII is escaped on the wire."""
    text = str(msgspec.json.decode(body)["error"])
    while len(quote(text)) > _LONGEST:
        text = f"{text[: len(text) * 3 // 4]}…"
    return text
