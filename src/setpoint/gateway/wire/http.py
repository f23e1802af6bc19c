"""The server: accepts connections, bounds them, and drains them.

Why not an ASGI server: passing a request through ASGI costs more than everything that the gateway does with it (figures
in docs/adr/0018). Nothing here knows what is answered.

Rules:
1. Connections are bounded, and so are the bytes that all of them hold. Where many are taken, idle ones close sooner.
2. Draining answers what has arrived, closes what is idle, and refuses what takes too long.
"""

import asyncio
import contextlib
import math
import socket
import ssl

from setpoint.gateway.limits import Limits, LimitsInForce
from setpoint.gateway.wire.connection import Bounds, Connection, Respond, Told

_BACKLOG = 2048
_SWEEP_S = 1.0
_PARTING_S = 1.0  # how long refused clients have to read why
_CROWDED = 0.75  # of the connections


class HttpServer:
    """Answers the requests of every connection.

    Args:
        respond: Answers one request; never raises.
        limits: How large a body may be at this moment.
        bounds: What connections may cost.
        told: Told of everybody who is refused before there is a whole request.
        names_peers: Whether requests are to say where they come from.

    Attributes:
        draining: Whether it stops: connections close after their next answer.
        held: Bytes of larger bodies that connections hold.
    """

    def __init__(
        self,
        respond: Respond,
        limits: Limits | LimitsInForce,
        bounds: Bounds | None = None,
        told: Told = lambda *_: None,
        *,
        names_peers: bool = False,
    ) -> None:
        self.respond = respond
        self.told = told
        self.names_peers = names_peers
        self.limits = limits
        self.bounds = bounds or Bounds()
        self.held = 0
        self.draining = False
        self.connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._empty = asyncio.Event()

    async def open(self, listener: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Accept connections on a listening socket."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self, loop),
            sock=listener,
            ssl=tls,
            backlog=_BACKLOG,
            ssl_handshake_timeout=None if tls is None else self.bounds.read_s,
            ssl_shutdown_timeout=None if tls is None else self.bounds.read_s,
        )
        self._sweeping = loop.create_task(self._sweep())

    def begin_to_drain(self) -> None:
        """Close connections after their next answer; new ones are still accepted."""
        self.draining = True

    async def drain(self, most_s: float) -> None:
        """Stop accepting, answer what has arrived, close every connection; refuse what is left after `most_s`."""
        self.draining = True
        if self._server is not None:
            self._server.close()
        for connection in tuple(self.connections):
            connection.close_if_idle()
        await self._until_empty(most_s)
        for connection in tuple(self.connections):
            connection.cut()
        await self._until_empty(_PARTING_S)
        for connection in tuple(self.connections):
            connection.abort()
        if self._sweeping is not None:
            self._sweeping.cancel()

    async def _until_empty(self, most_s: float) -> None:
        if self.connections:
            self._empty.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), most_s)

    def forget(self, connection: "Connection") -> None:
        """Take note that a connection is gone."""
        self.connections.discard(connection)
        if self.draining and not self.connections:
            self._empty.set()

    async def _sweep(self) -> None:
        """Close connections that idle, do not read or do not send: one look a second costs requests nothing."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SWEEP_S)
            now = loop.time()
            crowded = len(self.connections) > _CROWDED * self.bounds.connections
            idle_s = min(self.bounds.idle_s, self.bounds.crowded_s if crowded else math.inf)
            for connection in tuple(self.connections):
                connection.close_if_late(now, idle_s)
