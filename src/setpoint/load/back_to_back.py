"""Rows sent back to back, as fast as answers come, and every answer kept."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from setpoint.client.answer import Answer
from setpoint.client.async_client import AsyncClient, Row
from setpoint.client.failures import ClientError
from setpoint.clock import Clock

_GOOD = 200


@dataclass(frozen=True, slots=True)
class Sent:
    """One request and what came back.

    Args:
        number: Position of its row.
        latency_s: From sending to the answer.
        answer: The answer; None where none came.
        error: Why none came; None for an answer.
    """

    number: int
    latency_s: float
    answer: Answer | None = None
    error: ClientError | None = None

    @property
    def status(self) -> int:
        """HTTP status; 0 where nothing came back."""
        return _GOOD if self.error is None else self.error.status


async def send_rows(
    client: AsyncClient, rows: Iterable[Row], *, clock: Clock, concurrency: int = 1
) -> list[Sent]:
    """Send each row as one request and return what came back, in the order of the rows.

    Args:
        client: Where to.
        rows: The rows; taken one by one, so a generator may watch what happens and stop.
        clock: Measures latencies.
        concurrency: Requests at once.
    """
    numbered = enumerate(rows)
    sent: list[Sent] = []

    async def work() -> None:
        for number, row in numbered:
            started = clock.stopwatch()
            try:
                answer = await client.predict(row)
            except ClientError as error:
                sent.append(Sent(number, clock.stopwatch() - started, error=error))
            else:
                sent.append(Sent(number, clock.stopwatch() - started, answer))

    await asyncio.gather(*(work() for _ in range(concurrency)))
    return sorted(sent, key=lambda one: one.number)
