"""What the doors of a gateway share: what is served, who answers, who writes, and the limits."""

from dataclasses import dataclass, field

from setpoint.clock import Clock
from setpoint.gateway.access.access import Access
from setpoint.gateway.answering import Answering
from setpoint.gateway.follow import Follower
from setpoint.gateway.limits import LimitsInForce
from setpoint.gateway.log_writer import LogWriter
from setpoint.gateway.serving import Serving
from setpoint.gateway.shadows.shadows import Shadows
from setpoint.gateway.watching.gauges import Gauges
from setpoint.gateway.wire.refusal import Flaw, RefusedError, refuse


@dataclass(slots=True)
class Phase:
    """Where a process is in its life.

    Args:
        draining: Whether it was told to stop: it answers, and shall get no more traffic.
    """

    draining: bool = False


@dataclass(frozen=True, slots=True)
class Station:
    """One gateway process, as its doors see it."""

    follower: Follower
    answering: Answering
    writer: LogWriter
    gauges: Gauges
    clock: Clock
    limits: LimitsInForce
    release: str
    """Version of setpoint itself."""
    access: Access | None = None
    """Who may ask what; None where anybody may."""
    shadows: Shadows | None = None
    """Answer copies of requests; None where nothing does."""
    phase: Phase = field(default_factory=Phase)
    """Where the process is in its life."""

    def require_serving(self) -> Serving:
        """Return what is served.

        Raises:
            RefusedError: 503; nothing is served yet.
        """
        serving = self.follower.serving
        if serving is None:
            reason = f"no model is loaded yet: {self.follower.refused or 'loading'}"
            raise RefusedError(503, [Flaw(reason=reason)], [(b"retry-after", b"1")], "loading")
        return serving

    def require_few(self, rows: int) -> None:
        """Refuse more rows than the limit.

        Raises:
            RefusedError: 413.
        """
        if rows > self.limits.rows:
            raise refuse(413, f"{rows} rows, a request may have up to {self.limits.rows}")
