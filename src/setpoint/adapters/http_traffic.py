"""Traffic for a gateway over real HTTP: keep-alive connections, every answer measured and kept.

For demonstrations, load and tests. Nothing is sent twice: a request whose connection broke is reported as such.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from setpoint.clock import Clock
from setpoint.errors import UsageError

_TIMEOUT_S = 30.0
_LINE_LIMIT = 1 << 20

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """One request and what came back.

    Args:
        number: Position of its row.
        status: HTTP status; 0 where no answer came.
        latency_s: From the first byte sent to the last received.
        version: Version that answered, as text; empty where none did.
        variant: `champion` or `challenger`; empty where none answered.
        generation: Generation of the deployment document; 0 where none answered.
        id: Prediction id; empty where none answered.
        prediction: The answer.
        error: What went wrong; empty for an answer.
    """

    number: int
    status: int
    latency_s: float
    version: str = ""
    variant: str = ""
    generation: int = 0
    id: str = ""
    prediction: Any = None
    error: str = ""


class HttpTraffic:
    """Sends rows of a contract's shape to one gateway.

    Args:
        url: The gateway, such as `http://127.0.0.1:8080`.
        clock: Measures latencies and paces the rows.

    Raises:
        UsageError: `url` is not a plain HTTP address.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            msg = f"{url!r} is not an address such as http://127.0.0.1:8080"
            raise UsageError(msg)
        self._host = parts.hostname
        self._port = parts.port or 80
        self._clock = clock

    async def send(
        self,
        rows: Iterable[Row],
        *,
        path: str = "/predict",
        concurrency: int = 1,
        per_second: float | None = None,
    ) -> list[Sent]:
        """Send each row as one request and return what came back, in the order of the rows.

        Args:
            rows: The rows; taken one by one, so a generator may watch what happens and stop.
            path: Where to send them.
            concurrency: Connections at once.
            per_second: Pace over all connections; None sends as fast as answers come.
        """
        numbered = enumerate(rows)
        started = self._clock.stopwatch()
        sent: list[Sent] = []

        async def work() -> None:
            connection = _Connection(self._host, self._port)
            try:
                for number, row in numbered:
                    if per_second is not None:
                        due = started + number / per_second
                        await asyncio.sleep(max(0.0, due - self._clock.stopwatch()))
                    sent.append(await self._send_one(connection, number, row, path))
            finally:
                await connection.close()

        await asyncio.gather(*(work() for _ in range(concurrency)))
        return sorted(sent, key=lambda one: one.number)

    async def tell(self, outcomes: Mapping[str, str | float], *, batch: int = 500) -> int:
        """Tell the gateway outcomes by prediction id and return how many were new to it.

        Raises:
            UsageError: The gateway refused them; says why.
        """
        connection = _Connection(self._host, self._port)
        new = 0
        try:
            for chunk in _chunks(list(outcomes.items()), batch):
                body = [{"prediction_id": name, "outcome": value} for name, value in chunk]
                status, answer = await connection.post("/outcomes", msgspec.json.encode(body))
                content = msgspec.json.decode(answer)
                if status != 200:  # noqa: PLR2004 (OK)
                    msg = f"the gateway refused outcomes with {status}: {content.get('error')}"
                    raise UsageError(msg)
                new += content["recorded"]
        finally:
            await connection.close()
        return new

    async def _send_one(self, connection: "_Connection", number: int, row: Row, path: str) -> Sent:
        """Send one row and return what came back."""
        body = msgspec.json.encode(row)
        started = self._clock.stopwatch()
        try:
            status, answer = await connection.post(path, body)
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError) as error:
            await connection.close()
            latency_s = self._clock.stopwatch() - started
            return Sent(number, 0, latency_s, error=f"{type(error).__name__}: {error}")
        latency_s = self._clock.stopwatch() - started
        content = msgspec.json.decode(answer)
        return Sent(
            number,
            status,
            latency_s,
            version=content.get("model_version", ""),
            variant=content.get("variant", ""),
            generation=content.get("generation", 0),
            id=content.get("prediction_id", ""),
            prediction=content.get("prediction"),
            error=content.get("error", ""),
        )


class _Connection:
    """One keep-alive connection, opened when it is needed."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Send one request and return status and body of the answer.

        Raises:
            OSError: The connection failed.
            EOFError: It was closed before the answer was whole.
            TimeoutError: No answer came in time.
        """
        async with asyncio.timeout(_TIMEOUT_S):
            reader, writer = await self._open()
            head = (
                f"POST {path} HTTP/1.1\r\nhost: {self._host}:{self._port}\r\n"
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            await writer.drain()
            answer_head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = answer_head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]
            answer = await reader.readexactly(int(length))
        if b"connection: close" in answer_head:
            await self.close()
        return int(answer_head[9:12]), answer

    async def close(self) -> None:
        """Close the connection, if it is open."""
        if self._streams is not None:
            (_, writer), self._streams = self._streams, None
            writer.close()
            with contextlib.suppress(OSError):  # it was broken already
                await writer.wait_closed()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return the streams; a connection that the gateway closed while idle is opened anew."""
        if self._streams is not None and self._streams[0].at_eof():
            await self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=_LINE_LIMIT)
        return self._streams


def _chunks(
    items: list[tuple[str, str | float]], size: int
) -> Iterator[list[tuple[str, str | float]]]:
    """Yield successive chunks of a list."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
