"""One connection in HTTP/1.1: bytes in, `Request`; `Response`, bytes out. The parser is llhttp's, by httptools.

Nothing here knows what is answered.

Rules:
1. One request at a time, in order. What a client sends ahead waits its turn, and too much of it is not even parsed.
2. Everything has a bound: the head, the body, the time a request may take to arrive, idle time, and the time that
   answers may take to be read. While a client does not read, nothing more is answered to it.
3. A request is answered whole or refused.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol, cast
from urllib.parse import unquote_to_bytes

import httptools

from setpoint.gateway.limits import Limits, LimitsInForce
from setpoint.gateway.wire.exchange import Request, Response, answer_refusal
from setpoint.gateway.wire.refusal import Flaw, RefusedError, refuse

Respond = Callable[[Request], Awaitable[Response]]
Told = Callable[[RefusedError, str, float], None]
"""Takes why somebody was refused who sent no whole request, who it was, and for how many seconds they had sent."""

_AHEAD = 16  # requests that may wait for their turn before no more are read
_SLICE = 16_384  # bytes that are parsed at once: a client's requests ahead are counted in time
_SMALL = 16_384  # bytes of a body that do not count for all connections together
_LINGER_S = 2.0  # how long a refused client may go on sending before it is cut
_READ_BYTES_S = 1_000  # bytes of answers a second that a client must read at least
_READ_HEADERS = frozenset(
    (
        b"accept",
        b"authorization",
        b"content-encoding",
        b"content-type",
        b"grpc-timeout",
        b"inference-header-content-length",
        b"traceparent",
        b"tracestate",
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
    """What connections may cost.

    Args:
        head: Bytes of a request's line and headers.
        connections: Connections at once; a further one is told 503.
        held: Bytes of larger bodies that arrive or wait at once, over all connections; at least four bodies.
        read_s: Seconds in which a request must have arrived whole.
        write_s: Seconds in which a client that is slow to read must have read something of its answers.
        idle_s: Seconds that a connection may be idle.
        crowded_s: The same while three quarters of the connections are taken.
    """

    head: int = 65_536
    connections: int = 10_000
    held: int = 256_000_000
    read_s: float = 30.0
    write_s: float = 30.0
    idle_s: float = (
        75.0  # longer than the 60 s after which load balancers close an idle connection themselves
    )
    crowded_s: float = 5.0


class Home(Protocol):
    """What a connection needs of the server."""

    respond: Respond
    told: Told
    names_peers: bool
    limits: Limits | LimitsInForce
    bounds: Bounds
    draining: bool
    connections: "set[Connection]"
    held: int

    def forget(self, connection: "Connection") -> None:
        """Take note that a connection is gone."""


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
        "_framing",
        "_head",
        "_headed",
        "_headers",
        "_held",
        "_keep",
        "_lingers",
        "_loop",
        "_method",
        "_parser",
        "_partial",
        "_parting",
        "_paused",
        "_peer",
        "_refused",
        "_rest",
        "_resumes",
        "_server",
        "_since",
        "_size",
        "_stalled",
        "_task",
        "_transport",
        "_unsent",
        "_url",
    )

    def __init__(self, server: Home, loop: asyncio.AbstractEventLoop) -> None:
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
        self._peer = ""  # address and port of the client, where somebody wants to know
        self._since = loop.time()  # the beginning of the request that arrives, or of idling
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._method, self._keep = "", False
        self._head = self._size = 0  # bytes that came
        self._headed = False  # the head came to its end: what looks like a header now is none
        self._framing = b""  # the header that says how long the body is; empty where there is none
        self._resumes = False  # the parser, made anew beside an upgrade, is told of that header
        self._held = 0  # bytes of the body that arrives, as the server counts them
        self._rest = b""  # what came and is not parsed yet: too much is ahead of it
        self._paused = False  # no more is read from the socket
        # Since when the client is watched because it does not read; 0 where it does.
        self._stalled = 0.0
        self._parting: asyncio.Transport | None = None  # what is left of it after it was cut
        self._unsent = 0  # bytes of answers that it had not read then

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        if self._server.names_peers:
            self._peer = _address(transport)
        if len(self._server.connections) >= self._server.bounds.connections:
            flaw = Flaw(reason="the gateway has too many connections; try again")
            refusal = RefusedError(503, [flaw], [(b"retry-after", b"1")], "connections")
            self._server.told(refusal, self._peer, 0.0)
            self._transport.write(_bytes_of(answer_refusal(refusal), keep=False, head=False))
            self._transport.close()
            return
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection. A request under way is answered all the same: its answer is in the log."""
        del exc
        self._transport = self._parting = None
        self._let_go()
        self._server.forget(self)

    def eof_received(self) -> bool:
        """Answer what has arrived whole, though the client will send no more."""
        self._ended = True
        return self._busy or bool(self._ahead)

    def data_received(self, data: bytes) -> None:
        """Parse what came; a request that is whole is answered when its turn comes."""
        if self._rest or len(data) > _SLICE:
            self._rest += data
            self._read_rest()
            return
        if self._refused is not None:
            return  # the client is let finish, so that it reads why
        try:
            self._parser.feed_data(data)
        except (
            httptools.HttpParserUpgrade
        ) as upgrade:  # the request's head was read; HTTP/1.1 goes on
            self._parser = httptools.HttpRequestParser(self)
            if self._resumes:
                self._parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n\r\n" % self._framing)
            if rest := data[upgrade.args[0] :]:
                self.data_received(rest)
        except httptools.HttpParserError as error:
            if self._refused is None:
                self._refused = refuse(400, f"this is no HTTP request: {error}"[:200])
            if not self._busy:  # else in its turn
                self._refuse(self._refused)

    def pause_writing(self) -> None:
        """Read and answer no more while the client does not read."""
        transport = self._transport
        if transport is not None:
            self._stalled, self._unsent = self._loop.time(), transport.get_write_buffer_size()
            self._pause()

    def resume_writing(self) -> None:
        """Go on."""
        self._stalled = 0.0
        if not self._busy:
            self._go_on()

    # Called by the parser, in this order.

    def on_message_begin(self) -> None:
        """Begin a request."""
        if self._resumes:
            return
        self._partial = True
        self._since = self._loop.time()
        self._url = b""
        self._headers = {}
        self._body = []
        self._head = self._size = 0
        self._headed, self._framing = False, b""

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        if self._resumes:
            return
        self._url += url
        self._bound_head(len(url), 414, "the request's target")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, if anybody reads it."""
        if self._resumes:
            return
        self._bound_head(len(name) + len(value), 431, "the request's head")
        if self._headed:
            return  # a trailer: what a proxy takes out of a head must not come in behind the body
        name = name.lower()
        if name.startswith(_OWN) or name in _READ_HEADERS:
            self._headers[name] = value
        elif name == b"content-length" and value.isdigit():
            self._framing = b"content-length: " + value
            if int(value[:20]) > self._server.limits.body:
                self._stop(_too_large(self._server.limits.body))
        elif name == b"transfer-encoding":
            self._framing = b"transfer-encoding: chunked"  # the parser takes no other
        elif name == b"expect" and value.lower() == b"100-continue":
            self._headers[b"expect"] = value

    def on_headers_complete(self) -> None:
        """Tell a client that waits to be asked for the body."""
        if self._resumes:
            self._resumes = False
            return
        self._headed = True
        self._method = self._parser.get_method().decode("ascii")
        self._keep = self._parser.should_keep_alive()
        if self._headers.pop(b"expect", None) and self._transport is not None and not self._busy:
            self._transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._size += len(body)
        if self._size > self._server.limits.body:
            self._stop(_too_large(self._server.limits.body))
        if self._size > _SMALL:
            self._hold(self._size - self._held)
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Take the request, unless its body is still to come: beside an upgrade, the parser leaves that to others."""
        if self._parser.should_upgrade() and self._framing:
            self._resumes = True
            return
        self._take()

    def close_if_idle(self) -> None:
        """Close the connection unless a request is on its way."""
        if not self._busy and not self._partial and self._transport is not None:
            self._transport.close()

    def close_if_late(self, now: float, idle_s: float) -> None:
        """Close the connection if it idles too long or does not read; refuse a request that does not arrive."""
        transport = self._transport
        if transport is None:
            return
        if self._stalled:
            self._close_if_stuck(transport, now)
        elif self._busy:
            return
        elif self._lingers or transport.is_closing():
            if now - self._since > (_LINGER_S if self._lingers else self._server.bounds.write_s):
                transport.abort()
        elif self._partial and now - self._since > self._server.bounds.read_s:
            self._refused = refuse(408, "the request did not arrive in time")
            self._refuse(self._refused)
        elif not self._partial and now - self._since > idle_s:
            transport.close()

    def _close_if_stuck(self, transport: asyncio.Transport, now: float) -> None:
        """Cut a client that has read next to nothing of its answers for a while."""
        watched_s = now - self._stalled
        if watched_s <= self._server.bounds.write_s:
            return
        unsent = transport.get_write_buffer_size()
        if self._unsent - unsent < watched_s * _READ_BYTES_S:
            transport.abort()
        self._stalled, self._unsent = now, unsent

    def cut(self) -> None:
        """Refuse what was not answered in time, since the gateway stops."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._busy:
            flaw = Flaw(reason="the gateway stops before the answer; ask again, elsewhere")
            refusal = RefusedError(503, [flaw], [(b"retry-after", b"1")], "draining")
            self._server.told(refusal, self._peer, self._loop.time() - self._since)
            transport.write(_bytes_of(answer_refusal(refusal), keep=False, head=False))
        transport.close()
        self._transport, self._parting = None, transport

    def abort(self) -> None:
        """Cut the connection, whatever it has not read."""
        transport = self._transport or self._parting
        if transport is not None:
            transport.abort()

    def _read_rest(self) -> None:
        """Parse piece by piece, until too many requests are ahead."""
        rest, at = self._rest, 0
        self._rest = b""
        while at < len(rest) and len(self._ahead) <= _AHEAD:
            self.data_received(rest[at : at + _SLICE])
            at += _SLICE
        self._rest = rest[at:]

    def _take(self) -> None:
        """Answer the request, or let it wait for its turn."""
        # The server goes on counting the body, up to its answer.
        self._partial, self._held = False, 0
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        request = Request(self._method, _path_of(self._url), self._headers, body, peer=self._peer)
        if not self._busy and not self._stalled:
            self._begin(request, self._keep)
            return
        self._ahead.append((request, self._keep))
        if len(self._ahead) > _AHEAD:
            self._pause()

    def _begin(self, request: Request, keep: bool) -> None:  # noqa: FBT001 (a fact of the request)
        self._busy = True
        self._task = self._loop.create_task(self._answer(request, keep))

    async def _answer(self, request: Request, keep: bool) -> None:  # noqa: FBT001
        """Answer one request, then the next in turn."""
        response = await self._server.respond(request)
        self._busy = False
        self._since = self._loop.time()
        if len(request.body) > _SMALL:
            self._server.held -= len(request.body)
        transport = self._transport
        if transport is None:
            return
        if not self._ahead and not self._rest and self._refused is None:
            keep = keep and not self._server.draining and not self._ended
        transport.write(_bytes_of(response, keep=keep, head=request.method == "HEAD"))
        if not keep:
            transport.close()
        elif self._ahead or self._paused or self._refused is not None:
            self._go_on()

    def _go_on(self) -> None:
        """Begin the next request, or refuse what comes after the last, unless the client does not read."""
        if self._stalled or self._transport is None or self._transport.is_closing():
            return
        if self._ahead:
            self._begin(*self._ahead.popleft())
        elif self._refused is not None:
            self._refuse(self._refused)
            return
        if self._rest:
            self._read_rest()
        if self._paused and not self._rest and len(self._ahead) <= _AHEAD:
            self._paused = False
            self._transport.resume_reading()

    def _pause(self) -> None:
        if self._transport is not None and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _hold(self, size: int) -> None:
        """Count bytes of a larger body, and refuse them where all connections together hold too many."""
        server = self._server
        self._held += size
        server.held += size
        if server.held > max(server.bounds.held, 4 * server.limits.body):
            flaw = Flaw(reason="the gateway is being sent too much at once; try again")
            self._stop(RefusedError(503, [flaw], [(b"retry-after", b"1")], "connections"))

    def _let_go(self) -> None:
        """Forget what has not begun to be answered."""
        self._server.held -= self._held + sum(_weight(request) for request, _ in self._ahead)
        self._held, self._body, self._rest = 0, [], b""
        self._ahead.clear()

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
        self._let_go()
        self._server.told(refusal, self._peer, self._loop.time() - self._since)
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


def _weight(request: Request) -> int:
    """Return the bytes of a request that the server counts."""
    size = len(request.body)
    return size if size > _SMALL else 0


def _address(transport: asyncio.BaseTransport) -> str:
    """Return address and port of a client; empty where there are none."""
    found = transport.get_extra_info("peername")
    if not isinstance(found, tuple) or len(found) < 2:  # noqa: PLR2004 (address and port)
        return ""
    host = f"[{found[0]}]" if ":" in found[0] else found[0]
    return f"{host}:{found[1]}"


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
