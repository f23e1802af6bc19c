"""One keep-alive connection: one request at a time, one future an answer."""

import asyncio
from typing import cast

from setpoint.client.answer_reader import AnswerReader, Reply
from setpoint.client.failures import UnreadableAnswerError


class Connection(asyncio.Protocol):
    """One connection to a gateway.

    Args:
        loop: The event loop.

    Attributes:
        is_open: Whether it can be used for a request.
        idle_since: When its last answer came, on the event loop's clock.
    """

    __slots__ = ("_loop", "_reader", "_transport", "_waiting", "idle_since", "is_open")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._reader = AnswerReader()
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Reply] | None = None
        self.is_open = False
        self.idle_since = loop.time()

    def ask(self, request: bytes) -> "asyncio.Future[Reply]":
        """Send a request and return the future of its answer.

        The future fails with `OSError` if the connection breaks, with `UnreadableAnswerError` if what comes is no HTTP.
        """
        self._waiting = waiting = self._loop.create_future()
        if self._transport is None or not self.is_open:
            waiting.set_exception(ConnectionResetError("the connection was closed"))
        else:
            self._transport.write(request)
        return waiting

    def abort(self) -> None:
        """Cut the connection; nothing is waited for."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """Read on; give the answer when it is whole."""
        waiting = self._waiting
        if waiting is None:  # nothing was asked: a server that says goodbye
            self.abort()
            return
        try:
            reply = self._reader.feed(data)
        except UnreadableAnswerError as error:
            self.abort()
            self._fail(error)
            return
        if reply is None:
            return
        if not reply.keep:
            self.abort()
        self._give(waiting, reply)

    def eof_received(self) -> None:
        """Give the answer that ends with the connection, if there is one."""
        self.is_open = False
        if self._waiting is None:
            return
        reply = self._reader.end()
        if reply is not None:
            self._give(self._waiting, reply)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits that there is no answer."""
        self.is_open = False
        self._transport = None
        gone = "the gateway closed the connection before its answer was whole"
        self._fail(exc or ConnectionResetError(gone))

    def _give(self, waiting: "asyncio.Future[Reply]", reply: Reply) -> None:
        self._waiting = None
        self.idle_since = self._loop.time()
        if not waiting.done():
            waiting.set_result(reply)

    def _fail(self, error: Exception) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)
