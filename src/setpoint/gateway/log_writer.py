"""Writes answers to the log in groups, on one thread beside the event loop.

Rules:
1. `durable`: the answer's future is done when its transaction is on disk, or fails when it is not. While one commit
   runs, further answers gather for the next: the busier the gateway, the larger the group.
2. `buffered`: the answer leaves at once and is in the log within 200 ms. What could not be written is kept and tried
   again, up to a bound; what is given up then is counted. Nothing is lost silently.
3. Outcomes go through the same thread, after the answers before them, so that an outcome finds its prediction.
"""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from setpoint.clock import Clock
from setpoint.errors import DataError, JournalError

if TYPE_CHECKING:
    from setpoint.facts.prediction import Outcome, Prediction

_LINGER_S = 0.02  # how long buffered answers gather; the rest of the 200 ms is for the commit
_RETRY_S = 0.5
_CAPACITY = 100_000  # answers kept while the log cannot be written
_SHOWN_S = (
    5.0  # how long a failed durable write keeps the gateway unready, if no write succeeds before
)


class AnswerLog(Protocol):
    """What the writer needs of `setpoint.ports.prediction_log.PredictionLog`."""

    def append(self, predictions: Sequence["Prediction"]) -> None:
        """Append answers in one transaction, or raise `JournalError`."""

    def record(self, outcomes: Sequence["Outcome"]) -> int:
        """Record outcomes, all or none, and return how many were new."""


@dataclass(frozen=True, slots=True)
class _Ticket:
    """Answers of one request, and who waits for them."""

    predictions: Sequence["Prediction"]
    done: asyncio.Future[None] | None


@dataclass(frozen=True, slots=True)
class _Errand:
    """Outcomes to record, and who waits for them."""

    outcomes: Sequence["Outcome"]
    done: asyncio.Future[int]


