"""Requests at a steady rate, whatever the answers do.

Why so: a generator that waits for an answer before it sends the next request asks least when the server is slowest, and
so leaves out just the requests that would have waited (coordinated omission). Rules:

1. Request k has its time, `start + k / rate`, and is due then. It leaves at once if fewer than `concurrency` are under
   way; else it waits, and leaves when one of them ends.
2. Its latency counts from its time. A timer is no finer than a millisecond or two, so a request that leaves so soon
   after its time counts from when it leaves.
3. What the generator itself does not manage is counted apart: requests that leave late although there was room, the
   share of a processor that it takes, and how long it waited for one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from setpoint.client.answer import Answer
from setpoint.client.failures import ClientError
from setpoint.load.measured import Measured
from setpoint.load.tally import Tally

GRAIN_S = 0.002  # what a timer cannot resolve
LATE_S = 0.010  # a request that the generator sends this much after its time is late
_TICK_S = 0.001
_LONGEST_SLEEP_S = 0.1  # so that an interrupt is seen
_TOLD_S = 0.5
_LINGER_S = 1.0  # an interrupted load waits so long for what is under way


@dataclass(frozen=True, slots=True)
class Pace:
    """How a load goes.

    Args:
        rate: Requests a second, above 0.
        seconds: How long, above 0.
        concurrency: Requests under way at once, at most.
        stopwatch: Seconds on a clock that never jumps.
        processor: Seconds of processor time that this process took, and seconds that it waited for a processor.
        told: Told every half second how far it is.
    """

    rate: float
    seconds: float
    concurrency: int
    stopwatch: Callable[[], float]
    processor: Callable[[], tuple[float, float]]
    told: Callable[[float, Tally], None] = lambda *_: None


class Steady:
    """One load.

    Args:
        ask: Sends request k and returns its answer.
        pace: How it goes.
    """

    def __init__(self, ask: Callable[[int], Awaitable[Answer]], pace: Pace) -> None:
        self._ask = ask
        self._pace = pace
        self._total = max(1, round(pace.rate * pace.seconds))
        self._tally = Tally()
        self._started = 0.0
        self._last = 0.0  # when the last answer came
        self._next = 0  # the first request that was not sent yet
        self._backlog = False  # there were more due than may be under way
        self._open = True
        self._under_way: dict[asyncio.Task[None], int] = {}
        self._broken: BaseException | None = None

    async def run(self, stop: asyncio.Event) -> Measured:
        """Send until the time is over or `stop` is set, wait for the answers, and return what was measured."""
        self._started = self._last = self._pace.stopwatch()
        before = self._pace.processor()
        await self._send_all(stop)
        elapsed_s, after = self._pace.stopwatch() - self._started, self._pace.processor()
        self._open = False
        await self._finish(stop)
        used, starved = (
            (late - early) / elapsed_s for early, late in zip(before, after, strict=True)
        )
        return self._measured(elapsed_s, used, starved, interrupted=stop.is_set())

    async def _send_all(self, stop: asyncio.Event) -> None:
        """Begin requests as they fall due."""
        rate, told_at = self._pace.rate, 0.0
        while not stop.is_set() and self._broken is None:
            at = self._pace.stopwatch() - self._started
            due = self._due(at)
            if not self._backlog and self._next < due and at - self._next / rate > LATE_S:
                first_in_time = self._due(at - LATE_S)
                self._tally.late += min(first_in_time, due) - self._next
            self._begin_some(due)
            ended = self._next == self._total or at >= self._pace.seconds
            if ended or at >= told_at:
                self._pace.told(at, self._tally)
                if ended:
                    return
                told_at = at + _TOLD_S
            until_next = self._next / rate - at
            await asyncio.sleep(min(max(until_next, _TICK_S), _LONGEST_SLEEP_S))

    def _due(self, at: float) -> int:
        """Return how many requests' times have come."""
        return min(int(at * self._pace.rate) + 1, self._total)

    def _begin_some(self, due: int) -> None:
        """Begin what is due, as far as there is room."""
        while self._next < due and len(self._under_way) < self._pace.concurrency:
            number = self._take()
            task = asyncio.create_task(self._work(number))
            self._under_way[task] = number
            task.add_done_callback(self._done)
        self._backlog = self._next < due

    def _take(self) -> int:
        number, self._next = self._next, self._next + 1
        self._tally.sent += 1
        return number

    async def _work(self, number: int) -> None:
        """Send a request, and then what waited for room."""
        while True:
            await self._send(number)
            if not self._open or not self._backlog:
                return
            if self._next >= self._due(self._pace.stopwatch() - self._started):
                self._backlog = False
                return
            number = self._take()
            if (task := asyncio.current_task()) is not None:
                self._under_way[task] = number

    async def _send(self, number: int) -> None:
        now, due = self._pace.stopwatch(), self._time_of(number)
        since = due if now - due > GRAIN_S else now
        try:
            answer = await self._ask(number)
        except ClientError as error:
            self._tally.fail(error, self._pace.stopwatch() - since)
        else:
            self._last = self._pace.stopwatch()
            self._tally.answer(answer, self._last - since)

    def _done(self, task: asyncio.Task[None]) -> None:
        """Forget a task; keep what no request may raise."""
        del self._under_way[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken = self._broken or error

    async def _finish(self, stop: asyncio.Event) -> None:
        """Wait for what is under way; an interrupted load does not wait long."""
        while self._under_way and not stop.is_set():
            await asyncio.wait(set(self._under_way), timeout=_LONGEST_SLEEP_S)
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=_LINGER_S)
        now, left = self._pace.stopwatch(), dict(self._under_way)
        for task, number in left.items():
            task.cancel()
            self._tally.give_up(now - self._time_of(number))
        if left:
            await asyncio.wait(left)
        if self._broken is not None:
            raise self._broken

    def _measured(
        self, elapsed_s: float, used: float, starved: float, *, interrupted: bool
    ) -> Measured:
        tally, pace = self._tally, self._pace
        scheduled = self._due(min(elapsed_s, pace.seconds))
        for number in range(self._next, scheduled):
            tally.waits.add(elapsed_s - number / pace.rate)
        answering_s = max(self._last - self._started, elapsed_s)
        return Measured(
            rate=pace.rate,
            seconds=pace.seconds,
            elapsed_s=elapsed_s,
            scheduled=scheduled,
            sent=tally.sent,
            answered=tally.answered,
            answered_per_s=tally.answered / answering_s,
            latency=tally.latency(),
            statuses=dict(tally.statuses),
            errors=dict(tally.errors.most_common()),
            examples=tally.examples,
            versions=dict(tally.versions.most_common()),
            late_share=tally.late / max(1, tally.sent),
            processor_share=used,
            starved_share=starved,
            concurrency=pace.concurrency,
            interrupted=interrupted,
        )

    def _time_of(self, number: int) -> float:
        return self._started + number / self._pace.rate
