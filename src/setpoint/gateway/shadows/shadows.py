"""Gives shadows copies of requests that were answered, compares what they say, and logs it; nobody is told.

Rules:
1. Nothing happens on a request's path but that its copy is handed over: which shadows get it is told when the answer
   has left, and they run on a thread of their own.
2. Requests come first. A copy waits while rows wait for an answering model, while the event loop was busy most of the
   time, or late; and where too many copies wait, further ones are dropped and counted.
3. Whether a request is copied follows from its sticky value, or its id: the same request is copied at every replay.
   A request that names its version is a tester's, and is not copied.
4. What a shadow's schema refuses, or its model fails on, is its error, logged like its answers.
5. The copies of a shadow that the document no longer names are let go, and so is what they hold.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import NamedTuple

from setpoint.clock import Clock
from setpoint.gateway.answering import Answered
from setpoint.gateway.log_writer import LogWriter
from setpoint.gateway.rows.rows import Rows, entity_text
from setpoint.gateway.rows.schema import Row
from setpoint.gateway.serving import Serving, Shadowing
from setpoint.gateway.shadows.shadow_run import Copy, Said, shadow_says
from setpoint.gateway.watching.shadow_metrics import ShadowMetrics
from setpoint.release.copying import is_copied

QUEUE_ROWS = 1024
"""Rows that may wait for shadows, each shadow's counted."""

_BATCH_ROWS = 128  # of one turn on the thread, unless one copy has more
_PAUSE_S = 0.005  # between two turns: how busy the event loop is without shadows is seen in it
_BUSY = 0.7  # share of a pause that the event loop may have used a processor
_LATE = 1.5  # times a pause: an event loop that comes back later had requests to answer
_ENDING_S = 5.0  # how long a turn under way may take when the gateway stops


class _Waiting(NamedTuple):
    """A copy in the queue, and the shadows that shall answer it."""

    copy: Copy
    shadows: tuple[Shadowing, ...]

    @property
    def rows(self) -> int:
        return len(self.copy.values) * len(self.shadows)


