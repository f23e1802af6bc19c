"""Clients that ask without a pause and keep everything they were told, with the moment at which they were."""

import asyncio
import gc
import itertools
import time
from dataclasses import dataclass, field

from benchmarks.resilience.stage import Row
from setpoint.client import Answer, AsyncClient, ClientError, Retries

CONCURRENCY = 16


@dataclass
class Told:
    """What clients were told.

    Args:
        answers: Each answer with the number of its row and the wall time at which it came.
        refused: Statuses of requests without an answer; 0 where the connection broke or there was none.
        generation: Newest generation that an answer named.
        news: Set whenever the generation grows.
    """

    answers: list[tuple[int, Answer, float]] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    generation: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, row: int, answer: Answer) -> None:
        """Keep an answer."""
        self.answers.append((row, answer, time.time()))
        if answer.generation > self.generation:
            self.generation = answer.generation
            self.news.set()


async def keep_asking(
    url: str,
    rows: list[Row],
    told: Told,
    stop: asyncio.Event,
    concurrency: int = CONCURRENCY,
) -> None:
    """Ask about one row after the other, over several connections at once, until told to stop; never repeat."""
    gc.disable()  # it would look at all that was told again and again, and the clients would seem to wait for answers
    numbers = itertools.count()

    async def work(client: AsyncClient) -> None:
        while not stop.is_set():
            row = next(numbers) % len(rows)
            try:
                told.take(row, await client.predict(rows[row]))
            except ClientError as error:
                told.refused.append(error.status)
                await asyncio.sleep(0.01)  # a gateway that is being started again answers nothing

    async with AsyncClient(url, retries=Retries(most=0)) as client:
        await asyncio.gather(*(work(client) for _ in range(concurrency)))


async def answers_of(url: str, rows: list[Row], version: int) -> list[float]:
    """Return what a version says of each row, asked for by its number."""
    async with AsyncClient(url) as client:
        found = [await client.predict(row, version=str(version)) for row in rows]
    return [float(one.probability or 0.0) for one in found]
