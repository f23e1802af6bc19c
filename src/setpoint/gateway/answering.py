"""From rows to answers that are in the log: check, infer, decide, log."""

import asyncio
import math
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from setpoint.clock import Clock
from setpoint.errors import JournalError
from setpoint.facts.evidence import Scores
from setpoint.facts.prediction import Prediction
from setpoint.gateway.gauges import Gauges
from setpoint.gateway.ids import PredictionIds
from setpoint.gateway.log_writer import LogWriter
from setpoint.gateway.refusal import Flaw, RefusedError
from setpoint.gateway.rows import Rows, entity_text
from setpoint.gateway.schema import Schema
from setpoint.gateway.serving import Choice, Serving

_INLINE_ROWS = 16  # more rows than this leave the event loop


@dataclass(frozen=True, slots=True)
class Decided:
    """What a version says of n rows.

    Args:
        labels: Class as text, or the value of a regression; n of them.
        codes: Position of the class; empty for regression.
        probability: Probability of the positive class (binary) or of the answered class; empty for regression.
        probabilities: Probability of every class, n lists; empty for regression.
    """

    labels: Sequence[str | float]
    codes: Sequence[int] = ()
    probability: Sequence[float] = ()
    probabilities: Sequence[Sequence[float]] = ()


@dataclass(frozen=True, slots=True)
class Answered:
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


class Answering:
    """Answers requests.

    Args:
        ids: Makes prediction ids.
        clock: Stamps answers and measures them.
        writer: Writes them to the log.
        gauges: Counts them.
        executor: Where a model runs that would hold up the event loop.
    """

    def __init__(
        self,
        ids: PredictionIds,
        clock: Clock,
        writer: LogWriter,
        gauges: Gauges,
        executor: Executor,
    ) -> None:
        self._ids = ids
        self._clock = clock
        self._writer = writer
        self._gauges = gauges
        self._executor = executor

    async def answer(
        self, serving: Serving, rows: Rows, *, request: str = "", pinned: str = ""
    ) -> Answered:
        """Answer one request on one version, and return when the log's promise is kept.

        A request is one draw: its first row's sticky value decides for all of its rows, its own id where the sticky
        column was not sent.

        Args:
            serving: What is served; the request ends on it, whatever is switched meanwhile.
            rows: The request's rows.
            request: Id that the client gave, or empty.
            pinned: Version that the request names itself, or empty.

        Raises:
            RefusedError: 404 unknown version; 422 a value breaks a rule; 500 the model failed; 503 the log cannot be
                written.
        """
        started = self._clock.stopwatch()
        ids = [self._ids.next() for _ in range(rows.count)]
        choice = self._choose(serving, rows, request or ids[0], pinned)
        schema = choice.version.schema
        columns = schema.check(rows.columns(schema))
        decided, reason = await self._decide(choice, columns, rows.count)
        latency_s = self._clock.stopwatch() - started
        answered = Answered(
            choice, schema.document.contract, serving.deployment.generation, ids, decided, schema
        )
        keys = rows.values(schema.key, schema) if schema.key else ()
        predictions = self._predictions(answered, columns, keys, request, latency_s, reason)
        await self._log(serving, predictions)
        labels = (serving.deployment.model, choice.version.text)
        self._gauges.latency.observe(labels, latency_s)
        if reason:
            self._gauges.errors.add(labels, rows.count)
            flaw = Flaw(reason=f"version {choice.version.text} gave no answer: {reason}")
            raise RefusedError(500, [flaw], [(b"x-setpoint-prediction-id", ids[0].encode())])
        self._gauges.predictions.add(labels, rows.count)
        return answered

    @staticmethod
    def _choose(serving: Serving, rows: Rows, request: str, pinned: str) -> Choice:
        """Return the version that answers."""
        if pinned:
            return serving.pin(pinned)
        if serving.deployment.sticky:
            values = rows.values(serving.deployment.sticky, serving.champion.schema)
            if len(values) and (sticky := entity_text(values[0])):
                return serving.draw(sticky)
        return serving.draw(request)

    async def _decide(
        self, choice: Choice, columns: list[list[Any]], rows: int
    ) -> tuple[Decided, str]:
        """Return what the version says, or why it says nothing."""
        runner = choice.version.runner
        try:
            if runner.inline and rows <= _INLINE_ROWS:
                scores = runner.run(columns)
            else:
                loop = asyncio.get_running_loop()
                scores = await loop.run_in_executor(self._executor, runner.run, columns)
            return decide(choice.version.schema, scores, rows), ""
        except Exception as error:  # noqa: BLE001 (the model is foreign code: its failure is an answer's error, on record)
            return Decided([]), f"{type(error).__name__}: {error}"[:500]

    def _predictions(
        self,
        answered: Answered,
        columns: list[list[Any]],
        keys: Sequence[Any],
        request: str,
        latency_s: float,
        reason: str,
    ) -> list[Prediction]:
        """Return the log's lines for one request."""
        at = self._clock.wall()
        choice, names = answered.choice, answered.schema.names
        decided = answered.decided
        model, contract = answered.schema.document.model, answered.contract
        return [
            Prediction(
                id=identity,
                at=at,
                model=model,
                version=choice.version.number,
                contract=contract,
                generation=answered.generation,
                variant=choice.variant,
                propensity=choice.propensity,
                key=entity_text(keys[row]) if len(keys) else "",
                request=request,
                features=dict(zip(names, values, strict=True)),
                prediction=None if reason else decided.labels[row],
                probability=decided.probability[row] if decided.probability else None,
                latency_s=latency_s,
                error=reason,
            )
            for row, (identity, values) in enumerate(
                zip(answered.ids, zip(*columns, strict=True), strict=True)
            )
        ]

    async def _log(self, serving: Serving, predictions: list[Prediction]) -> None:
        """Hand the answers to the log; in durable mode wait until they are on disk."""
        mode = serving.deployment.log
        if mode == "off":
            return
        done = self._writer.put(predictions, durable=mode == "durable")
        if done is None:
            return
        try:
            await done
        except JournalError as error:
            flaw = Flaw(reason=f"the answer cannot be logged, so it is not given: {error}")
            raise RefusedError(503, [flaw], [(b"retry-after", b"1")]) from error


