"""A release under way: one challenger on its steps to all traffic, or back."""

import msgspec


class HarmEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a guardrail over a rate of harm has gathered since the present step began, look by look.

    Args:
        challenger: Harmful events of the challenger.
        challenger_n: Its requests.
        champion: Harmful events of the champion.
        champion_n: Its requests.
        gains: Log evidence that the challenger does more harm, by guess of how much; empty before the first look.
        highest: Highest log evidence so far: what was shown once stays shown.
    """

    challenger: int = 0
    challenger_n: int = 0
    champion: int = 0
    champion_n: int = 0
    gains: tuple[float, ...] = ()
    highest: float = 0.0


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
        evidence: What guardrails have gathered in the present step, by their subject.
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
    evidence: dict[str, HarmEvidence] = {}


class ArmCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What one arm of a release answered since the present step began.

    Args:
        version: The arm's version.
        requests: Requests that it was given.
        errors: Requests without an answer.
        slow: Requests that took longer than each limit that was asked for, by the limit in seconds; a limit that
            was not measured is not there.
        outcome_sum: Sum of the loss per known outcome (0/1 loss, or absolute error over its scale).
        outcome_squares: Sum of the squared loss.
        outcomes: Requests whose outcome is known.
    """

    version: int
    requests: int
    errors: int
    slow: dict[float, int] = {}
    outcome_sum: float = 0.0
    outcome_squares: float = 0.0
    outcomes: int = 0


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """A promoted version that outcome guardrails still watch against the version it replaced."""

    version: int
    previous: int
    since: float
    until: float
