"""What versions answered in production, with the outcomes known so far."""

from collections.abc import Sequence
from typing import Protocol

from setpoint.facts.answers import Answers, Scored
from setpoint.facts.release import ArmCounts


class Traffic(Protocol):
    """The answers of the world: the gateways' log, or the rows of a replay."""

    def answers(self, version: int, start: float, end: float) -> Answers:
        """Return what `version` answered in [start, end), with the outcomes known by now; may have no rows."""

    def scored(self, version: int, stretches: Sequence[tuple[float, float]]) -> tuple[Scored, ...]:
        """Return what `version` answered in each stretch [start, end), without the inputs; one reading for all.

        Each is, number by number, what `answers` gives for its stretch.
        """

    def arms(
        self, generation: int, slow_s: Sequence[float] = (), *, scale: float = 1.0
    ) -> dict[int, ArmCounts]:
        """Return counts by version over answers given under deployment `generation` or later.

        Args:
            generation: Generation of the deployment document.
            slow_s: Limits in seconds; `slow` has the count of each where the world measures time.
            scale: Absolute error that counts as a loss of 1, above 0; larger ones count the same. For numbers only.
        """

    def reach(self) -> tuple[float, float]:
        """Return the tick of the first answer and the tick after the last; (0, 0) before the first."""
