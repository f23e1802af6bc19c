"""Gate: a quantile of the time that one row takes, as in `{latency: p99, max: 10ms}`.

Times are of single rows, never of a batch divided by its size. The interval is of order statistics: how many calls lie
below the true quantile is binomial, whatever the times look like. Too few calls to bound a quantile from above are
`inconclusive`: fewer than 368 for p99 at 95 %.
"""

import numpy as np
from scipy.stats import binom

from setpoint.contract.gates import LatencyGate
from setpoint.errors import TooFewSamplesError, UndefinedMetricError
from setpoint.facts.evidence import Evidence, Floats
from setpoint.facts.verdict import Verdict
from setpoint.gates.asking import Asking
from setpoint.gates.bounds import rule_limits
from setpoint.stats.interval import Estimate

CONFIDENCE = 0.95


def judge_latency(gate: LatencyGate, evidence: Evidence, asking: Asking) -> Verdict:
    """Return the verdict over a quantile of single-row times, in seconds.

    Raises:
        MeasurementError: Times were not measured, or are too few.
    """
    del asking  # nothing here is drawn
    if evidence.latency_s.size == 0:
        raise UndefinedMetricError("the time to answer one row was not measured")
    found = quantile_interval(evidence.latency_s, gate.quantile, confidence=CONFIDENCE)
    ruling, reason = rule_limits(found, (None, float(gate.max)), by_interval=False)
    return Verdict(
        subject=gate.subject,
        verdict=ruling,
        observed=found.value,
        limit=float(gate.max),
        interval=(found.low, found.high),
        n=found.n,
        reason=f"{gate.latency} of {found.n:,} single rows is {found.value * 1000:.3g} ms: {reason.split(' ', 1)[1]}",
        evidence={"confidence": CONFIDENCE},
    )


def quantile_interval(values: Floats, quantile: float, *, confidence: float) -> Estimate:
    """Return a quantile with the binomial interval of order statistics.

    Args:
        values: Independent measurements, shape (n,).
        quantile: In (0, 1).
        confidence: Probability of covering the true quantile, at least.

    Raises:
        TooFewSamplesError: No measurement is surely above the quantile.

    Example:
        >>> found = quantile_interval(np.arange(1000.0), 0.5, confidence=0.95)
        >>> found.low, found.high
        (468.0, 531.0)
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n = ordered.size
    tail = (1 - confidence) / 2
    below = int(binom.ppf(tail, n, quantile))
    above = int(binom.ppf(1 - tail, n, quantile))
    if above >= n:
        needed = int(np.ceil(np.log(tail) / np.log(quantile)))
        raise TooFewSamplesError(
            f"an upper bound of the {quantile:.0%} quantile", needed=needed, found=n
        )
    value = float(np.quantile(ordered, quantile))
    return Estimate(value, float(ordered[max(below - 1, 0)]), float(ordered[above]), n, float(n))
