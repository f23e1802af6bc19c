"""Gate: a metric within limits, as in `{metric: roc_auc, min: 0.80}`.

Judges the observed value and shows its interval; with `confidence` it judges the interval. Too few rows are
`inconclusive`, whatever the value.
"""

import numpy as np

from setpoint.contract.gates import MetricGate
from setpoint.facts.evidence import Bools, Evidence
from setpoint.facts.verdict import Verdict
from setpoint.gates.asking import Asking
from setpoint.gates.bounds import rule_limits, shown_limit
from setpoint.gates.estimate import Pair, sampling_of, value_interval
from setpoint.gates.metric import Asked, metric_for, prediction, require_rows, rows_of, truth
from setpoint.stats.interval import Estimate

SHOWN = 0.95  # confidence of an interval that is shown and not judged


def judge_limit(gate: MetricGate, evidence: Evidence, asking: Asking) -> Verdict:
    """Return the verdict over a metric of the candidate on all rows.

    Raises:
        MeasurementError: There are too few rows, or they do not define the metric.
    """
    rows = np.ones(evidence.rows, dtype=np.bool_)
    require_rows(evidence, rows, gate.measured)
    asked = Asked(gate.metric, gate.average, gate.threshold)
    confidence = SHOWN if gate.confidence is None else float(gate.confidence)
    found = candidate_value(asked, evidence, rows, confidence=confidence, seed=asking.seed)
    ruling, reason = rule_limits(found, gate.bounds, by_interval=gate.confidence is not None)
    return Verdict(
        subject=gate.subject,
        verdict=ruling,
        observed=found.value,
        limit=shown_limit(gate.bounds),
        interval=(found.low, found.high),
        n=found.n,
        reason=reason,
        evidence={"confidence": confidence, "n_effective": found.n_effective},
    )


def candidate_value(
    asked: Asked, evidence: Evidence, rows: Bools, *, confidence: float, seed: int
) -> Estimate:
    """Return a metric of the candidate on the chosen rows, with its interval.

    Raises:
        MeasurementError: The rows do not define the metric, or are too few.
    """
    metric = metric_for(asked, evidence)
    answers = prediction(metric, asked, rows_of(evidence.candidate, rows))
    pair = Pair(truth(metric, evidence)[rows], answers, answers, len(evidence.classes))
    how = sampling_of(evidence, rows, confidence=confidence, seed=seed)
    return value_interval(metric, pair, how)
