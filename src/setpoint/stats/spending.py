"""Spending a probability of error over candidates that come one after another."""

from __future__ import annotations


def alpha_for_candidate(alpha: float, k: int) -> float:
    """Return the error probability that the k-th candidate since the last promotion may use.

    Sixty equal candidates, each judged at 5 %, bring a false promotion in most cases. These shares
    add up to `alpha` over endlessly many, since 1 / (k (k + 1)) = 1 / k - 1 / (k + 1).

    Args:
        alpha: Probability of any false promotion, in (0, 1).
        k: Number of the candidate since the last promotion, from 1.

    Raises:
        ValueError: `alpha` or `k` is out of range.

    Returns:
        alpha / (k (k + 1)).

    Example:
        >>> [round(alpha_for_candidate(0.06, k), 4) for k in (1, 2, 3)]
        [0.03, 0.01, 0.005]
    """
    if not 0 < alpha < 1 or k < 1:
        raise ValueError(f"alpha must be in (0, 1) and k at least 1, got {alpha} and {k}")
    return alpha / (k * (k + 1))
