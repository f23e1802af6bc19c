"""Time to answer: quantiles with exact bounds by order statistics, against the contract's objectives."""

import numpy as np
from scipy.special import bdtr

from setpoint.contract.contract import Contract
from setpoint.facts.evidence import Floats
from setpoint.facts.signal import Signal
from setpoint.facts.verdict import Ruling, Verdict
from setpoint.monitor.answered import Answered
from setpoint.monitor.share import no_share

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
"""Signals by name, and the quantile of each."""

_TAIL = 0.025


def latency_signals(contract: Contract, answered: Answered) -> list[Signal]:
    """Return `latency.p50`, `latency.p95` and `latency.p99`, in seconds.

    Args:
        contract: Has objectives under `monitor.slo`.
        answered: The window, with `latency_s`.
    """
    given = np.empty(0) if answered.latency_s is None else answered.latency_s
    times = np.sort(given[np.isfinite(given)])
    slo = contract.monitor.slo
    limits = {"p50": None, "p95": slo.latency_p95, "p99": slo.latency_p99}
    found = []
    for name, limit in limits.items():
        signal = f"latency.{name}"
        if times.size == 0:
            found.append(no_share(signal, answered.window, "inconclusive", "no request was timed"))
            continue
        verdict = _judge(signal, times, QUANTILES[name], None if limit is None else float(limit))
        found.append(
            Signal(name=signal, window=answered.window, value=verdict.observed, verdict=verdict)
        )
    return found


def _judge(name: str, times: Floats, quantile: float, limit: float | None) -> Verdict:
    n = times.size
    value = float(times[min(n - 1, int(np.ceil(quantile * n)) - 1)])
    low, high = _bounds(times, quantile)
    ruling: Ruling
    words = f"{value * 1e3:.3g} ms of {n} requests"
    if high is None or low is None:
        ruling, reason = "inconclusive", f"{words}: too few to bound this quantile"
    elif limit is None:
        ruling, reason = "pass", f"{words}; the contract sets no limit"
    elif low > limit:
        ruling, reason = "fail", f"{words} are surely above {limit * 1e3:g} ms"
    elif value <= limit:
        ruling, reason = "pass", f"{words} are within {limit * 1e3:g} ms"
    else:
        ruling, reason = (
            "inconclusive",
            f"{words} are above {limit * 1e3:g} ms, and this may be chance",
        )
    return Verdict(
        subject=name if limit is None else f"{name} max {limit:g}",
        verdict=ruling,
        observed=value,
        limit=limit,
        interval=None if low is None or high is None else (low, high),
        n=n,
        reason=reason,
    )


def _bounds(times: Floats, quantile: float) -> tuple[float | None, float | None]:
    """Values of the ranks between which the true quantile lies, of 95 % of samples; None where out of reach."""
    n = times.size
    reached = bdtr(np.arange(n), n, quantile)  # P(at most k of n values are under the quantile)
    low = int(np.searchsorted(reached, _TAIL, side="right"))
    high = int(np.searchsorted(reached, 1 - _TAIL, side="left")) + 1
    return (
        float(times[low - 1]) if low >= 1 else None,
        float(times[high]) if high < n else None,
    )
