"""Guardrail: a quantile of the time to answer.

"p99 is at most 100 ms" is "at most 1 % of requests take longer than 100 ms", so the rule is that of `harm` over slow
answers, exact and without any shape of the latencies.
"""

from setpoint.facts.release import ArmCounts, HarmEvidence
from setpoint.facts.verdict import Verdict
from setpoint.release.harm import Harm, Risk, gather, judge_alone, judge_harm
from setpoint.release.rules import LatencyRule


def gather_slow(
    rule: LatencyRule, before: HarmEvidence, challenger: ArmCounts, champion: ArmCounts
) -> HarmEvidence:
    """Return the evidence with the requests since the last look; the same where nobody measured their time."""
    limit = rule.limit_s
    if limit not in challenger.slow or limit not in champion.slow:
        return before
    slow = Harm(
        challenger.slow[limit], challenger.requests, champion.slow[limit], champion.requests
    )
    return gather(before, slow)


def judge_latency(rule: LatencyRule, found: HarmEvidence, *, risk: Risk) -> Verdict:
    """Return the verdict over slow answers; `observed` and `limit` are shares of slow answers."""
    return judge_harm(rule.subject, found, limit=_allowed(rule), risk=risk, what=_what(rule))


def judge_latency_alone(rule: LatencyRule, challenger: ArmCounts, *, risk: Risk) -> Verdict:
    """Return the verdict over slow answers of a challenger that alone has the traffic."""
    slow = challenger.slow.get(rule.limit_s)
    counts = (0, 0) if slow is None else (slow, challenger.requests)
    return judge_alone(rule.subject, counts, limit=_allowed(rule), risk=risk, what=_what(rule))


def _allowed(rule: LatencyRule) -> float:
    return round(1.0 - rule.quantile, 9)  # 1 - .99 is not .01 in binary


def _what(rule: LatencyRule) -> str:
    return f"answers slower than {rule.limit_s * 1000:g} ms"