class Shadows:
    """The shadows of one gateway process. Used on one event loop only.

    Args:
        writer: Writes their answers to their log; nothing is acknowledged by it.
        current: Returns what is served now.
        executor: One thread.
        clock: Measures them.
        used: Seconds that the event loop's thread has used a processor, such as `time.thread_time`.
        most: Rows that may wait.

    Attributes:
        metrics: What `/metrics` shows of them.
    """

    def __init__(
        self,
        writer: LogWriter,
        current: Callable[[], Serving | None],
        executor: Executor,
        clock: Clock,
        used: Callable[[], float],
        *,
        most: int = QUEUE_ROWS,
    ) -> None:
        self._writer = writer
        self._current = current
        self._executor = executor
        self._clock = clock
        self._used = used
        self._most = most
        self._queue: deque[_Waiting] = deque()
        self._rows = 0  # in the queue
        self._due: asyncio.Handle | None = None
        self._since = (0.0, 0.0)  # stopwatch and processor time at the beginning of a pause
        self._turn: asyncio.Future[list[Said]] | None = None
        self._stopped = False
        self._seen: Serving | None = None
        self.metrics = ShadowMetrics(lambda: self._rows, lambda: writer.lost)

    def start(self) -> None:
        """Begin; call it on the event loop that hands over copies."""
        self._writer.start()

    def offer(
        self,
        serving: Serving,
        answered: Answered,
        rows: Rows,
        values: Sequence[Row],
        request: str,
        at: float,
    ) -> None:
        """Take a copy of a request whose answer is about to leave; see `setpoint.gateway.shadows.shadow_run.Copy`."""
        copy = Copy(serving, answered, rows, values, request, at)
        asyncio.get_running_loop().call_soon(self._take, copy)

    async def stop(self) -> None:
        """Drop what waits, let a turn under way end, and write what was said to the log."""
        self._stopped = True
        if self._due is not None:
            self._due.cancel()
        while self._queue:
            self._drop(self._queue.popleft(), "stopping")
        self._rows = 0
        if self._turn is not None:
            await asyncio.wait([self._turn], timeout=_ENDING_S)
        await self._writer.drain()

    def _take(self, copy: Copy) -> None:
        """Let a copy wait for the shadows that shall answer it."""
        shadows = copy.serving.shadows
        if any(one.shadow.fraction < 1.0 for one in shadows):
            value, salt = _sticky(copy), copy.serving.deployment.salt
            shadows = tuple(one for one in shadows if is_copied(salt, one.shadow, value))
        waiting = _Waiting(copy, shadows)
        if not shadows:
            return
        if self._stopped:
            self._drop(waiting, "stopping")
        elif self._rows and self._rows + waiting.rows > self._most:  # an empty queue takes any copy
            self._drop(waiting, "full")
        else:
            self._queue.append(waiting)
            self._rows += waiting.rows
            self._pause()

    def _pause(self) -> None:
        """Look at the queue after a while, unless somebody will."""
        if self._due is None and self._turn is None and not self._stopped:
            self._since = self._clock.stopwatch(), self._used()
            self._due = asyncio.get_running_loop().call_later(_PAUSE_S, self._look)

    def _look(self) -> None:
        """Give shadows their turn, unless requests need the processor."""
        self._due = None
        self._let_go()
        if not self._queue:
            return
        if self._is_busy():
            self._pause()
            return
        work: dict[int, tuple[Shadowing, list[Copy]]] = {}
        rows = 0
        while self._queue and (not rows or rows + self._queue[0].rows <= _BATCH_ROWS):
            waiting = self._queue.popleft()
            rows += waiting.rows
            for shadowing in waiting.shadows:
                work.setdefault(id(shadowing), (shadowing, []))[1].append(waiting.copy)
        self._rows -= rows
        turn = asyncio.get_running_loop().run_in_executor(
            self._executor, self._work, list(work.values())
        )
        self._turn = turn
        turn.add_done_callback(self._after)

    def _work(self, work: list[tuple[Shadowing, list[Copy]]]) -> list[Said]:
        """Ask shadows; on the thread."""
        stopwatch = self._clock.stopwatch
        return [
            said for shadowing, copies in work for said in shadow_says(shadowing, copies, stopwatch)
        ]

    def _after(self, turn: asyncio.Future[list[Said]]) -> None:
        """Count, compare and log what shadows said."""
        self._turn = None
        if not turn.cancelled():
            for said in turn.result():
                self._note(said)
        if self._queue:
            self._pause()

    def _is_busy(self) -> bool:
        """Whether requests need the processor: rows wait, or the event loop was busy in the pause, or is late."""
        serving = self._current()
        if serving is not None:
            for choice in serving.choices.values():
                if choice.version.batcher.waiting_rows:
                    return True
        began, used = self._since
        passed = self._clock.stopwatch() - began
        return passed > _LATE * _PAUSE_S or self._used() - used > _BUSY * passed

    def _let_go(self) -> None:
        """Drop the copies for shadows that are named no more, wherever the document changed."""
        serving = self._current()
        if serving is self._seen:
            return
        self._seen = serving
        named = {id(one.version) for one in serving.shadows} if serving is not None else set()
        kept: deque[_Waiting] = deque()
        for waiting in self._queue:
            there = tuple(one for one in waiting.shadows if id(one.version) in named)
            gone = tuple(one for one in waiting.shadows if id(one.version) not in named)
            self._drop(_Waiting(waiting.copy, gone), "left")
            if there:
                kept.append(_Waiting(waiting.copy, there))
        self._queue = kept
        self._rows = sum(waiting.rows for waiting in kept)

    def _drop(self, waiting: _Waiting, reason: str) -> None:
        model = waiting.copy.serving.deployment.model
        for one in waiting.shadows:
            labels = (model, one.version.text, reason)
            self.metrics.dropped.add(labels, len(waiting.copy.values))

    def _note(self, said: Said) -> None:
        """Count what a shadow said of one copy, and have it logged."""
        labels = (said.copy.serving.deployment.model, said.shadowing.version.text)
        metrics, count = self.metrics, len(said.copy.values)
        metrics.rows.add(labels, count)
        metrics.latency.observe(labels, said.latency_s)
        if said.kind:
            metrics.errors.add((*labels, said.kind), count)
        if said.compared is not None:
            metrics.compare(labels, count, said.compared)
        if said.lines:
            self._writer.put(said.lines, durable=False)


def _sticky(copy: Copy) -> str:
    """Return what draws a request: the sticky value of its first row, or its id."""
    column = copy.serving.deployment.sticky
    if column:
        values = copy.rows.values(column, copy.serving.champion.schema)
        if len(values) and (sticky := entity_text(values[0])):
            return sticky
    return copy.request or copy.answered.ids[0]
