"""Puts the shadows of one gateway process together; what they need is opened when there is the first of them."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setpoint.clock import Clock
from setpoint.facts.prediction import Outcome, Prediction
from setpoint.gateway.follow import Follower
from setpoint.gateway.log_writer import AnswerLog, LogWriter
from setpoint.gateway.shadows.shadows import Shadows
from setpoint.wiring.log_place import LogPlace, open_answers

_KEPT = 10_000  # answers of shadows while their log cannot be written
_LINGER_S = (
    0.2  # nobody waits for them, and each commit is an fsync that requests might wait behind
)


class LateLog:
    """A log that is opened with the first answer: most gateways never have a shadow.

    Args:
        opened: Opens it, or raises `JournalError`.
    """

    def __init__(self, opened: Callable[[], AnswerLog]) -> None:
        self._opened = opened
        self._log: AnswerLog | None = None

    def append(self, predictions: Sequence[Prediction]) -> None:
        """Append answers in one transaction, or raise `JournalError`."""
        self._open().append(predictions)

    def record(self, outcomes: Sequence[Outcome]) -> int:
        """Record outcomes, all or none, and return how many were new."""
        return self._open().record(outcomes)

    def of_keys(self, keys: Sequence[str]) -> dict[str, list[str]]:
        """Return the ids of the answers about each key, oldest first."""
        return self._open().of_keys(keys)

    def _open(self) -> AnswerLog:
        if self._log is None:
            self._log = self._opened()
        return self._log


def build_shadows(log: LogPlace | None, follower: Follower, clock: Clock) -> Shadows:
    """Return the shadows of a gateway process.

    Args:
        log: Where its prediction log lies; None where it has none, so that its document says `off`.
        follower: Knows what is served.
        clock: Its clock.
    """
    writer = LogWriter(
        LateLog(lambda: open_answers((log or LogPlace(Path("log.db"))).shadows, clock)),
        clock,
        capacity=_KEPT,
        linger_s=_LINGER_S,
    )
    thread = ThreadPoolExecutor(1, thread_name_prefix="shadow")
    return Shadows(writer, lambda: follower.serving, thread, clock, time.thread_time)
