"""The only place that reads the wall clock.

The loop's time is a *tick*: a float on the axis of the contract. On the axis `time` a tick is seconds since
1970-01-01 UTC; on the axis `rows` it is the number of rows seen. Spans of the contract are in the same unit, so
that all arithmetic of windows, delays, cool-downs and budgets is plain subtraction in either world.
"""

import time
from datetime import UTC, datetime
from typing import Literal, Protocol

Axis = Literal["time", "rows"]


class Clock(Protocol):
    """What the loop asks for the time."""

    def now(self) -> float:
        """Return the present tick on the loop's axis."""

    def wall(self) -> float:
        """Return seconds since 1970-01-01 UTC, for stamps that people read."""

    def stopwatch(self) -> float:
        """Return seconds on a clock that never jumps, for measuring durations."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return seconds since 1970-01-01 UTC."""
        return time.time()

    def wall(self) -> float:
        """Return seconds since 1970-01-01 UTC."""
        return time.time()

    def stopwatch(self) -> float:
        """Return seconds on a monotonic clock."""
        return time.perf_counter()


class ManualClock:
    """A clock that stands where it is put: the replay's and the tests'."""

    def __init__(self, now: float = 0.0) -> None:
        self._now = now

    def now(self) -> float:
        """Return the tick it was put to."""
        return self._now

    def wall(self) -> float:
        """Return the tick it was put to; history has no other wall clock."""
        return self._now

    def stopwatch(self) -> float:
        """Return seconds on a monotonic clock: durations are real in every world."""
        return time.perf_counter()

    def put(self, now: float) -> None:
        """Move the clock to `now`.

        Raises:
            ValueError: `now` lies before the present; a loop never sees time run backwards.
        """
        if now < self._now:
            msg = f"clock stands at {self._now}, cannot go back to {now}"
            raise ValueError(msg)
        self._now = now


def say_tick(tick: float, axis: Axis) -> str:
    """Return a tick as people read it: `2018-03-01 00:00` or `row 4,000`."""
    if axis == "rows":
        return f"row {int(tick):,}"
    return datetime.fromtimestamp(tick, UTC).strftime("%Y-%m-%d %H:%M")


def say_moment(tick: float, axis: Axis, recorded: float | None) -> str:
    """Return when something was recorded, as `say_tick` writes instants; its tick where that is not known."""
    return say_tick(tick, axis) if recorded is None else say_tick(recorded, "time")
