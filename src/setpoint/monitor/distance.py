"""How far columns of a window are from their reference, whether that is chance, and the verdict by both.

A column fails only when all three hold: the lower bound of its distance exceeds its floor, its p-value is significant
among all columns looked at (Benjamini-Hochberg, with effective rows), and the window has enough rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from setpoint.contract.monitor import Drift
from setpoint.facts.signal import Signal, Window
from setpoint.facts.verdict import Ruling, Verdict
from setpoint.monitor.counting import Counted
from setpoint.monitor.floor import is_from_own_windows, natural_floor
from setpoint.monitor.statistics import beside, ks_p
from setpoint.stats.distance import shares
from setpoint.stats.effective_size import effective_rows
from setpoint.stats.floors import tvd_interval
from setpoint.stats.significance import benjamini_hochberg, chi_squared_p_value

_SURE = 0.99
"""Of a lower bound above its floor: many columns are looked at, and an alarm asks for more than not passing."""


@dataclass(frozen=True)
class _Judged:
    """Measures of one column: its distance and bounds, p-values before and after adjustment, and its floor."""

    value: float
    low: float
    high: float
    raw: float
    p: float
    adjusted: float
    floor: float
    worth: float


def distance_signals(
    counted: Sequence[Counted], names: Sequence[str], window: Window, rules: Drift
) -> list[Signal]:
    """Return the distance of each column from its reference, as a signal with its verdict.

    Args:
        counted: Columns of one window.
        names: Name of each signal.
        window: The window, for the record.
        rules: Effect, significance and fewest rows.

    Returns:
        Signals in the order of `counted`. The value is the distance without the bias of small samples, with the
        interval of the true one; `numbers` has the plain distance and other statistics beside it.
    """
    usable = [column for column in counted if column.rows > 0]
    judged = iter(_judge_all(usable, rules)) if usable else iter(())
    found = []
    for column, name in zip(counted, names, strict=True):
        if column.counts is None:
            found.append(_unmeasured(name, window, column.ruling, column.problem))
        elif column.rows == 0:
            found.append(_unmeasured(name, window, "inconclusive", "the window has no rows"))
        else:
            found.append(_signal(column, name, window, rules, next(judged)))
    return found


def _judge_all(columns: list[Counted], rules: Drift) -> list[_Judged]:
    cells = max(len(column.profile.shares) for column in columns)
    reference, current = np.zeros((2, len(columns), cells))
    for i, column in enumerate(columns):
        reference[i, : len(column.profile.shares)] = column.profile.shares
        current[i, : len(column.profile.shares)] = column.counts
    worth = np.array([effective_rows(c.rows, c.profile.design_effect) for c in columns])
    base = np.array([effective_rows(c.profile.n, c.profile.design_effect) for c in columns])
    floor = np.array([max(float(rules.effect), natural_floor(c.profile, c.rows)) for c in columns])
    bounds = tvd_interval(reference, current, rows=worth, reference_rows=base)
    low = bounds.low.copy()
    if (above := low > floor).any():
        surer = tvd_interval(
            reference[above],
            current[above],
            rows=worth[above],
            reference_rows=base[above],
            confidence=_SURE,
        )
        low[above] = surer.low
    p = np.array(
        [
            _p_value(column, n=float(m), m=float(n))
            for column, n, m in zip(columns, worth, base, strict=True)
        ]
    )
    adjusted = benjamini_hochberg(p)
    return [
        _Judged(
            value=float(bounds.corrected[i]),
            low=float(low[i]),
            high=float(bounds.high[i]),
            raw=float(bounds.value[i]),
            p=float(p[i]),
            adjusted=float(adjusted[i]),
            floor=float(floor[i]),
            worth=float(worth[i]),
        )
        for i in range(len(columns))
    ]


def _p_value(column: Counted, *, n: float, m: float) -> float:
    reference, current = column.profile.shares, np.asarray(column.counts, dtype=np.float64)
    return chi_squared_p_value(reference, current, n=n, m=m)


def _signal(column: Counted, name: str, window: Window, rules: Drift, found: _Judged) -> Signal:
    enough = column.rows >= rules.min_rows
    ruling, reason = _rule(column, rules, found)
    numbers = {"tvd": found.raw, "floor": found.floor, "p": found.p, "p_adjusted": found.adjusted}
    numbers |= beside(column)
    if "ks" in numbers:
        base = effective_rows(column.profile.n, column.profile.design_effect)
        numbers["ks_p"] = ks_p(numbers["ks"], base, found.worth)
    return Signal(
        name=name,
        window=window,
        value=found.value,
        # Without enough rows there is no interval either, so that no condition is judged by it.
        verdict=Verdict(
            subject=f"{name} max {found.floor:.3g}",
            verdict=ruling,
            observed=found.value,
            limit=found.floor,
            interval=(found.low, found.high) if enough else None,
            n=column.rows,
            reason=reason,
            evidence={
                "effect": float(rules.effect),
                "p_adjusted": found.adjusted,
                "significance": float(rules.significance),
                "n_effective": found.worth,
                "floor_from": "own windows"
                if is_from_own_windows(column.profile)
                else "chance alone: the reference has fewer than 8 windows of its own",
            },
        ),
        numbers={column.profile.name: numbers},
    )


def _rule(column: Counted, rules: Drift, found: _Judged) -> tuple[Ruling, str]:
    distance = f"a distance of {found.value:.3f} ({found.low:.3f} to {found.high:.3f})"
    if column.rows < rules.min_rows:
        return "inconclusive", f"min_rows {rules.min_rows}, got {column.rows}"
    if found.low > found.floor:
        if found.adjusted <= rules.significance:
            moved = _largest_move(column)
            return "fail", f"{distance} is surely above {found.floor:.3f}: {moved}"
        return "inconclusive", f"{distance} is above {found.floor:.3f}, but not significant"
    if found.high < found.floor:
        return "pass", f"{distance} is surely under {found.floor:.3f}"
    return "inconclusive", f"{distance} may be on either side of {found.floor:.3f}"


def _largest_move(column: Counted) -> str:
    current = shares(np.asarray(column.counts))
    gap = current - np.asarray(column.profile.shares)
    i = int(np.abs(gap).argmax())
    label = column.labels[i]
    return f"{label} went from {column.profile.shares[i]:.1%} to {current[i]:.1%} of the rows"


def _unmeasured(name: str, window: Window, ruling: Ruling, reason: str) -> Signal:
    return Signal(
        name=name,
        window=window,
        value=None,
        verdict=Verdict(subject=name, verdict=ruling, n=0, reason=reason),
    )
