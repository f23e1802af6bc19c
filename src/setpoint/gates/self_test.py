"""Do the gates refuse a model that learned nothing: one that was fitted on shuffled labels."""

from collections.abc import Sequence

from setpoint.facts.verdict import Verdict, combine

SUBJECT = "gates refuse a model fitted on shuffled labels"


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
