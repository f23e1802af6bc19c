"""HTTP/1.1 on a socket: bytes in, `Request`; `Response`, bytes out. The parser is llhttp's, by httptools.

Why not an ASGI server: passing a request through ASGI costs more than everything that the gateway does with it (figures
in docs/adr/0018). Nothing here knows what is answered.

Rules:
1. One request at a time on a connection, in order; what a client sends ahead waits, and too much of it is not read.
2. Everything has a bound: connections, the head, the body, the time a request may take to arrive, idle time.
3. A request is answered whole or refused; draining answers what has arrived and closes what is idle.
"""

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast
from urllib.parse import unquote_to_bytes

import httptools

from setpoint.gateway.exchange import Request, Response, answer_refusal
from setpoint.gateway.refusal import RefusedError, refuse

Respond = Callable[[Request], Awaitable[Response]]

_AHEAD = 16  # requests that a client may send before their turn
_BACKLOG = 2048
_SWEEP_S = 1.0
_LINGER_S = 2.0  # how long a refused client may go on sending before it is cut
_READ_HEADERS = frozenset(
    (
        b"accept",
        b"authorization",
        b"content-encoding",
        b"content-type",
        b"inference-header-content-length",
    )
)
_OWN = b"x-"  # what such headers mean is told elsewhere: by the deployment document, for one
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_HEADS = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: ".encode()
    for status in HTTPStatus
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a connection may cost.

    Args:
        body: Bytes of a body.
        head: Bytes of a request's line and headers.
        connections: Connections at once; a further one is told 503.
        read_s: Seconds in which a request must have arrived whole.
        idle_s: Seconds that a connection may be idle.
    """

    body: int = 1_000_000
    head: int = 65_536
    connections: int = 10_000
    read_s: float = 30.0
    idle_s: float = (
        75.0  # longer than the 60 s after which load balancers close an idle connection themselves
    )


class HttpServer:
    """Answers the requests of every connection.

    Args:
        respond: Answers one request; never raises.
        bounds: What a connection may cost.

    Attributes:
        draining: Whether it stops: connections close after their next answer.
    """

    def __init__(self, respond: Respond, bounds: Bounds) -> None:
        self.respond = respond
        self.bounds = bounds
        self.draining = False
        self.connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._empty = asyncio.Event()

    async def open(self, listener: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Accept connections on a listening socket."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self, loop), sock=listener, ssl=tls, backlog=_BACKLOG
        )
        self._sweeping = loop.create_task(self._sweep())

    async def drain(self, most_s: float) -> None:
        """Stop accepting, answer what has arrived, close every connection; after `most_s` seconds cut what is left."""
        self.draining = True
        if self._server is not None:
            self._server.close()
        for connection in tuple(self.connections):
            connection.close_if_idle()
        if self.connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), most_s)
        for connection in tuple(self.connections):
            connection.abort()
        if self._sweeping is not None:
            self._sweeping.cancel()

    def forget(self, connection: "Connection") -> None:
        """Take note that a connection is gone."""
        self.connections.discard(connection)
        if self.draining and not self.connections:
            self._empty.set()

    async def _sweep(self) -> None:
        """Close connections that idle, or whose request does not arrive: one look a second costs requests nothing."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SWEEP_S)
            now = loop.time()
            for connection in tuple(self.connections):
                connection.close_if_late(now)


