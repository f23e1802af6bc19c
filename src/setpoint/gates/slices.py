"""Gate: a metric within limits in each group of rows, as in `{slices: [plan], metric: f1, min: 0.60}`.

Each value of each column is a group. A group with under 30 rows of a class is `inconclusive` and listed, and then so is
the gate, unless another group fails: a group that could not be measured is not known to be fine.
"""

from typing import Any

from setpoint.contract.gates import SlicesGate
from setpoint.errors import UndefinedMetricError
from setpoint.facts.evidence import Bools, Evidence
from setpoint.facts.verdict import Verdict, combine
from setpoint.gates.asking import Asking
from setpoint.gates.bounds import rule_limits, shown_limit
from setpoint.gates.groups import groups_of, too_small
from setpoint.gates.limit import SHOWN, candidate_value
from setpoint.gates.metric import Asked, metric_for


def judge_slices(gate: SlicesGate, evidence: Evidence, asking: Asking) -> Verdict:
    """Return the verdict over all groups; evidence lists each group with its own.

    Raises:
        MeasurementError: A column was not kept, or the metric is not defined for the task.
    """
    metric = metric_for(Asked(gate.metric, gate.average, gate.threshold), evidence)
    each = [
        _judge_group(gate, evidence, asking, f"{column}={value}", rows)
        for column in gate.slices
        for value, rows in groups_of(evidence, column)
    ]
    measured = [verdict for verdict in each if verdict.observed is not None]
    observed = [verdict.observed for verdict in measured if verdict.observed is not None]
    worst = None
    if observed:
        worst = min(observed) if metric.higher_is_better else max(observed)
    ruling = combine(each)
    listed = [verdict for verdict in each if verdict.verdict == ruling]
    reason = "; ".join(f"{verdict.subject}: {verdict.reason}" for verdict in listed[:5])
    if ruling == "pass":
        reason = f"all {len(each)} groups are within the limit"
    elif len(listed) > 5:  # noqa: PLR2004 - a reason is one line; evidence has all
        reason += f"; and {len(listed) - 5} more"
    return Verdict(
        subject=gate.subject,
        verdict=ruling,
        observed=worst,
        limit=shown_limit(gate.bounds),
        n=evidence.rows,
        reason=reason,
        evidence={"groups": [_listed(verdict) for verdict in each]},
    )


def _judge_group(
    gate: SlicesGate, evidence: Evidence, asking: Asking, name: str, rows: Bools
) -> Verdict:
    n = int(rows.sum())
    if small := too_small(evidence, rows):
        reason = f"only {small}, too few to judge"
        return Verdict(subject=name, verdict="inconclusive", n=n, reason=reason)
    confidence = SHOWN if gate.confidence is None else float(gate.confidence)
    asked = Asked(gate.metric, gate.average, gate.threshold)
    try:
        found = candidate_value(asked, evidence, rows, confidence=confidence, seed=asking.seed)
    except UndefinedMetricError as error:
        return Verdict(subject=name, verdict="error", n=n, reason=str(error))
    ruling, reason = rule_limits(found, gate.bounds, by_interval=gate.confidence is not None)
    return Verdict(
        subject=name,
        verdict=ruling,
        observed=found.value,
        interval=(found.low, found.high),
        n=n,
        reason=reason,
    )


def _listed(verdict: Verdict) -> dict[str, Any]:
    return {
        "group": verdict.subject,
        "verdict": verdict.verdict,
        "observed": verdict.observed,
        "interval": None if verdict.interval is None else list(verdict.interval),
        "n": verdict.n,
        "reason": verdict.reason,
    }
