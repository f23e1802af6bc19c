"""Serving skew: a version's live answers against those on its own test rows, looked at again and again.

A version is never compared with another one here: a model that answers drift must differ from the one before. What
differs from its own test rows is either served otherwise than it was tested (a feature that is computed otherwise, a
unit), or meets other rows.

The distance, its floor and its bounds are those of drift. It is judged at 250, 500, 1,000, 2,000 … answers, each time
by the first ones, and the chance of error is divided among those looks: so it holds however often anybody asks.
"""

import numpy as np

from setpoint.facts.answers import Scored
from setpoint.facts.evidence import Scores
from setpoint.facts.profile import Profile
from setpoint.facts.signal import Window
from setpoint.facts.verdict import Verdict
from setpoint.monitor.answered import Answered
from setpoint.monitor.counting import PREDICTION, Counted
from setpoint.monitor.floor import natural_floor
from setpoint.monitor.prediction_drift import count_answers
from setpoint.stats.effective_size import effective_rows
from setpoint.stats.floors import tvd_interval

FIRST = 250
"""Answers at the first look."""


def judge_skew(
    subject: str, profile: Profile, told: Scored, *, limit: float, alpha: float
) -> Verdict:
    """Return the verdict over the distance of a version's answers from those on its test rows.

    Args:
        subject: The guardrail as the contract writes it.
        profile: Reference of the version that answered.
        told: Its answers since it began to answer, in order of time; only ever more of them.
        limit: Largest total variation distance, 0 to 1; the natural distance of its own windows where that is larger.
        alpha: Probability of a false `fail` over all looks, at most, and of a false `pass`; as far as the bounds of
            a distance hold, which take rows as worth what those of the reference are.
    """
    reference = next((one for one in profile.columns if one.name == PREDICTION), None)
    if reference is None:
        reason = "the reference profile has no column 'prediction'"
        return Verdict(subject=subject, verdict="error", limit=limit, n=0, reason=reason)
    answered = len(told.at)
    if answered < FIRST:
        reason = f"{answered:,} of {FIRST} answers that the first look needs"
        return Verdict(
            subject=subject, verdict="inconclusive", limit=limit, n=answered, reason=reason
        )
    place = int(np.log2(answered / FIRST))
    counted = count_answers(reference, _first(told, FIRST * 2**place))
    if counted.counts is None:
        return Verdict(subject=subject, verdict="error", limit=limit, reason=counted.problem)
    return _judge(subject, counted, limit=limit, alpha=alpha / ((place + 1) * (place + 2)))


def _judge(subject: str, counted: Counted, *, limit: float, alpha: float) -> Verdict:
    reference, rows = counted.profile, counted.rows
    floor = max(limit, natural_floor(reference, rows))
    bounds = tvd_interval(
        reference.shares,
        np.asarray(counted.counts),
        rows=effective_rows(rows, reference.design_effect),
        reference_rows=effective_rows(reference.n, reference.design_effect),
        confidence=1.0 - 2.0 * alpha,  # each of the two bounds by itself
    )
    low, high = float(bounds.low), float(bounds.high)
    distance = f"a distance of {float(bounds.corrected):.3f} ({low:.3f} to {high:.3f})"
    if low > floor:
        ruling, where = "fail", "surely above"
    elif high <= floor:
        ruling, where = "pass", "surely within"
    else:
        ruling, where = "inconclusive", "on either side of"
    return Verdict(
        subject=subject,
        verdict=ruling,  # type: ignore[arg-type]  # one of the three above
        observed=float(bounds.corrected),
        limit=floor,
        interval=(low, high),
        n=rows,
        reason=f"{distance} from its own test rows is {where} {floor:.3f}",
        evidence={"alpha": alpha, "natural": floor > limit},
    )


def _first(told: Scored, rows: int) -> Answered:
    """Return the first answers, as the monitor takes them."""
    scores = told.scores
    window = Window(start=told.start, end=told.end, version=told.version, rows=rows)
    return Answered(
        window=window,
        classes=told.classes,
        features={},
        scores=Scores(
            label=scores.label[:rows],
            probability=scores.probability[:rows],
            value=scores.value[:rows],
        ),
    )
