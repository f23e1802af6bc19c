"""Samples of failing rows for a report: row numbers as people count, and values where they may be shown."""

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

SHOWN = 5
"""Failing rows in a sample."""


def row_numbers(rows: Ints) -> tuple[dict[str, Any], ...]:
    """Return the numbers of up to five rows, counted from 1, without values."""
    return tuple({"row": int(row) + 1} for row in rows[:SHOWN])


def failing_sample(rows: Ints, values: list[Any], *, is_hidden: bool) -> tuple[dict[str, Any], ...]:
    """Return the numbers and values of up to five rows; of a hidden column the numbers alone."""
    if is_hidden:
        return row_numbers(rows)
    pairs = zip(rows[:SHOWN].tolist(), values[:SHOWN], strict=False)
    return tuple({"row": row + 1, "value": _plain(value)} for row, value in pairs)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
