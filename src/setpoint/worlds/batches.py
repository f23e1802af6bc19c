"""How a replay cuts history into batches: by rows, or by spans of the table's own time. From the past alone."""

from itertools import pairwise

import numpy as np

from setpoint.contract.spans import Span
from setpoint.errors import UsageError
from setpoint.facts.evidence import Floats

DEFAULT_START = 4000
"""First row that is answered where nobody says; half of a table that is shorter than twice this."""

_ROWS = 250
_SPANS_S = (3600.0, 6 * 3600.0, 86400.0, 7 * 86400.0, 30 * 86400.0)
_ENOUGH = 100  # rows of a median batch


def default_start(rows: int) -> int:
    """Return the first row that is answered where nobody says."""
    return DEFAULT_START if rows >= 2 * DEFAULT_START else rows // 2


def default_batch(at: Floats, axis: str) -> Span:
    """Return a batch that usually holds 100 rows or more, judged by the rows before the start.

    Args:
        at: Ticks of the rows before the start, ascending.
        axis: `time` or `rows`.
    """
    if axis == "rows":
        return Span(float(_ROWS), "rows")
    spent = float(at[-1] - at[0]) if at.size else 0.0
    for span in _SPANS_S:
        if spent > 0 and at.size * span / spent >= _ENOUGH:
            return Span(span, "seconds")
    return Span(_SPANS_S[-1], "seconds")


def cut_batches(at: Floats, start: int, batch: Span, axis: str) -> list[tuple[int, int]]:
    """Return half-open row ranges from `start` to the end of the table, none empty.

    Args:
        at: Tick of each row, ascending.
        start: First row that is answered.
        batch: Rows, or time on the axis `time`; a stretch of time without rows makes no batch.
        axis: `time` or `rows`.

    Raises:
        UsageError: The batch is empty, or a length of time without a time axis.
    """
    rows = at.size
    if batch.value <= 0:
        msg = f"--batch {batch}: a batch needs a length above 0"
        raise UsageError(msg)
    if batch.unit == "rows":
        size = max(1, int(batch.value))
        return [(first, min(first + size, rows)) for first in range(start, rows, size)]
    if axis == "rows":
        msg = f"--batch {batch}: the contract has no data.time; write a number of rows, such as 500"
        raise UsageError(msg)
    edges = np.arange(at[start], at[-1] + batch.value, batch.value)
    cuts = np.append(np.searchsorted(at, edges, side="left"), rows)
    cuts = np.clip(cuts, start, rows)
    return [(int(a), int(b)) for a, b in pairwise(cuts) if a < b]
