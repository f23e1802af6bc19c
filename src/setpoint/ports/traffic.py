"""What versions answered in production, with the outcomes known so far."""

from collections.abc import Sequence
from typing import Protocol

from setpoint.facts.answers import Answers, Scored
from setpoint.facts.release import ArmCounts
from setpoint.facts.shadow import ShadowEvidence


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

    def shadowed(
        self,
        version: int,
        start: float,
        end: float,
        *,
        generation: int = 0,
        slow_s: Sequence[float] = (),
        scale: float = 1.0,
    ) -> ShadowEvidence:
        """Return what `version` answered as a shadow to rows of [start, end), beside the live answers to them.

        Shadow answers are in no other reading of this port.

        Args:
            version: The shadow.
            start: First tick, by when the live answer was given.
            end: Tick after the last.
            generation: Generation of the deployment document; copies made under earlier ones are left out.
            slow_s: Limits in seconds; `slow` has the count of each where the world measures time.
            scale: Absolute error that counts as a loss of 1, above 0; larger ones count the same. For numbers only.
        """

    def reach(self) -> tuple[float, float]:
        """Return the tick of the first answer and the tick after the last; (0, 0) before the first."""
