"""The rows of each value of a column: what slices and fairness look at one by one."""

from collections.abc import Iterator

import numpy as np

from setpoint.errors import UndefinedMetricError
from setpoint.facts.evidence import Bools, Evidence
from setpoint.gates.metric import MIN_ROWS

MOST_VALUES = 50  # more values than this are a measurement, not groups
MISSING = "(missing)"


def groups_of(evidence: Evidence, column: str) -> Iterator[tuple[str, Bools]]:
    """Yield each value of a column as text, with its rows of the evidence; missing values are a group of their own.

    Raises:
        UndefinedMetricError: The column was not kept beside the answers, or has too many values to be groups.
    """
    if column not in evidence.columns:
        raise UndefinedMetricError(f"column {column!r} was not kept beside the answers")
    texts = np.array([_text(value) for value in evidence.columns[column]], dtype=object)
    values = sorted(set(texts))
    if len(values) > MOST_VALUES:
        raise UndefinedMetricError(
            f"column {column!r} has {len(values)} values; groups need at most {MOST_VALUES}: name a column of "
            "categories, or one that bins it"
        )
    for value in values:
        yield value, np.asarray(texts == value, dtype=np.bool_)


def too_small(evidence: Evidence, rows: Bools) -> str:
    """Return why a group is too small to be judged, or an empty text: 30 rows, and 30 of each class it needs."""
    found = int(rows.sum())
    if not evidence.classes:
        return "" if found >= MIN_ROWS else f"{found} rows"
    counts = np.bincount(evidence.truth_label[rows], minlength=len(evidence.classes))
    rarest = int(counts.argmin())
    if counts[rarest] >= MIN_ROWS:
        return ""
    return f"{counts[rarest]} rows of class {evidence.classes[rarest]!r}"


def _text(value: object) -> str:
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return MISSING
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)
