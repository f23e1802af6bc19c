"""Guardrail: the share of requests without an answer. Its rule and error rates are those of `harm`."""

from setpoint.facts.release import ArmCounts, HarmEvidence
from setpoint.facts.verdict import Verdict
from setpoint.release.harm import Harm, Risk, gather, judge_harm
from setpoint.release.rules import ErrorRateRule


def gather_errors(before: HarmEvidence, challenger: ArmCounts, champion: ArmCounts) -> HarmEvidence:
    """Return the evidence with the requests since the last look."""
    return gather(
        before, Harm(challenger.errors, challenger.requests, champion.errors, champion.requests)
    )


def judge_error_rate(rule: ErrorRateRule, found: HarmEvidence, *, risk: Risk) -> Verdict:
    """Return the verdict over requests without an answer, since the step began."""
    what = "requests without an answer"
    return judge_harm(rule.subject, found, limit=rule.limit, risk=risk, what=what)
