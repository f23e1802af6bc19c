"""From rows to answers that are in the log: choose, check, infer, log."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import msgspec

from setpoint.clock import Clock
from setpoint.errors import JournalError
from setpoint.facts.prediction import Prediction
from setpoint.gateway.batching import ModelFailedError
from setpoint.gateway.deciding import Decided
from setpoint.gateway.gauges import Gauges
from setpoint.gateway.ids import PredictionIds
from setpoint.gateway.log_writer import LogWriter
from setpoint.gateway.refusal import Flaw, RefusedError
from setpoint.gateway.rows import Rows, checked, entity_text
from setpoint.gateway.schema import Row, Schema
from setpoint.gateway.serving import Choice, Serving
from setpoint.gateway.trail import Trail

_NOTHING = Decided([])


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


class Copies(Protocol):
    """Takes copies of answered requests; see `setpoint.gateway.shadows`."""

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
        copies: Given copies of requests where the document names shadows.
    """

    def __init__(
        self,
        ids: PredictionIds,
        clock: Clock,
        writer: LogWriter,
        gauges: Gauges,
        copies: Copies | None = None,
    ) -> None:
        self._ids = ids
        self._clock = clock
        self._writer = writer
        self._gauges = gauges
        self._copies = copies

    async def answer(
        self,
        serving: Serving,
        rows: Rows,
        *,
        request: str = "",
        pinned: str = "",
        trail: Trail | None = None,
    ) -> Answered:
        """Answer one request on one version, and return when the log's promise is kept.

        A request is one draw: its first row's sticky value decides for all of its rows, its own id where the sticky
        column was not sent.

        Args:
            serving: What is served; the request ends on it, whatever is switched meanwhile.
            rows: The request's rows.
            request: Id that the client gave, or empty.
            pinned: Version that the request names itself, or empty.
            trail: Notes what becomes of it; None where nobody wants to know.

        Raises:
            RefusedError: 404 unknown version; 422 a value breaks a rule; 500 the model failed; 503 the log cannot be
                written.
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
        reason = ""
        try:
            answer = version.batcher.ask(values)
            decided = answer if isinstance(answer, Decided) else await answer
        except ModelFailedError as failure:
            decided, reason = _NOTHING, str(failure)
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
            lines = self._lines(answered, values, _texts(keys), request, latency_s, reason)
            waiting = self._writer.put(lines, durable=mode == "durable")
            if waiting is not None:
                await _require_logged(waiting)
        if serving.shadows and self._copies is not None and not pinned:
            at = lines[0].at if lines else 0.0
            self._copies.offer(serving, answered, rows, values, request, at)
            if trail is not None:
                trail.logged = self._clock.stopwatch()
        labels = (serving.deployment.model, version.text)
        self._gauges.latency.observe(labels, latency_s)
        if reason:
            self._gauges.errors.add(labels, rows.count)
            flaw = Flaw(reason=f"version {version.text} gave no answer: {reason}")
            headers = [(b"x-setpoint-prediction-id", ids[0].encode())]
            raise RefusedError(500, [flaw], headers, "model")
        self._gauges.predictions.add(labels, rows.count)
        return answered

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


async def _require_logged(waiting: asyncio.Future[None]) -> None:
    """Wait until an answer is on disk, or refuse it."""
    try:
        await waiting
    except JournalError as error:
        flaw = Flaw(reason=f"the answer cannot be logged, so it is not given: {error}")
        raise RefusedError(503, [flaw], [(b"retry-after", b"1")], "log") from error
