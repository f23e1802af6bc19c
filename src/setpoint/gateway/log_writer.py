"""Writes answers to the log in groups, on a thread beside the event loop.

Rules:
1. `durable`: the answer's future is done when its transaction is on disk, or fails when it is not. While one commit
   runs, further answers gather for the next. Where they are several, it begins once a turn of the event loop brings no
   further one, or they have waited as long as two commits take: the busier the gateway, the larger the group.
2. `buffered`: the answer leaves at once and is in the log within 200 ms. What could not be written is kept and tried
   again, up to a bound; what is given up then is counted. Nothing is lost silently.
3. What waits for a log that has stopped is bounded: a durable answer or an outcome too many fails at once.
4. Outcomes go through the same thread, after the answers before them, so that an outcome finds its prediction.

A log that takes its time over each commit, as an object store does, may have several under way: `lanes`. Rule 4 holds
all the same: a group with outcomes waits for all before it.

All bookkeeping happens on the event loop, so that handing over an answer takes no lock; the thread only commits.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from setpoint.clock import Clock
from setpoint.errors import DataError, JournalError

if TYPE_CHECKING:
    from setpoint.facts.prediction import Outcome, Prediction

_LINGER_S = 0.02  # how long buffered answers gather; the rest of the 200 ms is for the commit
_GATHER_S = 0.002  # how long a durable answer waits for others to share its commit, at most
_RETRY_S = 0.5
_CAPACITY = 100_000  # answers kept while the log cannot be written, and outcomes
_READS = 64  # requests that may wait for the log to be read
_STALLED_S = 5.0  # how long a write may take before the gateway is unready
_SHOWN_S = (
    5.0  # how long a failed durable write keeps the gateway unready, if no write succeeds before
)


class AnswerLog(Protocol):
    """What the writer needs of `setpoint.ports.prediction_log.PredictionLog`."""

    def append(self, predictions: Sequence["Prediction"]) -> None:
        """Append answers in one transaction, or raise `JournalError`."""

    def record(self, outcomes: Sequence["Outcome"]) -> int:
        """Record outcomes, all or none, and return how many were new."""

    def of_keys(self, keys: Sequence[str]) -> dict[str, list[str]]:
        """Return the ids of the answers about each key, oldest first; keys without an answer are left out."""


@dataclass(slots=True)
class _Group:
    """What one commit writes.

    Args:
        buffered: Answers that left already.
        durable: Answers whose requests wait.
        waiting: Done when `durable` is on disk; one for each request, which may be cancelled alone.
        errands: Outcomes to record, and who waits for them.
        outcomes: The number of these outcomes; an errand without any counts for one.
    """

    buffered: list["Prediction"] = field(default_factory=list)
    durable: list["Prediction"] = field(default_factory=list)
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    errands: list[tuple[Sequence["Outcome"], asyncio.Future[int]]] = field(default_factory=list)
    outcomes: int = 0

    @property
    def urgent(self) -> bool:
        """Whether somebody waits."""
        return bool(self.waiting or self.errands)


@dataclass(slots=True)
class _Gathering:
    """Says how long a commit waits for further requests to share it.

    Args:
        under_way: A commit waits.
        crowded: The last group had several requests that wait.
        took_s: Seconds that the last commit took.
        counted: Requests that waited a turn of the event loop ago.
        ends_at: When it begins whoever may come, by the stopwatch.
    """

    under_way: bool = False
    crowded: bool = False
    took_s: float = 0.0
    counted: int = 0
    ends_at: float = 0.0

    def begin(self, now: float) -> None:
        """Begin to wait."""
        self.under_way, self.counted = True, 0
        self.ends_at = now + min(2 * self.took_s, _GATHER_S)

    def is_over(self, waiting: int, now: float) -> bool:
        """Return whether to commit, in a turn in which so many requests wait."""
        more = waiting > self.counted and (self.crowded or waiting > 1)
        self.counted = waiting
        return not more or now >= self.ends_at


@dataclass(frozen=True, slots=True, eq=False)
class _Flight:
    """A commit under way.

    Args:
        began: When it began, by the stopwatch.
        answers: How many it writes.
        since: When the oldest of them was given.
    """

    began: float
    answers: int
    since: float


@dataclass(frozen=True, slots=True)
class _Written:
    """What became of a group.

    Args:
        error: Why its answers are not in the log; None where they are.
        took_s: Seconds that their transaction took; 0 where there were none.
        recorded: For each errand, how many outcomes were new, or why they were not recorded.
    """

    error: Exception | None
    took_s: float
    recorded: list[int | Exception]


class LogWriter:
    """The writer of one gateway process. Used on one event loop only.

    Args:
        log: Where answers go.
        clock: For the age of a failure.
        capacity: Answers kept while the log cannot be written.
        timed: Told the seconds of each transaction, on the event loop.
        linger_s: How long buffered answers gather.
        lanes: Most commits at a time; more than one only for a log that does not mind.

    Attributes:
        written: Answers on disk.
        failures: Transactions that failed.
        lost: Answers given up because the log could not be written.
    """

    def __init__(
        self,
        log: AnswerLog,
        clock: Clock,
        *,
        capacity: int = _CAPACITY,
        timed: Callable[[float], None] = lambda _: None,
        linger_s: float = _LINGER_S,
        lanes: int = 1,
    ) -> None:
        self.written = 0
        self.failures = 0
        self.lost = 0
        self._log = log
        self._clock = clock
        self._capacity = capacity
        self._timed = timed
        self._linger_s = linger_s
        self._next = _Group()
        self._lanes = lanes
        self._flights: list[_Flight] = []  # commits under way, the oldest first
        self._busy = False  # whether no further commit may begin
        self._reads = 0  # requests that wait for the log to be read
        self._due: asyncio.Handle | None = None
        self._closing = False
        self._failed_at = 0.0
        self._failure = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._threads = ThreadPoolExecutor(lanes, thread_name_prefix="log-writer")
        self._gathering = _Gathering()
        self._idle: asyncio.Future[None] | None = None

    @property
    def pending(self) -> int:
        """Answers that wait to be written."""
        flying = sum(flight.answers for flight in self._flights)
        return len(self._next.buffered) + len(self._next.durable) + flying

    @property
    def oldest_s(self) -> float:
        """Age of the oldest answer that waits to be written; 0 where none waits."""
        waiting = (self._next.buffered, self._next.durable)
        since = min(
            (
                *(flight.since for flight in self._flights),
                *(answers[0].at for answers in waiting if answers),
            ),
            default=math.inf,
        )
        return 0.0 if since == math.inf else max(0.0, self._clock.wall() - since)

    @property
    def problem(self) -> str:
        """Why the log is not in order, or empty.

        Where answers are kept, the problem ends with the next commit. Where nothing is kept (durable), it fades after
        some seconds, so that a gateway out of rotation is tried again.
        """
        if self._flights:
            lasts = self._clock.stopwatch() - self._flights[0].began
            if lasts > _STALLED_S:
                return f"a write to the log has not ended for {lasts:.0f} s ({self.pending} answers wait)"
        if not self._failure:
            return ""
        if not self.pending and self._clock.stopwatch() - self._failed_at > _SHOWN_S:
            return ""
        return f"{self._failure} ({self.pending} answers kept, {self.lost} lost)"

    def start(self) -> None:
        """Begin; call it on the event loop that hands over answers."""
        self._loop = asyncio.get_running_loop()

    def put(
        self, predictions: Sequence["Prediction"], *, durable: bool
    ) -> asyncio.Future[None] | None:
        """Hand over the answers of one request.

        Returns:
            The future to wait for before a durable answer leaves (it raises `JournalError`); None for a buffered one.
        """
        group = self._next
        if durable:
            done: asyncio.Future[None] = self._require_loop().create_future()
            if len(group.durable) + len(predictions) > self._capacity:
                done.set_exception(JournalError(f"{self.pending} answers wait for the log already"))
                return done
            group.durable.extend(predictions)
            group.waiting.append(done)
            if len(group.waiting) == 1:
                self._schedule(0.0)
            return done
        if len(group.buffered) + len(predictions) > self._capacity:
            self.lost += len(predictions)
            return None
        group.buffered.extend(predictions)
        if self._due is None and not self._busy:
            self._schedule(self._linger_s)
        return None

    def record(self, outcomes: Sequence["Outcome"]) -> asyncio.Future[int]:
        """Hand over outcomes; the future gives how many were new, or raises what the log raised."""
        done: asyncio.Future[int] = self._require_loop().create_future()
        group, more = self._next, max(1, len(outcomes))
        if group.outcomes + more > self._capacity:
            done.set_exception(JournalError(f"{group.outcomes} outcomes wait for the log already"))
            return done
        group.outcomes += more
        group.errands.append((outcomes, done))
        self._schedule(0.0)
        return done

    async def of_keys(self, keys: Sequence[str]) -> dict[str, list[str]]:
        """Return the ids of the answers about each key, those that were handed over before this call among them.

        The log is read on a thread of its own: that may take long, and answers go on being written.

        Raises:
            JournalError: The log cannot be read or written.
        """
        if self._reads >= _READS:
            raise JournalError(f"{self._reads} requests wait for the log to be read already")
        await self.record(())  # all that was handed over before is in the log then
        self._reads += 1
        reading = self._require_loop().run_in_executor(None, self._log.of_keys, keys)
        reading.add_done_callback(self._after_read)
        return await asyncio.shield(reading)

    def _after_read(self, ended: "asyncio.Future[dict[str, list[str]]]") -> None:
        self._reads -= 1
        if not ended.cancelled():
            ended.exception()  # whoever waited may be gone: then nobody else takes note of it

    async def drain(self) -> int:
        """Write what waits, stop the threads, and return how many answers could not be written."""
        self._closing = True
        if self._due is not None:
            self._due.cancel()
        if self._flights:
            self._idle = self._require_loop().create_future()
            await self._idle
        if self._loop is not None and (self.pending or self._next.urgent):
            self._idle = self._loop.create_future()
            self._commit()
            await self._idle
        self._threads.shutdown()
        return self.lost

    def _schedule(self, delay_s: float) -> None:
        """Have the next group written after a while; at once where somebody waits."""
        if self._busy or self._closing:
            return  # the end of the commit under way, or of everything, sees to it
        if self._due is not None:
            if delay_s or self._gathering.under_way:
                return
            self._due.cancel()
        loop = self._require_loop()
        if delay_s:
            self._due = loop.call_later(delay_s, self._commit)
        else:
            self._gathering.begin(self._clock.stopwatch())
            self._due = loop.call_soon(self._gather)

    def _gather(self) -> None:
        """Begin a commit, unless more requests come to share it."""
        if self._gathering.is_over(len(self._next.waiting), self._clock.stopwatch()):
            self._commit()
        else:
            self._due = self._require_loop().call_soon(self._gather)

    def _commit(self) -> None:
        """Start writing what has gathered; with outcomes, only when all before it is written."""
        self._due, self._gathering.under_way = None, False
        if self._flights and self._next.errands:
            return  # the end of the last one under way sees to it
        group, self._next = self._next, _Group()
        oldest = (*group.buffered[:1], *group.durable[:1])
        flight = _Flight(
            began=self._clock.stopwatch(),
            answers=len(group.buffered) + len(group.durable),
            since=min((one.at for one in oldest), default=math.inf),
        )
        self._flights.append(flight)
        self._busy = len(self._flights) >= self._lanes
        self._threads.submit(self._work, self._require_loop(), flight, group)

    def _work(self, loop: asyncio.AbstractEventLoop, flight: _Flight, group: _Group) -> None:
        """Write a group and have those told who wait; on a thread."""
        loop.call_soon_threadsafe(self._after, flight, group, self._write(group))

    def _write(self, group: _Group) -> _Written:
        """Write a group; on a thread."""
        error: Exception | None = None
        answers = group.buffered + group.durable
        started = self._clock.stopwatch()
        try:
            if answers:
                self._log.append(answers)
        except Exception as caught:  # noqa: BLE001 (the thread's outermost frame: it must outlive any failure to write)
            error = caught
        took_s = self._clock.stopwatch() - started if answers else 0.0
        return _Written(error, took_s, [self._record(outcomes) for outcomes, _ in group.errands])

    def _record(self, outcomes: Sequence["Outcome"]) -> int | Exception:
        try:
            return self._log.record(outcomes)
        except (DataError, JournalError) as caught:
            return caught
        except Exception as caught:  # noqa: BLE001 (the thread's outermost frame, as above)
            return JournalError(f"outcomes cannot be recorded: {caught}")

    def _after(self, flight: _Flight, group: _Group, written: _Written) -> None:
        """Tell those who wait what became of a group, and go on with the next."""
        self._flights.remove(flight)
        self._busy = False
        self._gathering.crowded = len(group.waiting) > 1
        if written.took_s:
            self._gathering.took_s = written.took_s
            self._timed(written.took_s)
        kept = False
        if written.error is None:
            count = len(group.buffered) + len(group.durable)
            self.written += count
            self._failure = "" if count else self._failure
        else:
            kept = self._keep(group, written.error)
        _settle(group, written)
        if self._idle is not None and not self._idle.done() and not self._flights:
            self._idle.set_result(None)
        if self._next.urgent:
            self._schedule(0.0)
        elif kept:
            self._schedule(_RETRY_S)
        elif self._next.buffered:
            self._schedule(self._linger_s)

    def _keep(self, group: _Group, error: Exception) -> bool:
        """Note a failure, and keep the buffered answers of the group for another try where one makes sense."""
        self.failures += 1
        self._failure, self._failed_at = str(error), self._clock.stopwatch()
        # Only a log that cannot be written passes by; anything else would fail for ever.
        room = self._capacity - len(self._next.buffered)
        if self._closing or not isinstance(error, JournalError):
            room = 0
        kept, given_up = group.buffered[:room], group.buffered[room:]
        self.lost += len(given_up)
        self._next.buffered = kept + self._next.buffered
        return bool(kept)

    def _require_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            msg = "the log writer was not started"
            raise RuntimeError(msg)
        return self._loop


def _settle(group: _Group, written: _Written) -> None:
    """Give futures their value or error; one whose request is gone is passed over."""
    error = written.error
    if error is not None and not isinstance(error, JournalError):
        error = JournalError(f"answers cannot be written to the log: {error}")
    told: list[tuple[asyncio.Future[Any], Any]] = [(done, error) for done in group.waiting]
    told += [
        (done, recorded)
        for (_, done), recorded in zip(group.errands, written.recorded, strict=True)
    ]
    for done, found in told:
        if done.done():
            continue
        if isinstance(found, Exception):
            done.set_exception(found)
        else:
            done.set_result(found)
