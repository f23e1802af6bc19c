"""Ends the wait of requests whose time is over. A request that is answered before costs a tuple in a list.

A timer for each request would cost ten times as much (1.4 µs against 0.15), and most are answered long before it rings.
So there is one timer, for the earliest moment; futures that are done are let go when it rings, or when they are many.
"""

import asyncio
import math
from typing import Any

from setpoint.clock import Clock

_ROOM = 1024  # futures that are watched, done or not, before the done ones are let go


class OutOfTimeError(Exception):
    """The request's time was over before what it waits for."""


class Deadlines:
    """Watches futures on one event loop.

    Args:
        clock: Whose stopwatch the deadlines are on.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._watched: list[tuple[float, asyncio.Future[Any]]] = []
        self._next = math.inf  # when the timer rings
        self._timer: asyncio.TimerHandle | None = None
        self._room = _ROOM

    def watch(self, future: "asyncio.Future[Any]", until: float) -> None:
        """Have a future raise `OutOfTimeError` unless it is done by then.

        Args:
            future: The future; only its request may wait for it.
            until: The deadline, on the clock's stopwatch.
        """
        watched = self._watched
        watched.append((until, future))
        if until < self._next:
            self._ring_at(until)
        elif len(watched) > self._room:
            self._let_go()

    def _ring_at(self, until: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = until
        delay_s = max(0.0, until - self._clock.stopwatch())
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._ring)

    def _ring(self) -> None:
        """End the waits that are over."""
        now = self._clock.stopwatch()
        for until, future in self._watched:
            if until <= now and not future.done():
                future.set_exception(OutOfTimeError())
        self._timer, self._next = None, math.inf
        self._let_go()
        if self._watched:
            self._ring_at(min(until for until, _ in self._watched))

    def _let_go(self) -> None:
        """Forget the futures that are done; the next time is when as many more have come."""
        self._watched = [entry for entry in self._watched if not entry[1].done()]
        self._room = max(_ROOM, 2 * len(self._watched))
