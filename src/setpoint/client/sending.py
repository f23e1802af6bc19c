"""One request until it has its answer: again after what passes by itself, never beyond its deadline.

Every attempt carries the same `x-request-id`. A gateway draws the version by it where the contract names no sticky
column, so a repetition is answered by the version that the first was; and it stands beside the answer in the log, where
an answer that got lost on its way is told from its repetition by nothing else.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from setpoint import __version__
from setpoint.client.address import Address
from setpoint.client.answer_reader import Reply
from setpoint.client.failures import (
    ClientError,
    DeadlineError,
    UnreachableError,
)
from setpoint.client.pool import Pool
from setpoint.client.refusals import refusal
from setpoint.client.retries import RETRIED, Retries
from setpoint.errors import UsageError

_CHANCE_BYTES = 4
_ID_BYTES = 16
_GOOD = range(200, 300)


@dataclass(frozen=True, slots=True)
class Manner:
    """How requests are sent.

    Args:
        timeout_s: Seconds that a request has in all, repetitions and pauses included.
        retries: When a request is sent again.
        connections: Connections at once, at most.
        tls: How an encrypted connection is made; None takes the system's certificates.
        entropy: Returns this many random bytes: for request ids and for pauses.
    """

    timeout_s: float
    retries: Retries
    connections: int
    tls: ssl.SSLContext | None
    entropy: Callable[[int], bytes]


class Sender:
    """Sends requests to one gateway.

    Args:
        address: The gateway.
        api_key: Sent as a bearer token; None sends none.
        manner: How.

    Raises:
        UsageError: The key cannot stand in a header, or the manner makes no sense.
    """

    def __init__(self, address: Address, api_key: str | None, manner: Manner) -> None:
        if manner.timeout_s <= 0 or manner.connections < 1 or manner.retries.most < 0:
            raise UsageError("a client needs time, a connection and no fewer than 0 retries")
        self._address = address
        self._manner = manner
        self._tls = manner.tls
        if address.tls and manner.tls is None:
            self._tls = ssl.create_default_context()
        elif not address.tls:
            self._tls = None
        self._pool: Pool | None = None
        key = f"authorization: Bearer {_header_text(api_key)}\r\n" if api_key else ""
        self._standing = (
            f"host: {address.authority}\r\nuser-agent: setpoint/{__version__}\r\n{key}"
        ).encode("latin-1")
        self._heads: dict[str, bytes] = {}

    async def post(self, path: str, body: bytes, *, request_id: str = "", pin: str = "") -> Reply:
        """Post JSON and return the answer, whose status is 2xx.

        Args:
            path: Path of the route.
            body: JSON.
            request_id: Id of the request; drawn where it is empty.
            pin: Version that shall answer; empty leaves it to the gateway.

        Raises:
            ClientError: There is no such answer.
        """
        name = request_id or self._manner.entropy(_ID_BYTES).hex()
        more = b"" if not pin else f"x-setpoint-version: {_header_text(pin)}\r\n".encode("latin-1")
        request = (
            b"%bx-request-id: %b\r\n%bcontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
            % (
                self._head("POST", path),
                _header_text(name).encode("latin-1"),
                more,
                len(body),
                body,
            )
        )
        return await self._send(request, name)

    async def get(self, path: str, *, also: int = 0) -> Reply:
        """Get a document and return the answer, whose status is 2xx, or `also`, which is then no reason to ask again.

        Raises:
            ClientError: There is no such answer.
        """
        return await self._send(self._head("GET", path) + b"\r\n", "", also)

    async def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None
            await asyncio.sleep(0)  # the event loop closes sockets in its next turn

    def _head(self, method: str, path: str) -> bytes:
        """Return the request line and the headers that every request has."""
        line = f"{method} {self._address.base}{path} HTTP/1.1\r\n"
        head = self._heads.get(line)
        if head is None:
            head = self._heads[line] = line.encode("ascii") + self._standing
        return head

    async def _send(self, request: bytes, name: str, also: int = 0) -> Reply:
        failures: list[ClientError] = []
        try:
            async with asyncio.timeout(self._manner.timeout_s) as limit:
                return await self._repeat(request, failures, also, limit.when() or 0.0)
        except TimeoutError as error:
            last = failures[-1] if failures else error
            before = f"; before: {failures[-1]}" if failures else ""
            msg = f"no answer within {self._manner.timeout_s:g} s{before}"
            raise DeadlineError(msg, request_id=name) from last
        except ClientError as error:
            error.request_id = name
            raise

    async def _repeat(
        self, request: bytes, failures: list[ClientError], also: int, end: float
    ) -> Reply:
        """Send the request until it is answered, or is not worth sending again."""
        pool = self._running_pool()
        while True:
            try:
                reply = await pool.exchange(request)
            except OSError as error:
                place = f"{self._address.host}:{self._address.port}"
                failure: ClientError = UnreachableError(f"{place}: {_say(error)}")
                failure.__cause__ = error
            else:
                if reply.status in _GOOD or reply.status == also:
                    return reply
                failure = refusal(reply)
                if reply.status not in RETRIED:
                    raise failure
            failures.append(failure)
            if len(failures) > self._manner.retries.most:
                raise failure
            pause_s = self._pause_s(len(failures), failure.retry_after_s)
            if pool.loop.time() + pause_s >= end:
                raise failure  # it says more than that time ran out
            await asyncio.sleep(pause_s)

    def _pause_s(self, failures: int, asked_s: float) -> float:
        drawn = int.from_bytes(self._manner.entropy(_CHANCE_BYTES)) / 256**_CHANCE_BYTES
        return self._manner.retries.pause_s(failures, drawn, asked_s)

    def _running_pool(self) -> Pool:
        """Return the connections of the running event loop; those of one that ended are of no use."""
        loop = asyncio.get_running_loop()
        if self._pool is None or self._pool.loop is not loop:
            self._pool = Pool(self._address, self._manner.connections, self._tls)
        return self._pool


def _header_text(text: str) -> str:
    """Return a text that can stand in a header.

    Raises:
        UsageError: It cannot.
    """
    if text.isascii() and text.isprintable():
        return text
    raise UsageError("a key, a request id and a version are printable ASCII text")


def _say(error: OSError) -> str:
    """Return what an operating system's error means."""
    if isinstance(error, TimeoutError):
        return "no connection in time"
    return error.strerror or str(error) or type(error).__name__
