"""Guardrail: the share of requests without an answer. Its rule and error rates are those of `harm`."""

from setpoint.facts.release import ArmCounts
from setpoint.facts.verdict import Verdict
from setpoint.release.harm import Harm, Risk, judge_harm
from setpoint.release.rules import ErrorRateRule


def judge_error_rate(
    rule: ErrorRateRule, challenger: ArmCounts, champion: ArmCounts, *, risk: Risk
) -> Verdict:
    """Return the verdict over requests without an answer, since the step began."""
    return judge_harm(
        rule.subject,
        Harm(challenger.errors, challenger.requests, champion.errors, champion.requests),
        limit=rule.limit,
        risk=risk,
        what="requests without an answer",
    )
