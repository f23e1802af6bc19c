"""Values that the reference does not know: numbers outside its range, new categories.

Numbers wander a little past the range of any sample, so a few of them just outside are natural; many are not, and a
value far outside (three widths of the range, as after a change of unit) is not either, however few.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from setpoint.contract.contract import Contract
from setpoint.facts.evidence import Floats
from setpoint.facts.signal import Signal, Window
from setpoint.monitor.answered import Answered
from setpoint.monitor.counting import Counted
from setpoint.monitor.share import Part, no_share, share_signal
from setpoint.stats.effective_size import effective_rows

FAR = 3.0  # widths of the range beyond it
_OUTSIDE = 0.05  # share of rows that may be outside by nature
_FAR_OUTSIDE = 0.005
_UNIT = 8.0  # times as large: not a season, rather a unit
_ABOUT = 0.25  # of a power of ten, in decades


def range_signals(
    contract: Contract, answered: Answered, counted: Sequence[Counted]
) -> list[Signal]:
    """Return `ranges.<column>` for each column of the reference: the share of values that it does not know.

    Args:
        contract: Has significance and fewest rows under `monitor.drift`.
        answered: The window.
        counted: Its columns, counted.
    """
    rules = contract.monitor.drift
    confidence = 1 - float(rules.significance) / max(len(counted), 1)
    return [_signal(column, answered.window, confidence, rules.min_rows) for column in counted]


@dataclass(frozen=True)
class _Outside:
    """Rows that are outside, of these far outside, and the words for them."""

    count: int
    far: int
    words: str


def _signal(column: Counted, window: Window, confidence: float, min_rows: int) -> Signal:
    name = f"ranges.{column.profile.name}"
    if column.counts is None:
        return no_share(name, window, column.ruling, column.problem)
    if column.rows == 0:
        return no_share(name, window, "inconclusive", "the window has no rows")
    if column.profile.kind == "numeric" and column.profile.low is None:
        return no_share(name, window, "inconclusive", "the reference has no value to compare with")
    outside = _new_values(column) if column.values is None else _out_of_range(column, column.values)
    # Slips of the pen and changes of unit come row by row: a far value does not resemble its neighbour.
    far = Part(outside.far, column.rows, float(column.rows), confidence)
    if far.interval[0] > _FAR_OUTSIDE:
        part, limit = far, _FAR_OUTSIDE
    else:
        worth = effective_rows(column.rows, column.profile.design_effect)
        part, limit = Part(outside.count, column.rows, worth, confidence), _OUTSIDE
    return share_signal(name, window, part, limit=limit, min_rows=min_rows, words=outside.words)


def _new_values(column: Counted) -> _Outside:
    counts = column.counts
    count = 0 if counts is None else int(counts[-2])
    named = ", ".join(repr(value) for value in column.unseen)
    return _Outside(count, 0, f"values are new values{f': {named}' if named else ''}")


def _out_of_range(column: Counted, values: Floats) -> _Outside:
    low, high = float(column.profile.low or 0.0), float(column.profile.high or 0.0)
    width = (high - low) or abs(high) or 1.0
    below, above = values < low, values > high
    far = (values < low - FAR * width) | (values > high + FAR * width)
    count, is_above = int(below.sum() + above.sum()), int(above.sum()) >= int(below.sum())
    side = f"above {high:.6g}" if is_above else f"below {low:.6g}"
    words = f"values are out of range, {side}" if count else "values are out of range"
    if far.sum() > _FAR_OUTSIDE * values.size or count > _OUTSIDE * values.size:
        words += _unit_change(column, values[below | above])
    return _Outside(count, int(far.sum()), words)


def _unit_change(column: Counted, outside: Floats) -> str:
    """Say so when values outside are a power of ten larger or smaller than usual ones."""
    usual = abs(column.profile.mean or 0.0)
    finite = np.abs(outside[np.isfinite(outside)])
    if not finite.size or not usual:
        return ""
    middle = float(np.quantile(finite, 0.5, method="lower"))
    if not middle:
        return ""
    decades = math.log10(middle) - math.log10(usual)
    if abs(decades) < math.log10(_UNIT) or abs(decades - round(decades)) > _ABOUT:
        return ""
    many = "large" if decades > 0 else "small"
    return f", about {10 ** abs(round(decades)):,} times as {many} as usual: a change of unit?"
