"""Answers that look at no feature: the majority class, the mean, and the last known label."""

import numpy as np

from setpoint.errors import MeasurementError
from setpoint.facts.evidence import Floats, Ints, Scores

_NO_VALUES = np.empty(0)
_NO_LABELS = np.empty(0, np.int64)


def majority(fit_labels: Ints, classes: int, rows: int) -> Scores:
    """Answer every row with the most frequent class, and with the classes' shares as probabilities.

    Args:
        fit_labels: Class codes of the rows fitted on.
        classes: Number of classes.
        rows: Number of rows to answer.
    """
    counts = np.bincount(fit_labels, minlength=classes)
    shares = counts / counts.sum()
    label = np.full(rows, int(counts.argmax()), dtype=np.int64)
    return Scores(label=label, probability=np.tile(shares, (rows, 1)), value=_NO_VALUES)


def mean(fit_values: Floats, rows: int) -> Scores:
    """Answer every row with the mean of the values fitted on."""
    value = np.full(rows, float(np.mean(fit_values)))
    return Scores(label=_NO_LABELS, probability=np.empty((0, 0)), value=value)


def last_known(known: Floats | Ints, positions: Ints, delay: int) -> Ints:
    """Return the position of the last known label of each row: `position - 1 - delay`, or the nearest before it.

    Args:
        known: Truth of every row of the table; NaN or negative codes where there is none.
        positions: Rows to answer, as positions of the table.
        delay: Rows after which a label is known.

    Raises:
        MeasurementError: There is no label before some row.
    """
    there = known >= 0 if known.dtype.kind == "i" else np.isfinite(known)
    last = np.maximum.accumulate(np.where(there, np.arange(len(known)), -1))
    asked = positions - 1 - delay
    if np.any(asked < 0) or np.any(last[asked] < 0):
        msg = f"no label is known {delay + 1} rows before row {int(positions[0])}"
        raise MeasurementError(msg)
    return np.asarray(last[asked], dtype=np.int64)


def no_change_labels(labels: Ints, positions: Ints, delay: int, classes: int) -> Scores:
    """Answer each row with the last label known before it.

    Raises:
        MeasurementError: There is no label before some row.
    """
    label = labels[last_known(labels, positions, delay)]
    return Scores(label=label, probability=np.eye(classes)[label], value=_NO_VALUES)


def no_change_values(values: Floats, positions: Ints, delay: int) -> Scores:
    """Answer each row with the last value known before it.

    Raises:
        MeasurementError: There is no value before some row.
    """
    value = values[last_known(values, positions, delay)]
    return Scores(label=_NO_LABELS, probability=np.empty((0, 0)), value=value)
