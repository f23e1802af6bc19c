"""A release under way: one challenger on its way to all traffic, or back."""

import msgspec

from setpoint.facts.deployment import Strategy


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


class LossSum(msgspec.Struct, frozen=True):
    """Losses of answers whose outcome is known: how many, and their sum, each in [0, 1]."""

    outcomes: int = 0
    total: float = 0.0


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """Losses of both arms under one deployment document, as of the last look."""

    challenger: LossSum = LossSum()
    champion: LossSum = LossSum()


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What an A/B test or a bandit has gathered on whose outcomes are better, look by look.

    Args:
        counted: Losses of both arms by generation of the deployment document, as text: under one document the split is
            fixed, so that both arms met the same hours.
        worse: Log evidence that the challenger's mean loss is higher, by guess of how much; empty before the first.
        better: Log evidence that it is lower, likewise.
        worse_highest: Highest log evidence so far that it is higher: what was shown once stays shown.
        better_highest: Likewise that it is lower.
    """

    counted: dict[str, Compared] = {}
    worse: tuple[float, ...] = ()
    better: tuple[float, ...] = ()
    worse_highest: float = 0.0
    better_highest: float = 0.0


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """Where a release stands.

    Args:
        id: Names the release.
        version: The challenger.
        champion: The version it would replace.
        strategy: How it goes.
        steps: What the challenger has at each step, ascending. Of a canary: its share of traffic, the last 1, which is
            its promotion. Blue-green: 0 while it is prepared, then 1. Of a shadow: the share of requests that are
            copied. Of an A/B test: its fixed share. Of a bandit: the least share of either arm.
        step: Position in `steps` that is in force.
        started_at: Tick at which the release began.
        step_at: Tick at which the present step began.
        generation: Generation of the deployment document of the present step; answers of earlier ones do not count.
        evidence: What guardrails have gathered in the present step, by their subject.
        comparison: What was gathered on whose outcomes are better, of an A/B test or a bandit.
        weights: The challenger's share that was published with each generation, as text, of a bandit.
        weighed: Known outcomes behind the last of them.
        held: Whether people were told that the time is up, and that one of them must decide.
    """

    id: str
    version: int
    champion: int
    strategy: Strategy
    steps: tuple[float, ...]
    step: int = 0
    started_at: float = 0.0
    step_at: float = 0.0
    generation: int = 0
    evidence: dict[str, HarmEvidence] = {}
    comparison: Comparison = Comparison()
    weights: dict[str, float] = {}
    weighed: int = 0
    held: bool = False

    @property
    def share(self) -> float:
        """The challenger's share of traffic now."""
        if self.strategy == "shadow":
            return 0.0
        if self.strategy == "bandit":
            return self.weights[max(self.weights, key=int)]
        return self.steps[self.step]

    @property
    def copied(self) -> float:
        """Share of requests that the challenger is given copies of."""
        return self.steps[self.step] if self.strategy == "shadow" else 0.0

    @property
    def lot(self) -> str:
        """What the challenger has now, in words that follow "gets"."""
        match self.strategy:
            case "shadow":
                return f"copies of {self.copied:.0%} of the requests"
            case "blue_green" if self.step == 0:
                return "no traffic while every gateway prepares it"
            case "blue_green":
                return "all traffic, and is not promoted yet"
            case "ab":
                return (
                    f"{self.share:.0%} of the traffic until outcomes tell which version is better"
                )
            case "bandit":
                return f"{self.share:.0%} of the traffic, as outcomes tell"
            case _:
                return f"{self.share:.0%} of the traffic"


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
        losses: The same losses by generation of the deployment document that the answers were given under.
    """

    version: int
    requests: int
    errors: int
    slow: dict[float, int] = {}
    outcome_sum: float = 0.0
    outcome_squares: float = 0.0
    outcomes: int = 0
    losses: dict[int, LossSum] = {}


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """A promoted version that outcome guardrails still watch against the version it replaced."""

    version: int
    previous: int
    since: float
    until: float
