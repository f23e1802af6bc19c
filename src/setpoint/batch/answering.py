"""Rows to answers, each by the version that a gateway would have drawn for it, and the log's lines of them.

A row that breaks a rule gets no answer, as a request would get none; it is not logged. Rows that a model fails on are
logged as failed, so that the monitor counts them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from setpoint.batch.checking import Checks
from setpoint.batch.model import BatchModel
from setpoint.batch.one_version import Told, ask
from setpoint.contract.data import Format
from setpoint.data.cells import type_cells
from setpoint.facts.evidence import Ints
from setpoint.facts.prediction import Prediction
from setpoint.gateway.serving import Choice, Serving


@dataclass
class Answered:
    """The answers to n rows.

    Args:
        prediction: Class as text, or number, of each row; None without an answer.
        probability: Probability of the positive class, or of the answered one; None without one.
        version: Version that answered, or should have, shape (n,).
        error: Why a row has no answer; None where it has one.
        refused: Rows that break a rule.
        failed: Rows that the model failed on.
        predictions: What the log keeps, in the order of the rows; without the refused ones.
    """

    prediction: list[str | float | None]
    probability: list[float | None]
    version: Ints
    error: list[str | None]
    refused: int = 0
    failed: int = 0
    predictions: list[Prediction] = field(default_factory=list)


class Answering:
    """Answers rows as they come.

    Args:
        serving: What is served, as gateways have it.
        models: The models of the versions that answer, by number.
        pinned: The version that answers all rows; None for those that are drawn.
        form: How cells of text are written.
        stopwatch: Seconds on a clock that never jumps.
    """

    def __init__(
        self,
        serving: Serving,
        models: Mapping[int, BatchModel],
        *,
        pinned: int | None,
        form: Format,
        stopwatch: Callable[[], float],
    ) -> None:
        self._serving = serving
        self._models = models
        self._form = form
        self._stopwatch = stopwatch
        self._pinned = None if pinned is None else serving.pin(str(pinned))
        self._checks = {number: Checks(one.schema, form) for number, one in models.items()}

    def require_columns(self, names: Sequence[str]) -> None:
        """Check that a table has the inputs of every version that answers.

        Raises:
            DataError: It lacks one.
        """
        for checks in self._checks.values():
            checks.require_columns(names)

    def answer(
        self, table: pa.Table, ids: Sequence[str], at: float, *, logged: bool = True
    ) -> Answered:
        """Answer n rows.

        Args:
            table: The rows as a file has them: text, or typed columns.
            ids: Prediction id of each, n of them.
            at: When they are answered, in seconds since 1970-01-01 UTC.
            logged: Whether the log's lines are wanted.

        Raises:
            DataError: The table lacks an input.
        """
        rows = table.num_rows
        drawn = self._drawn(table, ids)
        found = Answered([None] * rows, [None] * rows, drawn, [None] * rows)
        keys = self._texts(table, self._serving.champion.schema.key)
        stamp = _Stamp(ids, keys, at) if logged else None
        for number in np.unique(drawn).tolist():
            places = np.flatnonzero(drawn == number)
            part = table if len(places) == rows else table.take(pa.array(places))
            self._answer_part(part, places, number, stamp, found)
        if stamp is not None and len(self._models) > 1:
            found.predictions.sort(key=lambda one: one.id)
        return found

    def _answer_part(
        self, table: pa.Table, places: Ints, number: int, stamp: "_Stamp | None", found: Answered
    ) -> None:
        """Answer the rows of one version, and note the answers in `found` at their places."""
        started = self._stopwatch()
        told = ask(table, self._checks[number], self._models[number])
        latency_s = (self._stopwatch() - started) / max(len(places), 1)
        found.refused += len(told.refused)
        found.failed += len(told.failed)
        for row, reason in told.errors().items():
            found.error[places[row]] = reason
        for row, place in enumerate(places[told.rows].tolist()):
            found.prediction[place], found.probability[place] = told.labels[row], told.chances[row]
        if stamp is not None:
            choice = self._serving.choices[number] if self._pinned is None else self._pinned
            found.predictions.extend(_lines(told, places[told.rows], choice, stamp, latency_s))

    def _drawn(self, table: pa.Table, ids: Sequence[str]) -> Ints:
        """Return the version of each row: by its sticky value, or else by its id, as gateways draw it."""
        if self._pinned is not None:
            return np.full(table.num_rows, self._pinned.version.number, dtype=np.int64)
        if self._serving.only is not None:
            return np.full(table.num_rows, self._serving.only.version.number, dtype=np.int64)
        sticky = self._texts(table, self._serving.deployment.sticky)
        drawn = (value or identity for value, identity in zip(sticky, ids, strict=True))
        return self._serving.assignment.versions_of(drawn)

    def _texts(self, table: pa.Table, column: str) -> list[str]:
        """Return a column as the texts that stand for its values; empty ones where there is none."""
        if not column or column not in table.column_names:
            return [""] * table.num_rows
        cells = type_cells(table.column(column), "category", self._form)
        return [value or "" for value in cells.values.to_pylist()]


@dataclass(frozen=True)
class _Stamp:
    """What the log is told of every row: its id, the entity, and when it was answered."""

    ids: Sequence[str]
    keys: Sequence[str]
    at: float


def _lines(
    told: Told, places: Ints, choice: Choice, stamp: _Stamp, latency_s: float
) -> Iterator[Prediction]:
    """Return the log's lines of one version's answers."""
    held = choice.withholding
    values = zip(*(column.to_pylist() for column in told.inputs), strict=True)
    for row, (place, given) in enumerate(zip(places.tolist(), values, strict=True)):
        key, reason = stamp.keys[place], told.failed.get(row, "")
        yield Prediction(
            by=choice.by,
            id=stamp.ids[place],
            at=stamp.at,
            variant=choice.variant,
            propensity=choice.propensity,
            key=key if held is None else held.key(key),
            values=given if held is None else held.values(given),
            prediction=told.labels[row],
            probability=told.chances[row],
            latency_s=latency_s,
            error=reason if held is None else held.error(reason),
        )
