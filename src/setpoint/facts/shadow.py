"""What a shadow answered to copies of live requests, beside the live answers to the same rows. Arrays, not JSON."""

from dataclasses import dataclass

from setpoint.facts.answers import Scored
from setpoint.facts.evidence import Floats
from setpoint.facts.release import ArmCounts


@dataclass(frozen=True, kw_only=True)
class ShadowEvidence:
    """A shadow against what production answered, row by row, over a stretch of the loop's axis.

    Rows that were not copied, and copies that were dropped under load, are in none of the numbers. A copy whose live
    answer is not in the log (yet) counts in `shadow` alone.

    Args:
        version: The shadow.
        start: First tick of the stretch, by when the live answer was given.
        end: Tick after its last.
        shadow: Counts of the shadow. `errors` are rows that its schema refused or its model failed on; the sums of
            losses are those of `losses`.
        live: The same counts of the live answers to the same rows; `version` is who gave them, 0 where several did.
        compared: Rows that both answered, n.
        agreed: Those of them with the same class; None for numbers, and may be where nothing was copied.
        differences: How far apart the two answers are, 0 or more, shape (k,) with k up to n: probabilities of the
            positive class (binary), of the class that both answered (multiclass; no entry where they disagree), or
            values in the target's unit. Empty where models give no probability.
        losses: Loss of the shadow on each compared row whose outcome is known, shape (m,), in the order in which the
            outcomes arrived: 1 for a wrong class, or the absolute error over the scale that was asked for, up to 1.
        live_losses: Loss of the live answer on the same rows, shape (m,).
        scored: What the shadow answered, in order of time, without the copies that it gave no answer to.
    """

    version: int
    start: float
    end: float
    shadow: ArmCounts
    live: ArmCounts
    compared: int
    agreed: int | None
    differences: Floats
    losses: Floats
    live_losses: Floats
    scored: Scored
