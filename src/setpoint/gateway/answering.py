"""From rows to answers that are in the log: choose, check, infer, log."""

import asyncio
import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from setpoint.clock import Clock
from setpoint.errors import JournalError
from setpoint.facts.prediction import Prediction
from setpoint.gateway.deadlines import Deadlines, OutOfTimeError
from setpoint.gateway.ids import PredictionIds
from setpoint.gateway.limits import LimitsInForce
from setpoint.gateway.log_writer import LogWriter
from setpoint.gateway.models.batching import ModelFailedError, QueueFullError
from setpoint.gateway.models.deciding import Decided
from setpoint.gateway.models.versions import Version
from setpoint.gateway.rows.rows import Rows, checked, entity_text
from setpoint.gateway.rows.schema import Row, Schema
from setpoint.gateway.serving import Choice, Serving
from setpoint.gateway.watching.gauges import Gauges
from setpoint.gateway.watching.trail import Trail
from setpoint.gateway.wire.refusal import Flaw, Kind, RefusedError

_NOTHING = Decided([])
_FAILED, _LATE = 500, 504
_LONGEST_RETRY_S = 120


class Answered(msgspec.Struct, frozen=True, gc=False):
    """The answer to one request.

    Args:
        choice: Which version answered, as what.
        contract: Digest of the contract that the request was checked against.
        generation: Generation of the deployment document in force.
        ids: Prediction id of each row.
        decided: What the version says.
        schema: The version's schema.
    """

    choice: Choice
    contract: str
    generation: int
    ids: Sequence[str]
    decided: Decided
    schema: Schema


class _Failure(NamedTuple):
    """Why a version gave no answer.

    Args:
        status: 500 the model failed, 504 the time was over.
        reason: What the log says.
    """

    status: int
    reason: str

    def refusal(self, version: str, identity: str) -> RefusedError:
        """Return what the client is told, with the prediction id under which the log has it."""
        flaw = Flaw(reason=f"version {version} gave no answer: {self.reason}")
        headers = [(b"x-setpoint-prediction-id", identity.encode())]
        kind: Kind | None = "model" if self.status == _FAILED else None
        return RefusedError(self.status, [flaw], headers, kind)


class Copies(Protocol):
    """Takes copies of answered requests; see `setpoint.gateway.shadows.shadows`."""

    def offer(
        self,
        serving: Serving,
        answered: Answered,
        rows: Rows,
        values: Sequence[Row],
        request: str,
        at: float,
    ) -> None:
        """Take a copy of a request whose answer is about to leave. Quick, and raises nothing."""


