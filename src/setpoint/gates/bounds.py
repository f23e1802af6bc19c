"""How a limit rules: over the observed value, or with `confidence` over the whole interval."""

from setpoint.facts.verdict import Ruling
from setpoint.stats.interval import Estimate

Bounds = tuple[float | None, float | None]


def rule_limits(found: Estimate, bounds: Bounds, *, by_interval: bool) -> tuple[Ruling, str]:
    """Return the ruling of limits, and one sentence for people.

    Args:
        found: The observed value with its interval.
        bounds: Smallest and largest allowed value; None where there is no such limit.
        by_interval: Whether the interval is judged: `pass` when all of it is within, `fail` when all of it is beyond.
    """
    low, high = bounds
    if not by_interval:
        if _within(found.value, low, high):
            return "pass", f"{found.value:.4g} is within the limit"
        return "fail", f"{found.value:.4g} is beyond the limit"
    shown = f"{found.low:.4g} to {found.high:.4g}"
    if _within(found.low, low, high) and _within(found.high, low, high):
        return "pass", f"the interval {shown} is within the limit"
    if (low is not None and found.high < low) or (high is not None and found.low > high):
        return "fail", f"the interval {shown} is beyond the limit"
    return "inconclusive", f"the interval {shown} is on both sides of the limit"


def shown_limit(bounds: Bounds) -> float | tuple[float, float] | None:
    """Return limits as a verdict shows them: a number, or a pair."""
    low, high = bounds
    if low is not None and high is not None:
        return (low, high)
    return low if low is not None else high


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)