class Connection(asyncio.Protocol):
    """One client.

    Args:
        server: The server.
        loop: Its event loop.
    """

    __slots__ = (
        "_ahead",
        "_body",
        "_busy",
        "_ended",
        "_head",
        "_headers",
        "_keep",
        "_length",
        "_lingers",
        "_loop",
        "_method",
        "_parser",
        "_partial",
        "_refused",
        "_server",
        "_since",
        "_size",
        "_task",
        "_transport",
        "_unread",
        "_url",
    )

    def __init__(self, server: HttpServer, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._ahead: deque[tuple[Request, bool]] = deque()  # requests in turn, and: keep alive
        self._task: asyncio.Task[None] | None = None
        self._busy = False  # a request is being answered
        self._partial = False  # a request has begun to arrive
        self._ended = False  # the client sends no more
        self._lingers = False  # it was refused, and may still be sending
        self._refused: RefusedError | None = None
        self._since = loop.time()  # the beginning of the request that arrives, or of idling
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._method, self._keep = "", False
        self._head = self._size = 0  # bytes that came
        self._length = 0  # bytes of the body that were announced
        self._unread = 0  # those of them that the parser leaves to us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        if len(self._server.connections) >= self._server.bounds.connections:
            refusal = refuse(503, "the gateway has too many connections")
            self._transport.write(_bytes_of(answer_refusal(refusal), keep=False, head=False))
            self._transport.close()
            return
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection. A request under way is answered all the same: its answer is in the log."""
        del exc
        self._transport = None
        self._ahead.clear()
        self._server.forget(self)

    def eof_received(self) -> bool:
        """Answer what has arrived whole, though the client will send no more."""
        self._ended = True
        return self._busy

    def data_received(self, data: bytes) -> None:
        """Parse what came; a request that is whole is answered when its turn comes."""
        if self._refused is not None:
            return  # the client is let finish, so that it reads why
        if self._unread:
            data = self._read_on(data)
            if not data:
                return
        try:
            self._parser.feed_data(data)
        except (
            httptools.HttpParserUpgrade
        ) as upgrade:  # the request itself was read; HTTP/1.1 goes on
            self._parser = httptools.HttpRequestParser(self)
            if rest := data[upgrade.args[0] :]:
                self.data_received(rest)
        except httptools.HttpParserError as error:
            if self._refused is None:
                self._refused = refuse(400, f"this is no HTTP request: {error}"[:200])
            if not self._busy:  # else in its turn
                self._refuse(self._refused)

    def pause_writing(self) -> None:
        """Read no more while the client does not read."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        if self._transport is not None and len(self._ahead) <= _AHEAD:
            self._transport.resume_reading()

    # Called by the parser, in this order.

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._partial = True
        self._since = self._loop.time()
        self._url = b""
        self._headers = {}
        self._body = []
        self._head = self._size = self._length = 0

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        self._url += url
        self._bound_head(len(url), 414, "the request's target")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, if anybody reads it."""
        self._bound_head(len(name) + len(value), 431, "the request's head")
        name = name.lower()
        if name.startswith(_OWN) or name in _READ_HEADERS:
            self._headers[name] = value
        elif name == b"content-length" and value.isdigit():
            self._length = int(value[:20])
            if self._length > self._server.bounds.body:
                self._stop(_too_large(self._server.bounds.body))
        elif name == b"expect" and value.lower() == b"100-continue":
            self._headers[b"expect"] = value

    def on_headers_complete(self) -> None:
        """Tell a client that waits to be asked for the body."""
        if self._headers.pop(b"expect", None) and self._transport is not None and not self._busy:
            self._transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._size += len(body)
        if self._size > self._server.bounds.body:
            self._stop(_too_large(self._server.bounds.body))
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Take the request, unless its body is still to come: beside an upgrade, the parser leaves that to others."""
        self._method = self._parser.get_method().decode("ascii")
        self._keep = self._parser.should_keep_alive()
        if self._parser.should_upgrade() and self._length:
            self._unread = self._length
            return
        self._take()

    def close_if_idle(self) -> None:
        """Close the connection unless a request is on its way."""
        if not self._busy and not self._partial and self._transport is not None:
            self._transport.close()

    def close_if_late(self, now: float) -> None:
        """Close the connection if it idles too long; refuse a request that does not arrive."""
        if self._busy or self._transport is None:
            return
        if self._lingers and now - self._since > _LINGER_S:
            self._transport.abort()
        elif self._partial and now - self._since > self._server.bounds.read_s:
            self._refused = refuse(408, "the request did not arrive in time")
            self._refuse(self._refused)
        elif not self._partial and now - self._since > self._server.bounds.idle_s:
            self._transport.close()

    def abort(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()

    def _decline_upgrade(self, rest: bytes) -> None:
        """Go on in HTTP/1.1 after a request that offered another protocol, as clients of HTTP/2 do."""
        self._parser = httptools.HttpRequestParser(self)
        if rest:
            self.data_received(rest)

    def _read_on(self, data: bytes) -> bytes:
        """Read the body that the parser left, and return what follows it."""
        part = data[: self._unread]
        self._body.append(part)
        self._unread -= len(part)
        if not self._unread:
            self._take()
        return data[len(part) :]

    def _take(self) -> None:
        """Answer the request, or let it wait for its turn."""
        self._partial = False
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        request = Request(self._method, _path_of(self._url), self._headers, body)
        if not self._busy:
            self._begin(request, self._keep)
            return
        self._ahead.append((request, self._keep))
        if len(self._ahead) > _AHEAD and self._transport is not None:
            self._transport.pause_reading()

    def _begin(self, request: Request, keep: bool) -> None:  # noqa: FBT001 (a fact of the request)
        self._busy = True
        self._task = self._loop.create_task(self._answer(request, keep))

    async def _answer(self, request: Request, keep: bool) -> None:  # noqa: FBT001
        """Answer one request, then the next in turn."""
        response = await self._server.respond(request)
        self._busy = False
        self._since = self._loop.time()
        transport = self._transport
        if transport is None:
            return
        if not self._ahead and self._refused is None:
            keep = keep and not self._server.draining and not self._ended
        transport.write(_bytes_of(response, keep=keep, head=request.method == "HEAD"))
        if not keep:
            transport.close()
        elif not self._ahead and self._refused is not None:
            self._refuse(self._refused)
        elif self._ahead:
            if len(self._ahead) == _AHEAD:
                transport.resume_reading()
            self._begin(*self._ahead.popleft())

    def _bound_head(self, size: int, status: int, what: str) -> None:
        self._head += size
        if self._head > self._server.bounds.head:
            self._stop(refuse(status, f"{what} is larger than {self._server.bounds.head} bytes"))

    def _stop(self, refusal: RefusedError) -> None:
        """Have the parser stop; the request is refused in its turn."""
        self._refused = refusal
        raise refusal

    def _refuse(self, refusal: RefusedError) -> None:
        """Refuse what cannot be read to its end, and close."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(_bytes_of(answer_refusal(refusal), keep=False, head=False))
        self._since, self._partial = self._loop.time(), False
        if self._server.draining or not transport.can_write_eof():
            transport.close()
            return
        self._lingers = True
        transport.write_eof()


def _bytes_of(response: Response, *, keep: bool, head: bool) -> bytes:
    """Return a response as it goes over the wire."""
    parts = [
        _HEADS[response.status],
        response.content_type,
        b"\r\ncontent-length: %d\r\n" % len(response.body),
    ]
    parts.extend(b"%b: %b\r\n" % header for header in response.headers)
    if not keep:
        parts.append(b"connection: close\r\n")
    parts.append(b"\r\n")
    if not head:
        parts.append(response.body)
    return b"".join(parts)


def _path_of(url: bytes) -> str:
    """Return the path of a request's target, percent-decoded; what is no path at all is found nowhere."""
    if not url.startswith(b"/"):
        try:
            url = httptools.parse_url(url).path or b"*"
        except httptools.HttpParserInvalidURLError:
            return "*"
    path = url.partition(b"?")[0]
    if b"%" in path:
        path = unquote_to_bytes(path)
    return path.decode("utf-8", "replace")


def _too_large(limit: int) -> RefusedError:
    return refuse(413, f"the body is larger than {limit} bytes")