class Answering:
    """Answers requests.

    Args:
        ids: Makes prediction ids.
        clock: Stamps answers and measures them.
        writer: Writes them to the log.
        gauges: Counts them.
        limits: How long a request may wait.
        copies: Given copies of requests where the document names shadows.
    """

    def __init__(
        self,
        ids: PredictionIds,
        clock: Clock,
        writer: LogWriter,
        gauges: Gauges,
        limits: LimitsInForce,
        copies: Copies | None = None,
    ) -> None:
        self._ids = ids
        self._clock = clock
        self._writer = writer
        self._gauges = gauges
        self._limits = limits
        self._copies = copies
        self._deadlines = Deadlines(clock)

    async def answer(
        self,
        serving: Serving,
        rows: Rows,
        *,
        request: str = "",
        pinned: str = "",
        within_s: float = math.inf,
        trail: Trail | None = None,
    ) -> Answered:
        """Answer one request on one version, and return when the log's promise is kept.

        A request is one draw: its first row's sticky value decides for all of its rows, its own id where the sticky
        column was not sent.

        A request that waits too long is not answered. Where the model kept it waiting, the log says so; where the log
        itself did, the answer may come to stand there all the same, like one that got lost on its way.

        Args:
            serving: What is served; the request ends on it, whatever is switched meanwhile.
            rows: The request's rows.
            request: Id that the client gave, or empty.
            pinned: Version that the request names itself, or empty.
            within_s: Seconds for which the client waits; the gateway's own deadline holds where it is shorter.
            trail: Notes what becomes of it; None where nobody wants to know.

        Raises:
            RefusedError: 404 unknown version; 422 a value breaks a rule; 429 too much waits for the model; 500 the
                model failed; 503 the log cannot be written; 504 the time is over.
        """
        started = self._clock.stopwatch()
        next_id = self._ids.next
        ids = [next_id() for _ in range(rows.count)]
        choice = self._choose(serving, rows, request or ids[0], pinned)
        version = choice.version
        if trail is not None:
            trail.choose(started, serving.deployment.model, version.text, choice.variant)
            trail.request = request
            request = request or trail.trace_id
        schema = version.schema
        values = checked(rows, schema)
        decided, failure = self._ask(version, values, within_s), None
        if not isinstance(decided, Decided):
            decided, failure = await self._wait(decided, version, started, within_s)
        latency_s = self._clock.stopwatch() - started
        if trail is not None:
            trail.inferred, trail.ids = started + latency_s, ids
        answered = Answered(
            choice, schema.document.contract, serving.deployment.generation, ids, decided, schema
        )
        mode = serving.deployment.log
        lines: Sequence[Prediction] = ()
        if mode != "off":
            keys = rows.values(schema.key, schema) if schema.key else ()
            reason = "" if failure is None else failure.reason
            lines = self._lines(answered, values, _texts(keys), request, latency_s, reason)
            # Who ran out of time is not kept waiting for the log: there is no answer for it to hold.
            durable = mode == "durable" and (failure is None or failure.status != _LATE)
            if (waiting := self._writer.put(lines, durable=durable)) is not None:
                await self._require_logged(waiting, started, within_s)
            if trail is not None:
                trail.logged = self._clock.stopwatch()
        if serving.shadows and self._copies is not None and not pinned:
            at = lines[0].at if lines else 0.0
            self._copies.offer(serving, answered, rows, values, request, at)
        labels = (serving.deployment.model, version.text)
        self._gauges.latency.observe(labels, latency_s)
        if failure is not None:
            self._gauges.errors.add(labels, rows.count)
            raise failure.refusal(version.text, ids[0])
        self._gauges.predictions.add(labels, rows.count)
        return answered

    def _ask(
        self, version: Version, values: Sequence[Row], within_s: float
    ) -> Decided | _Failure | asyncio.Future[Decided]:
        """Return what a version answers at once, or what to wait for.

        Raises:
            RefusedError: 429; too much waits for it.
        """
        try:
            return version.batcher.ask(values, within_s)
        except ModelFailedError as failed:
            return _Failure(_FAILED, str(failed))
        except QueueFullError as full:
            retry_s = min(_LONGEST_RETRY_S, max(1, math.ceil(full.retry_s)))
            flaw = Flaw(reason=f"version {version.text} is busy: {full}; try again in {retry_s} s")
            raise RefusedError(429, [flaw], [(b"retry-after", b"%d" % retry_s)]) from full

    async def _wait(
        self,
        asked: _Failure | asyncio.Future[Decided],
        version: Version,
        started: float,
        within_s: float,
    ) -> tuple[Decided, _Failure | None]:
        """Return what a version answers, waiting as long as the request may take, or why it does not."""
        if isinstance(asked, _Failure):
            return _NOTHING, asked
        granted_s = self._granted_s(within_s)
        self._deadlines.watch(asked, started + granted_s)
        try:
            return await asked, None
        except ModelFailedError as failed:
            return _NOTHING, _Failure(_FAILED, str(failed))
        except OutOfTimeError:
            said = f"deadline: no answer within {granted_s:g} s"
            return _NOTHING, _Failure(_LATE, f"{said}; {version.batcher.busy}")

    def _granted_s(self, within_s: float) -> float:
        """Return the seconds that a request may take."""
        return min(within_s, self._limits.deadline_s)

    async def _require_logged(
        self, waiting: asyncio.Future[None], started: float, within_s: float
    ) -> None:
        """Wait until an answer is on disk, or refuse it."""
        granted_s = self._granted_s(within_s)
        self._deadlines.watch(waiting, started + granted_s)
        try:
            await waiting
        except JournalError as error:
            flaw = Flaw(reason=f"the answer cannot be logged, so it is not given: {error}")
            raise RefusedError(503, [flaw], [(b"retry-after", b"1")], "log") from error
        except OutOfTimeError as error:
            reason = (
                f"the answer is not in the log within {granted_s:g} s, so it is not given: "
                f"{self._writer.pending} answers wait to be written"
            )
            raise RefusedError(_LATE, [Flaw(reason=reason)]) from error

    @staticmethod
    def _choose(serving: Serving, rows: Rows, request: str, pinned: str) -> Choice:
        """Return the version that answers."""
        if pinned:
            return serving.pin(pinned)
        if serving.only is not None:
            return serving.only
        if serving.deployment.sticky:
            values = rows.values(serving.deployment.sticky, serving.champion.schema)
            if len(values) and (sticky := entity_text(values[0])):
                return serving.draw(sticky)
        return serving.draw(request)

    def _lines(
        self,
        answered: Answered,
        values: Sequence[Row],
        keys: Sequence[str],
        request: str,
        latency_s: float,
        reason: str,
    ) -> list[Prediction]:
        """Return the log's lines for one request."""
        at = self._clock.wall()
        choice, decided = answered.choice, answered.decided
        if (held := choice.withholding) is not None:
            values = [held.values(row) for row in values]
            keys = [held.key(key) for key in keys]
            reason = held.error(reason)
        return [
            Prediction(
                by=choice.by,
                id=identity,
                at=at,
                variant=choice.variant,
                propensity=choice.propensity,
                key=keys[row] if keys else "",
                request=request,
                values=values[row],
                prediction=None if reason else decided.labels[row],
                probability=decided.probability[row] if decided.probability else None,
                latency_s=latency_s,
                error=reason,
            )
            for row, identity in enumerate(answered.ids)
        ]


def _texts(keys: Sequence[object]) -> list[str]:
    return [entity_text(key) for key in keys]
