"""Limits with room: what was seen, widened so that honest later rows pass and broken ones do not.

A range is widened to either side by three times its own width, or by the size of its numbers where that is more; a
long tail by nine times. So rows of a season that was not seen yet pass, and a change of unit, by a factor of 1,000, is
still found. Counts stay at 0 or more. What moves with time has no limits.
"""

import math
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from setpoint.data.traits import Trait

Floats = npt.NDArray[np.float64]

_CALENDAR = (
    (re.compile(r"(?i)(^|_)(hr|hour|hours)(_of_day)?$"), 0, 23),
    (re.compile(r"(?i)(^|_)(mnth|month)$"), 0, 12),
    (re.compile(r"(?i)(^|_)(weekday|day_?of_?week|dow)$"), 0, 7),
    (re.compile(r"(?i)(^|_)day(_of_month)?$"), 0, 31),
    (re.compile(r"(?i)(^|_)min(ute)?s?$"), 0, 60),
)
_TAIL = 5.0  # widths of the middle half from the median to the end: a long tail
_LONG = 9.0
_WIDE = 3.0
_SKEWED = 3.0  # times as far from the median to the top as to the bottom: an amount, which 0 ends
_TREND = 0.95  # rank correlation with the order of the rows
_NULLS_LEAST = 0.05
_NULLS_NO_RULE = 0.95
_FEW_VALUES = 12
_MIN_SHARE = 0.01
_QUARTERS = 4
_ROWS_FOR_VALUES = 200


def range_of(trait: Trait) -> dict[str, Any]:
    """Return `min` and `max` of a numeric column with room; what has no limit is left out."""
    values = trait.numbers
    known = values[np.isfinite(values)]
    if known.size == 0:
        return {}
    low, high = float(known.min()), float(known.max())
    trend = _trend(values)
    if trait.distinct <= 2 and {low, high} <= {0.0, 1.0} and abs(trend) < _TREND:  # noqa: PLR2004 - a flag
        return {"min": 0, "max": 1}
    for pattern, first, last in _CALENDAR:
        if pattern.search(trait.name) and first <= low and high <= last and trait.type == "int":
            return {"min": first, "max": last}
    if abs(trend) >= _TREND:
        return {"min": 0} if low >= 0 and trait.type == "int" else {}
    down, up = _rooms(known, low, high)
    bottom, top = low - down, high + up
    if low >= 0 and (trait.type == "int" or _is_amount(known)):
        bottom = max(0.0, bottom)
    bounds = {"min": _outward(bottom, down, up=False), "max": _outward(top, up, up=True)}
    return {name: int(bound) if trait.type == "int" else bound for name, bound in bounds.items()}


def grows(trait: Trait) -> bool:
    """Return whether a numeric column rises or falls with the order of the rows."""
    return trait.is_numeric and abs(_trend(trait.numbers)) >= _TREND


def nulls_of(missing: float) -> str | None:
    """Return the allowed share of missing values: twice what was seen and five points, in whole percent."""
    allowed = 2 * missing + _NULLS_LEAST
    if allowed >= _NULLS_NO_RULE:
        return None
    return f"{math.ceil(round(allowed * 100, 6))}%"


def values_of(trait: Trait) -> list[str] | None:
    """Return a category's values where they are few and stable; None where new ones are to be expected.

    Stable: each value is 1 % of the rows or more, and comes in every quarter of the table. A season does not.
    """
    texts = trait.values
    rows = len(texts)
    if trait.type != "category" or not 1 < trait.distinct <= _FEW_VALUES or rows < _ROWS_FOR_VALUES:
        return None
    encoded = texts.dictionary_encode()
    codes = encoded.indices.fill_null(trait.distinct).to_numpy(zero_copy_only=False)
    quarter = np.arange(rows) * _QUARTERS // rows
    counts = np.zeros((trait.distinct + 1, _QUARTERS), dtype=np.int64)
    np.add.at(counts, (codes, quarter), 1)
    counts = counts[: trait.distinct]
    if counts.min() == 0 or counts.sum(axis=1).min() < _MIN_SHARE * rows:
        return None
    return sorted(str(value) for value in encoded.dictionary.to_pylist())


def _rooms(known: Floats, low: float, high: float) -> tuple[float, float]:
    """Return how far to widen below and above."""
    first, middle, third = np.quantile(known, [0.25, 0.5, 0.75])
    tail = _TAIL * float(third - first)
    width, size = high - low, max(abs(low), abs(high), 1e-9)
    down = (_LONG if middle - low > tail else _WIDE) * width
    up = (_LONG if high - middle > tail else _WIDE) * width
    return max(down, size), max(up, size)


def _is_amount(known: Floats) -> bool:
    """Whether 0 is a natural end: values crowd towards the bottom, as prices do, or are often 0."""
    low, middle, high = float(known.min()), float(np.median(known)), float(known.max())
    return high - middle >= _SKEWED * (middle - low) or float(np.mean(known == 0)) >= _MIN_SHARE


def _trend(values: Floats) -> float:
    known = np.flatnonzero(np.isfinite(values))
    if known.size < _ROWS_FOR_VALUES or np.ptp(values[known]) == 0:
        return 0.0
    steps = np.diff(values[known])
    if np.all(steps >= 0) or np.all(steps <= 0):
        return 1.0 if steps.sum() > 0 else -1.0
    picked = known[np.linspace(0, known.size - 1, min(known.size, 2000)).astype(np.int64)]
    ranks = _ranks(values[picked])
    if np.ptp(ranks) == 0:
        return 0.0
    return float(np.corrcoef(ranks, np.arange(picked.size))[0, 1])


def _ranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    starts = np.cumsum(counts) - counts
    return np.asarray((starts + (counts - 1) / 2)[inverse], dtype=np.float64)


def _outward(bound: float, room: float, *, up: bool) -> float:
    """Round a bound away from the values, to two digits of the room; 0 stays 0."""
    if bound == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(room)) - 1)
    steps = math.ceil(bound / step) if up else math.floor(bound / step)
    return round(steps * step, max(0, -math.floor(math.log10(step))))
