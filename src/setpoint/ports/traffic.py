"""What versions answered in production, with the outcomes known so far."""

from typing import Protocol

from setpoint.facts.answers import Answers
from setpoint.facts.release import ArmCounts


class Traffic(Protocol):
    """The answers of the world: the gateways' log, or the rows of a replay."""

    def answers(self, version: int, start: float, end: float) -> Answers:
        """Return what `version` answered in [start, end), with the outcomes known by now; may have no rows."""

    def arms(self, generation: int) -> dict[int, ArmCounts]:
        """Return counts by version over answers given under deployment `generation` or later."""

    def reach(self) -> tuple[float, float]:
        """Return the tick of the first answer and the tick after the last; (0, 0) before the first."""
