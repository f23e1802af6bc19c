"""Guardrail: the share of requests without an answer. Its rule and error rates are those of `harm`."""

from setpoint.facts.release import ArmCounts, HarmEvidence
from setpoint.facts.verdict import Verdict
from setpoint.release.harm import Harm, Risk, gather, judge_alone, judge_harm
from setpoint.release.rules import ErrorRateRule

_WHAT = "requests without an answer"


def gather_errors(before: HarmEvidence, challenger: ArmCounts, champion: ArmCounts) -> HarmEvidence:
    """Return the evidence with the requests since the last look."""
    return gather(
        before, Harm(challenger.errors, challenger.requests, champion.errors, champion.requests)
    )


def judge_error_rate(rule: ErrorRateRule, found: HarmEvidence, *, risk: Risk) -> Verdict:
    """Return the verdict over requests without an answer, since the step began."""
    return judge_harm(rule.subject, found, limit=rule.limit, risk=risk, what=_WHAT)


def judge_error_rate_alone(rule: ErrorRateRule, challenger: ArmCounts, *, risk: Risk) -> Verdict:
    """Return the verdict over requests without an answer of a challenger that alone has the traffic."""
    counts = (challenger.errors, challenger.requests)
    return judge_alone(rule.subject, counts, limit=rule.limit, risk=risk, what=_WHAT)
