"""The clock of a live loop whose contract has no time: its tick is the number of answers that were logged."""

from setpoint.adapters.log.chunk_log import ChunkLog
from setpoint.clock import Clock, SystemClock


class LogClock:
    """Counts answers; implements `setpoint.clock.Clock` on the axis `rows`.

    Args:
        log: The prediction log.
        system: Tells the time to people, and measures durations.
    """

    def __init__(self, log: ChunkLog, system: Clock | None = None) -> None:
        self._log = log
        self._system = system or SystemClock()

    def now(self) -> float:
        """Return the number of answers logged so far.

        Raises:
            JournalError: The log cannot be read.
        """
        return float(self._log.span()[2])

    def wall(self) -> float:
        """Return seconds since 1970-01-01 UTC."""
        return self._system.wall()

    def stopwatch(self) -> float:
        """Return seconds on a clock that never jumps."""
        return self._system.stopwatch()
