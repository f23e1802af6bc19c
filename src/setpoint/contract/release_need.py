"""How many requests a release needs before it can have seen enough."""

import math

from setpoint.contract.release import Release


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
    if release.strategy == "direct":
        return 0
    return sum(requests_of(step.traffic, release.min_requests) for step in release.steps)
