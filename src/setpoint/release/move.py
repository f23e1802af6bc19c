"""What to do with a release: the answer of its state machine."""

from typing import Any, Literal

import msgspec

from setpoint.facts.release import Comparison, HarmEvidence
from setpoint.facts.verdict import Verdict

Move = Literal["wait", "advance", "weigh", "promote", "roll_back", "hold"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with a release now.

    Args:
        action: `wait` for more, `advance` to the next step, `weigh` the shares of a bandit anew, `promote`,
            `roll_back`, or `hold` for a person.
        verdicts: What each guardrail says.
        evidence: What guardrails have gathered in the present step; the release must remember it until the next look.
        comparison: What was gathered on whose outcomes are better; likewise.
        share: The challenger's share to publish, for `weigh`.
        weighed: Known outcomes behind it.
        numbers: Further plain numbers for people.
        reason: One sentence for people.
    """

    action: Move
    verdicts: tuple[Verdict, ...] = ()
    evidence: dict[str, HarmEvidence] = {}
    comparison: Comparison = Comparison()
    share: float = 0.0
    weighed: int = 0
    numbers: dict[str, Any] = {}
    reason: str
