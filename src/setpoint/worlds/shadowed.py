"""What shadows answer in a replay, and how it compares with what was in production."""

from dataclasses import dataclass

import numpy as np

from setpoint.facts.answers import Scored
from setpoint.facts.evidence import Bools, Floats, Scores
from setpoint.facts.release import ArmCounts
from setpoint.facts.shadow import ShadowEvidence

_BINARY = 2


@dataclass(frozen=True)
class Shadowed:
    """What one version answered as a shadow.

    Args:
        copied: Rows of the history that it was given, shape (rows,).
        scores: Its answers to every row; blank where it was not asked.
    """

    copied: Bools
    scores: Scores


def evidence_of(
    shadow: Scored, live: Scored, losses: Floats, live_losses: Floats
) -> ShadowEvidence:
    """Return a shadow's answers beside the live ones.

    Args:
        shadow: What the shadow answered to n rows.
        live: What was answered to them.
        losses: Loss of the shadow on the rows whose outcome is known, in order of time.
        live_losses: Loss of the live answers on the same rows.
    """
    agreed = shadow.scores.label == live.scores.label
    return ShadowEvidence(
        version=shadow.version,
        start=shadow.start,
        end=shadow.end,
        shadow=_counts(shadow, losses),
        live=_counts(live, live_losses),
        compared=len(shadow.at),
        agreed=int(agreed.sum()) if shadow.classes else None,
        differences=_differences(shadow, live),
        losses=losses,
        live_losses=live_losses,
        scored=shadow,
    )


def _differences(shadow: Scored, live: Scored) -> Floats:
    """Return how far the answers are apart; see `ShadowEvidence`."""
    if not shadow.classes:
        return np.abs(shadow.scores.value - live.scores.value)
    one, other = shadow.scores.probability, live.scores.probability
    has_both = one.any(axis=1) & other.any(axis=1)  # a model may give classes alone
    if len(shadow.classes) == _BINARY:
        return np.abs(one[has_both, 1] - other[has_both, 1])
    rows = np.flatnonzero(has_both & (shadow.scores.label == live.scores.label))
    column = shadow.scores.label[rows]
    return np.asarray(np.abs(one[rows, column] - other[rows, column]), dtype=np.float64)


def _counts(scored: Scored, losses: Floats) -> ArmCounts:
    return ArmCounts(
        version=scored.version,
        requests=len(scored.at),
        errors=0,
        outcomes=len(losses),
        outcome_sum=float(losses.sum()),
        outcome_squares=float((losses**2).sum()),
    )
