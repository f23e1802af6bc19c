"""Rows answered in batch, by the versions and rules that gateways answer requests with.

A row that breaks a rule of the contract gets no answer, as a request would get none; it is not logged. Rows that a
model fails on are logged as failed, so that the monitor counts them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.contract.data import Format
from setpoint.data.cells import type_cells
from setpoint.errors import DataError
from setpoint.facts.evidence import Bools, Ints, Scores
from setpoint.facts.log_rule import Withholding
from setpoint.facts.prediction import Answerer, Prediction
from setpoint.facts.training import Feature
from setpoint.ports.scorer import Scorer

_SHOWN = 60  # characters of a value that an error shows


@dataclass(frozen=True)
class Arm:
    """A version that answers.

    Args:
        version: Its number.
        artifact: Digest of its bundle.
        contract: Digest of the contract that it was made under.
        features: Its inputs, with what the contract allows in them.
        classes: Class names in the order of its codes; empty for regression.
        variant: `champion` or `challenger`.
        share: Share of the rows that it is drawn for; 0 where it was named and not drawn.
        withholding: What the log is not given as it is; None where it is given all.
    """

    version: int
    artifact: str
    contract: str
    features: tuple[Feature, ...]
    classes: tuple[str, ...]
    variant: str
    share: float
    withholding: Withholding | None = None


@dataclass(frozen=True)
class Stamp:
    """What the log is told of every row of a chunk.

    Args:
        model: Name of the model.
        generation: Generation of the deployment document in force.
        at: Seconds since 1970-01-01 UTC.
        ids: Prediction id of each row, n of them, ascending.
        keys: Value of the entity column of each row as text, n of them; empty texts where there is none.
    """

    model: str
    generation: int
    at: float
    ids: Sequence[str]
    keys: Sequence[str]


@dataclass(frozen=True)
class Answered:
    """A chunk of n rows, answered.

    Args:
        prediction: Class as text, or number, of each row; None without an answer.
        probability: Probability of the positive class, or of the answered one; None without one.
        version: Version that answered, or should have, shape (n,).
        error: Why a row has no answer; empty where it has one.
        predictions: What the log keeps; without the rows that break a rule.
    """

    prediction: list[str | float | None]
    probability: list[float | None]
    version: Ints
    error: list[str]
    predictions: list[Prediction]


class RowAnswering:
    """Answers rows, each by its version.

    Args:
        arms: Versions by number.
        scorer: Asks the versions.
        form: How cells of text are written.
        stopwatch: Seconds on a clock that never jumps.
    """

    def __init__(
        self,
        arms: Mapping[int, Arm],
        scorer: Scorer,
        form: Format,
        stopwatch: Callable[[], float],
    ) -> None:
        self._arms = arms
        self._scorer = scorer
        self._form = form
        self._stopwatch = stopwatch

    def answer(self, table: pa.Table, assigned: Ints, stamp: Stamp) -> Answered:
        """Answer rows.

        Args:
            table: n rows as a file has them: text, or typed columns.
            assigned: Version of each row, shape (n,).
            stamp: What the log is told.

        Raises:
            DataError: The table lacks an input that may not be missing.
        """
        found = Answered(
            prediction=[None] * table.num_rows,
            probability=[None] * table.num_rows,
            version=assigned,
            error=[""] * table.num_rows,
            predictions=[],
        )
        for version in np.unique(assigned).tolist():
            self._answer_arm(
                table, self._arms[version], np.flatnonzero(assigned == version), stamp, found
            )
        found.predictions.sort(key=lambda one: one.id)
        return found

    def _answer_arm(
        self, table: pa.Table, arm: Arm, rows: Ints, stamp: Stamp, found: Answered
    ) -> None:
        """Answer the rows of one version, and note the answers in `found`."""
        part = table if len(rows) == table.num_rows else table.take(pa.array(rows))
        inputs, errors = typed_features(part, arm.features, self._form)
        for row, error in zip(rows.tolist(), errors, strict=True):
            found.error[row] = error
        sound = np.flatnonzero([not error for error in errors])
        if not sound.size:
            return
        inputs, rows = inputs.take(pa.array(sound)), rows[sound]
        started = self._stopwatch()
        labels, chances, reason = self._decide(arm, inputs)
        latency_s = (self._stopwatch() - started) / len(rows)
        by, held = _answerer(arm, stamp), arm.withholding
        values = zip(*(column.to_pylist() for column in inputs.columns), strict=True)
        for row, given, label, chance in zip(rows.tolist(), values, labels, chances, strict=True):
            found.prediction[row], found.probability[row] = label, chance
            found.error[row] = reason
            found.predictions.append(
                Prediction(
                    by=by,
                    id=stamp.ids[row],
                    at=stamp.at,
                    variant=arm.variant,
                    propensity=arm.share,
                    key=stamp.keys[row] if held is None else held.key(stamp.keys[row]),
                    values=given if held is None else held.values(given),
                    prediction=label,
                    probability=chance,
                    latency_s=latency_s,
                    error=reason if held is None else held.error(reason),
                )
            )

    def _decide(
        self, arm: Arm, inputs: pa.Table
    ) -> tuple[Sequence[str | float | None], Sequence[float | None], str]:
        """Return what a version says of n rows; or nothing, and why."""
        try:
            return *_decided(self._scorer.score(arm.artifact, inputs), arm.classes), ""
        except Exception as error:  # noqa: BLE001  the model is foreign code: its failure is an answer's error, on record
            nothing: list[None] = [None] * inputs.num_rows
            return nothing, nothing, f"{type(error).__name__}: {error}"[:500]


def _answerer(arm: Arm, stamp: Stamp) -> Answerer:
    held = arm.withholding
    return Answerer(
        model=stamp.model,
        version=arm.version,
        contract=arm.contract,
        generation=stamp.generation,
        columns=tuple(one.name for one in arm.features) if held is None else held.columns,
        withheld={} if held is None else held.rules,
    )


def typed_features(
    table: pa.Table, features: Sequence[Feature], form: Format
) -> tuple[pa.Table, list[str]]:
    """Return the features as their kinds have them, and for each row what is wrong with it, or an empty text.

    Raises:
        DataError: A feature that may not be missing is no column of the table.
    """
    absent = [one.name for one in features if one.name not in table.column_names]
    if firm := [one.name for one in features if one.name in absent and not one.nullable]:
        msg = f"the table lacks {', '.join(firm)}; it has {', '.join(table.column_names[:20])}"
        raise DataError(msg)
    if len(absent) == len(features):
        msg = f"the table has none of the inputs; they are {', '.join(absent[:20])}"
        raise DataError(msg)
    errors = [""] * table.num_rows
    typed = {}
    for feature in features:
        column = (
            pa.chunked_array([pa.nulls(table.num_rows)])
            if feature.name in absent
            else table.column(feature.name)
        )
        cells = type_cells(column, feature.kind, form)  # type: ignore[arg-type]  # kinds are column types
        typed[feature.name] = cells.values
        broken = cells.bad | _breaks(cells.values, feature)
        for row in np.flatnonzero(broken).tolist():
            errors[row] = errors[row] or _reason(column[row].as_py(), feature)
    return pa.table(typed), errors


def _decided(
    scores: Scores, classes: tuple[str, ...]
) -> tuple[list[str | float | None], list[float | None]]:
    """Return classes or numbers, and the probability that a gateway would answer with them."""
    if not classes:
        return scores.value.tolist(), [None] * len(scores.value)
    labels: list[str | float | None] = [classes[code] for code in scores.label.tolist()]
    if not scores.probability.size:
        return labels, [None] * len(labels)
    column = np.ones_like(scores.label) if len(classes) == len("01") else scores.label
    chances = scores.probability[np.arange(len(labels)), column]
    return labels, np.clip(chances, 0.0, 1.0).tolist()


def _breaks(values: pa.Array, feature: Feature) -> Bools:
    """Return which typed cells the contract does not allow, shape (n,)."""
    missing = _mask(pc.is_null(values))
    broken = missing & (not feature.nullable)
    if feature.values is not None:
        known = pc.is_in(values.cast(pa.string()), value_set=pa.array(feature.values, pa.string()))
        broken |= ~missing & ~_mask(known)
    if feature.low is not None:
        broken |= _mask(pc.fill_null(pc.less(values, feature.low), fill_value=False))
    if feature.high is not None:
        broken |= _mask(pc.fill_null(pc.greater(values, feature.high), fill_value=False))
    return broken


def _mask(values: pa.Array) -> npt.NDArray[np.bool_]:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _reason(value: object, feature: Feature) -> str:
    needs = feature.kind
    if feature.values is not None:
        needs = f"one of {', '.join(feature.values[:20])}"
    elif feature.low is not None or feature.high is not None:
        low = "" if feature.low is None else f" from {feature.low:g}"
        high = "" if feature.high is None else f" to {feature.high:g}"
        needs = f"{feature.kind}{low}{high}"
    if value is None or value == "":
        return f"{feature.name} is missing, needs {needs}"
    return f"{feature.name} is {str(value)[:_SHOWN]!r}, needs {needs}"
