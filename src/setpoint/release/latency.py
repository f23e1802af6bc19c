"""Guardrail: a quantile of the time to answer.

"p99 is at most 100 ms" is "at most 1 % of requests take longer than 100 ms", so the rule is that of `harm` over slow
answers, exact and without any shape of the latencies. With more than 10,000 requests the counts know only the
last 10,000: bounds are then those of that window, no longer of all looks together.
"""

from setpoint.facts.release import ArmCounts
from setpoint.facts.verdict import Verdict
from setpoint.release.harm import Harm, Risk, judge_harm
from setpoint.release.rules import LatencyRule


def judge_latency(
    rule: LatencyRule, challenger: ArmCounts, champion: ArmCounts, *, risk: Risk
) -> Verdict:
    """Return the verdict over slow answers; `observed` and `limit` are shares of slow answers."""
    harm = Harm(
        _slow(challenger, rule.limit_s),
        len(challenger.latency_s),
        _slow(champion, rule.limit_s),
        len(champion.latency_s),
    )
    allowed = round(1.0 - rule.quantile, 9)  # 1 - .99 is not .01 in binary
    what = f"answers slower than {rule.limit_s * 1000:g} ms"
    return judge_harm(rule.subject, harm, limit=allowed, risk=risk, what=what)


def _slow(arm: ArmCounts, limit_s: float) -> int:
    return sum(seconds > limit_s for seconds in arm.latency_s)
