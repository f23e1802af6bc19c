"""Batches the rows of concurrent requests for one model, without a timer.

Rules:
1. Requests that the event loop reads in one turn share one run of the model. A gateway that meets one request a turn
   runs each at once; two in one turn make it gather, until turns have been lonely for a while.
2. A run that could hold up the event loop (a native model, or many rows) leaves it. While it runs, further requests
   gather for the next: the busier the gateway, the larger the batch, up to a bound of rows, and of time where rows cost
   time: who comes meanwhile waits for the whole run.
3. A batch that fails is run again request by request, so that a request fails only by its own rows.
4. The queue is bounded, by rows and by time: a request that would wait for longer than it may is told at once when to
   come again. One whose time is over, or that nobody waits for, is never run.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial

from setpoint.clock import Clock, SystemClock
from setpoint.gateway.limits import Limits, LimitsInForce
from setpoint.gateway.models.deciding import Decided, Numbers, decide, numbers_of
from setpoint.gateway.models.pace import Pace
from setpoint.gateway.models.runtime import Runner
from setpoint.gateway.rows.schema import Row, Schema

INLINE_ROWS = 64
"""Rows that an inline model may run on the event loop at once."""

BATCH_ROWS = 1024
"""Rows of one run, unless one request has more."""

_LONELY_TURNS = 16
"""Turns with one request after which requests are run at once again."""

_SAFELY = 1.25
"""What the time that a queue takes is multiplied by before a request is let in: no run lasts as long as the last."""

_PLAIN = LimitsInForce(Limits())
_CLOCK = SystemClock()
_Waiting = tuple[Sequence[Row], "asyncio.Future[Decided]"]


class ModelFailedError(Exception):
    """The model gave no answer to a request; the message says why."""


class QueueFullError(Exception):
    """Too much waits for the model; the message says how much.

    Args:
        reason: How much.
        retry_s: Seconds after which it should be better; 0 where nobody knows.
    """

    def __init__(self, reason: str, retry_s: float) -> None:
        self.retry_s = retry_s
        super().__init__(reason)


class Batcher:
    """Runs one version's model for all requests of a process. Used on one event loop only.

    Args:
        schema: The version's schema.
        runner: Its model.
        executor: Where runs go that would hold up the event loop.
        seen: Told the rows of each run, on the event loop.
        limits: How many rows may wait, and for how long.
        clock: Measures runs beside the event loop.
    """

    def __init__(
        self,
        schema: Schema,
        runner: Runner,
        executor: Executor,
        seen: Callable[[float], None] = lambda _: None,
        limits: LimitsInForce = _PLAIN,
        clock: Clock = _CLOCK,
    ) -> None:
        self._schema = schema
        self.runner = runner
        self._beside = not runner.inline  # every run leaves the event loop
        self._executor = executor
        self._seen = seen
        self._waiting: deque[_Waiting] = deque()
        self._due = False  # a turn is scheduled, or a run will schedule one
        self._marked = False  # a request was run at once in this turn of the event loop
        self._lonely = _LONELY_TURNS  # turns in a row that had one request
        self._limits = limits
        self._clock = clock
        self._pace = Pace()
        self._running = 0  # rows of the run beside the event loop
        self._began = 0.0  # when it began
        self.waiting_rows = 0

    def ask(
        self, rows: Sequence[Row], within_s: float = math.inf
    ) -> "Decided | asyncio.Future[Decided]":
        """Return the answer to a request's rows, or its future.

        Args:
            rows: The rows.
            within_s: Seconds after which nobody wants the answer any more.

        Raises:
            ModelFailedError: The model gave no answer; the future raises it too.
            QueueFullError: Too much waits already.
        """
        loop = asyncio.get_running_loop()
        if self._lonely >= _LONELY_TURNS and self.runner.inline and len(rows) <= INLINE_ROWS:
            if not self._marked and not self._due:
                self._marked = True
                loop.call_soon(self._unmark)
                self._seen(len(rows))
                return self._answer(rows)
            self._lonely = 0
        ahead = self._running or (self._beside and self.waiting_rows)
        if ahead or self.waiting_rows + len(rows) > self._limits.queue:
            self._require_room(len(rows), min(within_s, self._limits.deadline_s))
        done: asyncio.Future[Decided] = loop.create_future()
        self._waiting.append((rows, done))
        self.waiting_rows += len(rows)
        if not self._due:
            self._due = True
            loop.call_soon(self._turn, loop)
        return done

    @property
    def busy(self) -> str:
        """What is being run and what waits, in words."""
        said = f"{self.waiting_rows} rows wait"
        if not self._running:
            return said
        lasts = self._clock.stopwatch() - self._began
        return f"{self._running} rows are being run since {lasts:.1f} s, {said}"

    def _require_room(self, rows: int, within_s: float) -> None:
        """Refuse rows for which the queue has no room, or that could not be answered in time behind those in it.

        An empty queue takes any request.
        """
        waiting = self._waiting
        while waiting and waiting[0][1].done():  # deadlines mostly end in the order of requests
            self.waiting_rows -= len(waiting.popleft()[0])
        if not waiting:
            return
        ahead = self.waiting_rows
        if ahead + rows > self._limits.queue:
            reason = f"{ahead} rows wait already, {self._limits.queue} may"
            raise QueueFullError(reason, self._ends_s(ahead))
        ends_s = _SAFELY * self._ends_s(ahead + rows)
        if ends_s > within_s:
            reason = f"{ahead} rows wait already; an answer takes about {ends_s:.1f} s, it may take {within_s:g} s"
            raise QueueFullError(reason, ends_s - within_s)

    def _ends_s(self, rows: int) -> float:
        """Return the seconds after which so many rows will have been run, behind those that are being run."""
        ends_s = self._pace.wait_s(rows, BATCH_ROWS)
        if self._running:
            lasted_s = self._clock.stopwatch() - self._began
            ends_s += max(0.0, self._pace.wait_s(self._running, self._running) - lasted_s)
        return ends_s

    def _unmark(self) -> None:
        self._marked = False

    def _answer(self, rows: Sequence[Row]) -> Decided:
        """Return the answer to one request, at once."""
        try:
            return decide(self._schema, self._run(rows), 0, len(rows))
        except (
            Exception
        ) as error:  # the model is foreign code: its failure is an answer's error, on record
            raise _failed(error) from error

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run what waits: at once where that is quick, else beside the event loop."""
        self._lonely = self._lonely + 1 if len(self._waiting) == 1 else 0
        while self._waiting:
            batch, rows = self._take()
            if not batch:
                continue
            self._seen(rows)
            if self.runner.inline and rows <= INLINE_ROWS:
                _settle(batch, self._answers(batch))
                continue
            self._running, self._began = rows, self._clock.stopwatch()
            running = loop.run_in_executor(self._executor, self._answers, batch)
            running.add_done_callback(partial(self._after, batch, loop))
            return  # `_due` stays: the end of this run starts the next
        self._due = False

    def _after(
        self,
        batch: list[_Waiting],
        loop: asyncio.AbstractEventLoop,
        ended: "asyncio.Future[list[Decided | ModelFailedError]]",
    ) -> None:
        """Answer the requests of a run that ended beside the event loop, and start the next."""
        if self._running:
            self._pace.learn(self._running, self._clock.stopwatch() - self._began)
        self._running = 0
        if ended.cancelled():
            _settle(batch, [ModelFailedError("the gateway stops")] * len(batch))
        else:
            _settle(batch, ended.result())
        self._turn(loop)

    def _take(self) -> tuple[list[_Waiting], int]:
        """Return the next batch and the number of its rows; requests that are gone are passed over."""
        batch: list[_Waiting] = []
        rows, most = 0, self._pace.batch(BATCH_ROWS)
        while self._waiting:
            asked, done = self._waiting[0]
            if rows and rows + len(asked) > most:
                break
            self._waiting.popleft()
            self.waiting_rows -= len(asked)
            if not done.done():
                batch.append((asked, done))
                rows += len(asked)
        return batch, rows

    def _answers(self, batch: Sequence[_Waiting]) -> list[Decided | ModelFailedError]:
        """Return what each request of a batch is answered, or why it is not; called from any thread."""
        if len(batch) == 1:
            return [self._answer_or_failure(batch[0][0])]
        try:
            numbers = self._run([row for asked, _ in batch for row in asked])
        except Exception:  # noqa: BLE001 (the model is foreign code: each request alone shows whose rows it fails on)
            return [self._answer_or_failure(asked) for asked, _ in batch]
        found: list[Decided | ModelFailedError] = []
        start = 0
        for asked, _ in batch:
            end = start + len(asked)
            try:
                found.append(decide(self._schema, numbers, start, end))
            except ValueError as error:
                found.append(_failed(error))
            start = end
        return found

    def _answer_or_failure(self, rows: Sequence[Row]) -> Decided | ModelFailedError:
        try:
            return self._answer(rows)
        except ModelFailedError as failure:
            return failure

    def _run(self, rows: Sequence[Row]) -> Numbers:
        return numbers_of(self._schema, self.runner.run(rows), len(rows))


def _settle(batch: Sequence[_Waiting], found: Sequence[Decided | ModelFailedError]) -> None:
    """Give each request its answer; one whose client is gone is passed over."""
    for (_, done), answer in zip(batch, found, strict=True):
        if done.done():
            continue
        if isinstance(answer, ModelFailedError):
            done.set_exception(answer)
        else:
            done.set_result(answer)


def _failed(error: Exception) -> ModelFailedError:
    return ModelFailedError(f"{type(error).__name__}: {error}"[:500])