class LogWriter:
    """The writer of one gateway process.

    Args:
        log: Where answers go.
        clock: For the age of a failure.
        capacity: Answers kept while the log cannot be written.

    Attributes:
        written: Answers on disk.
        failures: Transactions that failed.
        lost: Answers given up because the log could not be written.
    """

    def __init__(self, log: AnswerLog, clock: Clock, *, capacity: int = _CAPACITY) -> None:
        self.written = 0
        self.failures = 0
        self.lost = 0
        self._log = log
        self._clock = clock
        self._capacity = capacity
        self._condition = threading.Condition()
        self._tickets: list[_Ticket] = []
        self._errands: list[_Errand] = []
        self._pending = 0  # answers in `_tickets`
        self._urgent = False  # somebody waits
        self._closing = False
        self._failed_at = 0.0
        self._failure = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)

    @property
    def pending(self) -> int:
        """Answers that wait to be written."""
        return self._pending

    @property
    def problem(self) -> str:
        """Why the log is not in order, or empty.

        Where answers are kept, the problem ends with the next commit. Where nothing is kept (durable), it fades after
        some seconds, so that a gateway out of rotation is tried again.
        """
        if not self._failure:
            return ""
        if not self._pending and self._clock.stopwatch() - self._failed_at > _SHOWN_S:
            return ""
        return f"{self._failure} ({self._pending} answers kept, {self.lost} lost)"

    def start(self) -> None:
        """Start the thread; call it on the event loop that waits for the futures."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def put(
        self, predictions: Sequence["Prediction"], *, durable: bool
    ) -> asyncio.Future[None] | None:
        """Hand over the answers of one request.

        Returns:
            The future to wait for before a durable answer leaves (it raises `JournalError`); None for a buffered one.
        """
        done = self._new_future() if durable else None
        with self._condition:
            if not durable and self._pending + len(predictions) > self._capacity:
                self.lost += len(predictions)
                return None
            wake = durable or not self._tickets
            self._tickets.append(_Ticket(predictions, done))
            self._pending += len(predictions)
            self._urgent = self._urgent or durable
            if wake:
                self._condition.notify()
        return done

    def record(self, outcomes: Sequence["Outcome"]) -> asyncio.Future[int]:
        """Hand over outcomes; the future gives how many were new, or raises what the log raised."""
        done: asyncio.Future[int] = self._require_loop().create_future()
        with self._condition:
            self._errands.append(_Errand(outcomes, done))
            self._urgent = True
            self._condition.notify()
        return done

    async def drain(self) -> int:
        """Write what waits, stop the thread, and return how many answers could not be written."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)
        return self.lost

    def _new_future(self) -> asyncio.Future[None]:
        return self._require_loop().create_future()

    def _require_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            msg = "the log writer was not started"
            raise RuntimeError(msg)
        return self._loop

    def _run(self) -> None:
        """Commit group after group, until closed and empty."""
        while True:
            tickets, errands, closing = self._take()
            kept = self._commit(tickets, last=closing) if tickets else False
            for errand in errands:
                self._do(errand)
            if closing:
                return
            if kept:
                with self._condition:
                    self._condition.wait_for(lambda: self._urgent or self._closing, _RETRY_S)

    def _take(self) -> tuple[list[_Ticket], list[_Errand], bool]:
        """Wait for work and take all of it."""
        with self._condition:
            self._condition.wait_for(lambda: self._tickets or self._errands or self._closing)
            if not self._urgent:
                self._condition.wait_for(lambda: self._urgent or self._closing, _LINGER_S)
            tickets, self._tickets = self._tickets, []
            errands, self._errands = self._errands, []
            self._urgent = False
            return tickets, errands, self._closing

    def _commit(self, tickets: list[_Ticket], *, last: bool) -> bool:
        """Write one group and tell those who wait; return whether buffered answers were kept for another try."""
        group = [prediction for ticket in tickets for prediction in ticket.predictions]
        error: Exception | None = None
        try:
            self._log.append(group)
        except Exception as caught:  # noqa: BLE001 (the thread's outermost frame: it must outlive any failure to write)
            error = caught
        kept: list[_Ticket] = []
        with self._condition:
            self._pending -= len(group)
            if error is None:
                self.written += len(group)
                self._failure = ""
            else:
                self.failures += 1
                self._failure, self._failed_at = str(error), self._clock.stopwatch()
                buffered = [ticket for ticket in tickets if ticket.done is None]
                # Only a log that cannot be written passes by; anything else would fail for ever.
                kept = buffered if isinstance(error, JournalError) and not last else []
                self.lost += sum(len(t.predictions) for t in buffered) if not kept else 0
                self._tickets = kept + self._tickets
                self._pending += sum(len(ticket.predictions) for ticket in kept)
        if error is not None and not isinstance(error, JournalError):
            error = JournalError(f"answers cannot be written to the log: {error}")
        self._tell([ticket.done for ticket in tickets if ticket.done is not None], error)
        return bool(kept)

    def _do(self, errand: _Errand) -> None:
        """Record outcomes and tell who waits."""
        new, error = 0, None
        try:
            new = self._log.record(errand.outcomes)
        except (DataError, JournalError) as caught:
            error = caught
        except Exception as caught:  # noqa: BLE001 (the thread's outermost frame, as above)
            error = JournalError(f"outcomes cannot be recorded: {caught}")
        loop = self._require_loop()
        loop.call_soon_threadsafe(_settle, [errand.done], new, error)

    def _tell(self, futures: list[asyncio.Future[None]], error: Exception | None) -> None:
        """Settle the futures of a group in one visit to the event loop."""
        if futures:
            self._require_loop().call_soon_threadsafe(_settle, futures, None, error)


def _settle(futures: Sequence[asyncio.Future[Any]], value: object, error: Exception | None) -> None:
    """Give futures their value or error; one whose request is gone is passed over."""
    for future in futures:
        if future.done():
            continue
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)
