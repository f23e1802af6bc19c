"""Do the gates refuse a model that learned nothing: one that was fitted on shuffled labels.

One such model says little: what it learned is noise, and noise agrees with the target now and then. So several are
fitted, each on another shuffle.
"""

from collections.abc import Sequence

from setpoint.facts.verdict import Ruling, Verdict, combine

SUBJECT = "gates refuse a model fitted on shuffled labels"
SHUFFLES = 5
"""Shuffles at most."""

_CLEAR = 4  # of them make a verdict


def judge_gates(verdicts: Sequence[Verdict]) -> Verdict:
    """Return whether the gates are worth anything, from their verdicts over a model fitted on shuffled labels.

    Args:
        verdicts: What each gate said of that model.

    Returns:
        `pass` where they refuse it, `fail` where they would let it through. A gate refuses by measuring: `fail`, or
        `inconclusive` with a value. `inconclusive` where only gates without a measurement hold it back.
    """
    refusing = [
        verdict
        for verdict in verdicts
        if verdict.verdict in ("fail", "inconclusive") and verdict.observed is not None
    ]
    if refusing:
        gates = ", ".join(f"{verdict.subject} ({verdict.observed:.3g})" for verdict in refusing)
        reason = f"the gates work: a candidate fitted on shuffled labels was refused by {gates}"
        return Verdict(subject=SUBJECT, verdict="pass", n=len(verdicts), reason=reason)
    if not verdicts or combine(verdicts) == "pass":
        reason = (
            "the gates are worthless: a candidate fitted on shuffled labels, which learned nothing, passes all of "
            "them; add one that asks for more than guessing, such as beats: majority, or mean for a regression"
        )
        return Verdict(subject=SUBJECT, verdict="fail", n=len(verdicts), reason=reason)
    silent = ", ".join(verdict.subject for verdict in verdicts if verdict.verdict != "pass")
    reason = (
        "nothing is shown of the gates: a candidate fitted on shuffled labels was held back only by those that could "
        f"not measure it: {silent}"
    )
    return Verdict(subject=SUBJECT, verdict="inconclusive", n=len(verdicts), reason=reason)


def judge_shuffles(found: Sequence[Verdict]) -> Verdict | None:
    """Return whether the gates are worth anything, from several shuffles; None while another one could tell.

    Args:
        found: What `judge_gates` said of each shuffle so far.

    Returns:
        `pass` where the gates refuse four shuffles, `fail` where they let four through; `inconclusive` where five
        shuffles show neither, or where it is known before that they will not.
    """
    refused, let_through = (
        sum(one.verdict == ruling for one in found) for ruling in ("pass", "fail")
    )
    left = SHUFFLES - len(found)
    if max(refused, let_through) < _CLEAR <= max(refused, let_through) + left:
        return None
    if refused >= _CLEAR:
        ruling: Ruling = "pass"
    else:
        ruling = "fail" if let_through >= _CLEAR else "inconclusive"
    of = f"of {len(found)} candidates fitted on shuffled labels"
    wanted = "inconclusive" if refused + let_through < len(found) and ruling != "pass" else ruling
    told = [one.reason for one in found if one.verdict == wanted]
    if ruling == "inconclusive" and not told:
        told = ["an honest candidate has to be told from noise: ask for more, such as a higher min"]
    reason = f"{refused} {of} were refused, {let_through} let through: {told[-1]}"
    return Verdict(
        subject=SUBJECT,
        verdict=ruling,
        observed=float(let_through),
        n=len(found),
        reason=reason,
        evidence={"shuffles": len(found), "refused": refused, "let_through": let_through},
    )