def decide(schema: Schema, scores: Scores, rows: int) -> Decided:
    """Return what a model's numbers mean: binary by the threshold, multiclass by the largest probability.

    Raises:
        ValueError: The model answered NaN, an infinity, or another shape than n rows.
    """
    if not schema.classes:
        values: list[float] = scores.value.tolist()
        _require_finite(values, rows)
        return Decided(values)
    if not scores.probability.size:
        codes: list[int] = scores.label.tolist()
        _require_finite(codes, rows)
        return Decided([schema.classes[code] for code in codes], codes)
    probabilities = scores.probability.tolist()
    if schema.document.task == "binary":
        positive, threshold = schema.positive, schema.threshold
        probability = [row[positive] for row in probabilities]
        codes = [positive if value >= threshold else 1 - positive for value in probability]
    else:
        codes = scores.probability.argmax(axis=1).tolist()
        probability = [row[code] for row, code in zip(probabilities, codes, strict=True)]
    _require_finite(probability, rows)
    # Sums of float32 may stand a hair outside [0, 1].
    clipped = [min(max(value, 0.0), 1.0) for value in probability]
    return Decided([schema.classes[code] for code in codes], codes, clipped, probabilities)


def _require_finite(values: Sequence[float], rows: int) -> None:
    """Refuse an answer that is no number for every row."""
    if len(values) != rows or not all(map(math.isfinite, values)):
        msg = f"the model answered {list(values)[:5]} for {rows} rows"
        raise ValueError(msg)
