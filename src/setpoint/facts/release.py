"""A release under way: one challenger on its steps to all traffic, or back."""

import msgspec


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """Where a release stands.

    Args:
        id: Names the release.
        version: The challenger.
        champion: The version it would replace.
        strategy: `direct` or `canary`.
        steps: Share of traffic at each step, ascending, the last 1.
        step: Position in `steps` that is in force.
        started_at: Tick at which the release began.
        step_at: Tick at which the present step began.
        generation: Generation of the deployment document of the present step; answers of earlier ones do not count.
    """

    id: str
    version: int
    champion: int
    strategy: str
    steps: tuple[float, ...]
    step: int = 0
    started_at: float = 0.0
    step_at: float = 0.0
    generation: int = 0


class ArmCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What one arm of a release answered since the present step began.

    Args:
        version: The arm's version.
        requests: Requests that it was given.
        errors: Requests without an answer.
        latency_s: Latencies of at most the last 10,000 requests, in seconds.
        outcome_sum: Sum of the loss per known outcome (0/1 loss, or absolute error over its scale).
        outcome_squares: Sum of the squared loss.
        outcomes: Requests whose outcome is known.
    """

    version: int
    requests: int
    errors: int
    latency_s: tuple[float, ...] = ()
    outcome_sum: float = 0.0
    outcome_squares: float = 0.0
    outcomes: int = 0


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """A promoted version that outcome guardrails still watch against the version it replaced."""

    version: int
    previous: int
    since: float
    until: float
