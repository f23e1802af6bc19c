"""Kept connections to one gateway, of one event loop."""

import asyncio
import ssl

from setpoint.client.address import Address
from setpoint.client.answer_reader import Reply
from setpoint.client.connection import Connection

_IDLE_S = (
    50.0  # load balancers close what idles for 60 s, and a request that meets that moment is lost
)
_CONNECT_S = 5.0  # an address that swallows packets leaves time to try again


class Pool:
    """Kept connections.

    Args:
        address: The gateway.
        connections: Connections at once, at most; a request that needs one more waits.
        tls: How an encrypted connection is made; None for a plain one.
    """

    def __init__(self, address: Address, connections: int, tls: ssl.SSLContext | None) -> None:
        self.loop = asyncio.get_running_loop()
        self._address = address
        self._tls = tls
        self._permits = asyncio.Semaphore(connections)
        self._idle: list[Connection] = []  # the last used goes first, so that spare ones grow old
        self._closed = False

    async def exchange(self, request: bytes) -> Reply:
        """Send one request and return what came back.

        Raises:
            OSError: There is no connection, or it broke; the request may have been answered all the same.
            UnreadableAnswerError: What came is no HTTP.
        """
        async with self._permits:
            connection = self._kept() or await self._connect()
            try:
                reply = await connection.ask(request)
            except (
                BaseException
            ):  # a cancelled request too leaves an answer behind that nobody reads
                connection.abort()
                raise
            if self._closed:
                connection.abort()
            elif connection.is_open:
                self._idle.append(connection)
            return reply

    def close(self) -> None:
        """Close what is kept; requests under way end first."""
        self._closed = True
        while self._idle:
            self._idle.pop().abort()

    def _kept(self) -> Connection | None:
        """Return a connection that is still good."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and self.loop.time() - connection.idle_since < _IDLE_S:
                return connection
            connection.abort()
        return None

    async def _connect(self) -> Connection:
        """Return a new connection."""
        address = self._address
        async with asyncio.timeout(_CONNECT_S):
            _, connection = await self.loop.create_connection(
                lambda: Connection(self.loop),
                address.host,
                address.port,
                ssl=self._tls,
            )
        return connection
