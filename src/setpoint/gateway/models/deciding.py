"""What a model's numbers mean: binary by the threshold, multiclass by the largest probability."""

import math
from collections.abc import Sequence

import msgspec

from setpoint.facts.evidence import Scores
from setpoint.gateway.rows.schema import Schema


class Decided(msgspec.Struct, frozen=True, gc=False):
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


class Numbers(msgspec.Struct, frozen=True, gc=False):
    """A model's answers to n rows as plain numbers, of which each request takes its part.

    Args:
        values: Values of a regression, or class codes of a model without probabilities; n of them, or none.
        probabilities: Probability of every class, n lists; none without.
    """

    values: list[float]
    probabilities: list[list[float]]


def numbers_of(schema: Schema, scores: Scores, rows: int) -> Numbers:
    """Return a model's answers as plain numbers.

    Raises:
        ValueError: The model answered another shape than n rows.
    """
    values: list[float] = []
    probabilities: list[list[float]] = []
    if not schema.classes:
        values = scores.value.tolist()
    elif scores.probability.size:
        probabilities = scores.probability.tolist()
    else:
        values = scores.label.tolist()
    if max(len(values), len(probabilities)) != rows:
        msg = f"the model answered {max(len(values), len(probabilities))} rows of {rows}"
        raise ValueError(msg)
    return Numbers(values, probabilities)


def decide(schema: Schema, numbers: Numbers, start: int, end: int) -> Decided:
    """Return what the rows from `start` up to `end` are answered.

    Raises:
        ValueError: The model answered NaN or an infinity.
    """
    if not numbers.probabilities:
        values = numbers.values[start:end]
        _require_finite(values)
        if not schema.classes:
            return Decided(values)
        codes = [int(value) for value in values]
        return Decided([schema.classes[code] for code in codes], codes)
    probabilities = numbers.probabilities[start:end]
    if schema.document.task == "binary":
        positive, threshold = schema.positive, schema.threshold
        probability = [row[positive] for row in probabilities]
        codes = [positive if value >= threshold else 1 - positive for value in probability]
    else:
        codes = [row.index(max(row)) for row in probabilities]
        probability = [row[code] for row, code in zip(probabilities, codes, strict=True)]
    _require_finite(probability)
    # Sums of float32 may stand a hair outside [0, 1].
    clipped = [value if 0.0 <= value <= 1.0 else min(max(value, 0.0), 1.0) for value in probability]
    return Decided([schema.classes[code] for code in codes], codes, clipped, probabilities)


def _require_finite(values: Sequence[float]) -> None:
    """Refuse an answer that is no number."""
    if not all(map(math.isfinite, values)):
        msg = f"the model answered {list(values)[:5]}"
        raise ValueError(msg)
