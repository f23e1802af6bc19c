"""What one gateway process takes on: its own settings, and what the deployment document in force says instead."""

from dataclasses import dataclass

from setpoint.errors import DeploymentError, UsageError
from setpoint.facts.deployment import ServingLimits


@dataclass(frozen=True, slots=True)
class Limits:
    """What a gateway process takes on, as it was started.

    Args:
        body: Bytes of a body.
        rows: Rows of a request.
        requests: Requests that are answered at once; a further one is told to try again.
        queue: Rows that may wait for a model; a request that finds more is told when to try again.
        deadline_s: Seconds after which a request that still waits is told that it is not answered.
    """

    body: int = 1_000_000
    rows: int = 1_000
    requests: int = 2_000
    queue: int = 10_000
    deadline_s: float = 30.0

    def require_sound(self) -> None:
        """Check that each limit makes sense.

        Raises:
            UsageError: One does not.
        """
        asked = ServingLimits(
            body=self.body,
            rows=self.rows,
            requests=self.requests,
            queue=self.queue,
            deadline_s=self.deadline_s,
        )
        try:
            asked.require_sound("the gateway")
        except DeploymentError as error:
            raise UsageError(str(error)) from error


class LimitsInForce:
    """The limits that hold at this moment. Whoever asks holds this one object, so that a change is seen at once.

    Args:
        own: The process's own settings.
    """

    __slots__ = ("_own", "body", "deadline_s", "queue", "requests", "rows")

    def __init__(self, own: Limits) -> None:
        self._own = own
        self.follow(ServingLimits())

    def follow(self, asked: ServingLimits) -> None:
        """Put in force what a sound deployment document says; what it leaves out is as the process was started."""
        own = self._own
        self.body = own.body if asked.body is None else asked.body
        self.rows = own.rows if asked.rows is None else asked.rows
        self.requests = own.requests if asked.requests is None else asked.requests
        self.queue = own.queue if asked.queue is None else asked.queue
        self.deadline_s = own.deadline_s if asked.deadline_s is None else asked.deadline_s
