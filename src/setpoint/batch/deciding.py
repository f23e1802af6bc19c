"""What a model's numbers mean, for many rows at once: what `setpoint.gateway.models.deciding` says of each."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from setpoint.facts.evidence import Floats, Ints, Scores
from setpoint.gateway.models.deciding import Decided, decide, numbers_of
from setpoint.gateway.rows.schema import Schema


@dataclass(frozen=True)
class Decisions:
    """What a version says of n rows.

    Args:
        codes: Position of the class, shape (n,); empty for regression.
        values: A regression's answer, or the probability that an answer is given with, shape (n,); NaN without one.
        reasons: Why a row has no answer, by its position; its code and value mean nothing.
    """

    codes: Ints
    values: Floats
    reasons: dict[int, str]


def decide_all(schema: Schema, scores: Scores, rows: int) -> Decisions:
    """Return what a model's answers to n rows mean.

    Raises:
        ValueError: The model answered another shape.
    """
    if not schema.classes:
        values = np.array(scores.value, dtype=np.float64)
        _require_rows(len(values), rows)
        return _checked(Decisions(np.empty(0, dtype=np.int64), values, {}), values)
    if not scores.probability.size:
        codes = np.array(scores.label, dtype=np.int64)
        _require_rows(len(codes), rows)
        return Decisions(codes, np.full(rows, np.nan), {})
    chances = np.array(scores.probability, dtype=np.float64)
    _require_rows(len(chances), rows)
    if schema.document.task == "binary":
        values = chances[:, schema.positive].copy()
        codes = np.where(values >= schema.threshold, schema.positive, 1 - schema.positive)
    else:
        codes = chances.argmax(axis=1)
        values = chances[np.arange(rows), codes]
    found = Decisions(codes.astype(np.int64), np.clip(values, 0.0, 1.0), {})
    return _one_by_one(schema, chances, found)


def _one_by_one(schema: Schema, chances: Floats, found: Decisions) -> Decisions:
    """Decide the rows anew, one by one, whose probabilities are not all numbers: they take ways of their own."""
    for row in np.flatnonzero(~np.isfinite(chances).all(axis=1)).tolist():
        scores = Scores(
            label=np.empty(0, dtype=np.int64), probability=chances[row : row + 1], value=np.empty(0)
        )
        try:
            one: Decided = decide(schema, numbers_of(schema, scores, 1), 0, 1)
        except ValueError as error:
            found.reasons[row] = f"ValueError: {error}"
        else:
            found.codes[row], found.values[row] = one.codes[0], one.probability[0]
    return found


def _checked(found: Decisions, values: npt.NDArray[np.float64]) -> Decisions:
    for row in np.flatnonzero(~np.isfinite(values)).tolist():
        found.reasons[row] = f"ValueError: the model answered {[float(values[row])]}"
    return found


def _require_rows(found: int, rows: int) -> None:
    if found != rows:
        msg = f"the model answered {found} rows of {rows}"
        raise ValueError(msg)
