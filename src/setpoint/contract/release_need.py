"""How many requests, or outcomes, a release needs before it can have seen enough."""

import math

from setpoint.contract.release import Release

_TO_TELL = 7.0
"""Half of all comparisons end by this many variances over the squared difference (simulated: 6.4 to 7.6)."""


def requests_of(share: float, min_requests: int) -> int:
    """Return how many requests a step needs until the smaller arm has seen `min_requests`.

    Args:
        share: Share of traffic that the challenger gets, above 0 to 1.
        min_requests: Requests that the smaller arm must see.

    Returns:
        Requests of both arms together; 0 for all traffic, where nothing is compared.
    """
    smaller = min(share, 1 - share)
    return math.ceil(round(min_requests / smaller, 6)) if smaller > 0 else 0


def requests_needed(release: Release) -> int:
    """Return how many requests all steps of a release need together; 0 for a direct one."""
    shares, least = [float(step.traffic) for step in release.steps], release.min_requests
    match release.strategy:
        case "direct":
            return 0
        case "blue_green":
            return least
        case "shadow":
            return sum(math.ceil(round(least / share, 6)) for share in shares)
        case "ab":
            return requests_of(shares[0], least)
        case "bandit":
            return 2 * least
        case _:
            return sum(requests_of(share, least) for share in shares)


def outcomes_to_tell(loss: float, other: float, *, share: float) -> int:
    """Return by how many outcomes of both arms half of all A/B tests will have told two mean losses apart.

    Args:
        loss: Mean loss of the challenger, in (0, 1): of classes, the share of wrong answers.
        other: Of the champion; another number.
        share: The challenger's share of traffic, above 0 and below 1.

    Example:
        >>> outcomes_to_tell(0.18, 0.20, share=0.5)
        10773
    """
    mean = (loss + other) / 2
    return round(_TO_TELL * mean * (1 - mean) * (1 / share + 1 / (1 - share)) / (loss - other) ** 2)
