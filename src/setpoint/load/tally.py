"""Counts of what came back, while it comes."""

from collections import Counter

from setpoint.client.answer import Answer
from setpoint.client.failures import (
    ClientError,
    DeadlineError,
    GatewayFailedError,
    OverloadedError,
    RequestRefusedError,
    UnreachableError,
    UnreadableAnswerError,
)
from setpoint.load.histogram import Histogram
from setpoint.load.measured import Latency

_KINDS: dict[type[ClientError], str] = {
    RequestRefusedError: "refused",
    OverloadedError: "overloaded",
    GatewayFailedError: "failed",
    UnreachableError: "no connection",
    DeadlineError: "no answer in time",
    UnreadableAnswerError: "unreadable answer",
}
GIVEN_UP = "given up at the end"
_GOOD = "200"
_NONE = "none"


class Tally:
    """Counts requests and what became of them."""

    def __init__(self) -> None:
        self.sent = 0
        self.late = 0  # of those sent: by the generator's own fault
        self.answered = 0
        self.waits = Histogram()
        self.statuses: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.versions: Counter[str] = Counter()

    def answer(self, answer: Answer, seconds: float) -> None:
        """Count an answer that took so long."""
        self.answered += 1
        self.statuses[_GOOD] += 1
        self.versions[answer.version] += 1
        self.waits.add(seconds)

    def fail(self, error: ClientError, seconds: float) -> None:
        """Count a request that got no prediction. Only one that was waited for in vain says how long answers take."""
        kind = _KINDS.get(type(error), type(error).__name__)
        name = f"{kind} {error.status}" if error.status else kind
        self.statuses[str(error.status or _NONE)] += 1
        self.errors[name] += 1
        self.examples.setdefault(name, str(error))
        if isinstance(error, DeadlineError):
            self.waits.add(seconds)

    def give_up(self, seconds: float) -> None:
        """Count a request that was under way when all was over."""
        self.statuses[_NONE] += 1
        self.errors[GIVEN_UP] += 1
        self.examples.setdefault(GIVEN_UP, "it was under way when the load was ended")
        self.waits.add(seconds)

    def latency(self) -> Latency:
        """Return the quantiles."""
        at = self.waits.quantile
        return Latency(
            count=self.waits.count,
            p50=at(0.5),
            p90=at(0.9),
            p99=at(0.99),
            p999=at(0.999),
            longest=self.waits.longest,
        )
