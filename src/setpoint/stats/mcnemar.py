"""McNemar's exact test: do two models err equally often on the same rows."""

from __future__ import annotations

from scipy.special import bdtr


def mcnemar_p_value(only_a_wrong: int, only_b_wrong: int) -> float:
    """Return the exact two-sided p-value that two models are wrong equally often.

    Rows where both are right or both wrong say nothing about the difference and do not enter.

    Args:
        only_a_wrong: Rows that only the first model has wrong, 0 or more.
        only_b_wrong: Rows that only the second model has wrong, 0 or more.

    Returns:
        Probability in (0, 1]; 1 when they never disagree.

    Example:
        >>> round(mcnemar_p_value(2, 10), 4)
        0.0386

    References:
        McNemar 1947, Note on the sampling error of the difference between correlated proportions.
    """
    disagreements = only_a_wrong + only_b_wrong
    if disagreements == 0:
        return 1.0
    return min(1.0, 2 * float(bdtr(min(only_a_wrong, only_b_wrong), disagreements, 0.5)))
