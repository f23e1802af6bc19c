"""What-ifs of gates: the rows that were changed, and how many of them answer as they should not."""

import numpy as np

from setpoint.errors import TooFewSamplesError, UndefinedMetricError
from setpoint.facts.evidence import Bools, Evidence, Perturbation
from setpoint.facts.verdict import Verdict
from setpoint.gates.bounds import rule_limits
from setpoint.gates.metric import MIN_ROWS
from setpoint.stats.interval import Estimate, wilson_interval

CONFIDENCE = 0.95
TOLERANCE = 1e-6
"""Smallest move of a number that is one, relative to its size: float32 runtimes answer with seven digits."""


def perturbation_of(evidence: Evidence, position: int, column: str) -> Perturbation:
    """Return the what-if that the gate at `position` asked for.

    Raises:
        UndefinedMetricError: It was not measured.
        TooFewSamplesError: Under 30 rows could be changed.
    """
    for perturbation in evidence.perturbations:
        if perturbation.gate == position:
            if perturbation.rows.size < MIN_ROWS:
                what = f"rows in which {column} can be changed"
                raise TooFewSamplesError(what, needed=MIN_ROWS, found=int(perturbation.rows.size))
            return perturbation
    raise UndefinedMetricError(f"answers with {column} changed were not measured")


def rule_share(subject: str, broken: Bools, *, allowed: float, what: str) -> Verdict:
    """Return the verdict over the share of rows that break a rule, by the observed share.

    Args:
        subject: The gate as the contract writes it.
        broken: Whether each changed row breaks the rule, shape (n,).
        allowed: Largest share.
        what: What a broken row does, in words.
    """
    n, count = broken.size, int(np.count_nonzero(broken))
    low, high = wilson_interval(count, n, confidence=CONFIDENCE)
    ruling, _ = rule_limits(
        Estimate(count / n, low, high, n, float(n)), (None, allowed), by_interval=False
    )
    return Verdict(
        subject=subject,
        verdict=ruling,
        observed=count / n,
        limit=allowed,
        interval=(low, high),
        n=n,
        reason=f"{count:,} of {n:,} rows {what}; {allowed:.3g} of them may",
    )
