"""Gate: answers move the right way when a column is raised or lowered, as in `{directional: support_calls, add: 2, …}`.

What moves is the probability of the positive class, or the number of a regressor.
"""

import numpy as np

from setpoint.contract.gates import DirectionalGate
from setpoint.errors import UndefinedMetricError
from setpoint.facts.evidence import Evidence, Floats, Scores
from setpoint.facts.verdict import Verdict
from setpoint.gates.asking import Asking
from setpoint.gates.what_if import TOLERANCE, perturbation_of, rule_share

_BINARY = 2


def judge_directional(gate: DirectionalGate, evidence: Evidence, asking: Asking) -> Verdict:
    """Return the verdict over the share of rows whose answer moves the wrong way.

    Raises:
        MeasurementError: The what-if was not measured, under 30 rows could be changed, or there are more than two
            classes, among which no answer is higher.
    """
    found = perturbation_of(evidence, asking.position, gate.directional)
    before = _height(evidence, evidence.candidate)[found.rows]
    move = _height(evidence, found.scores) - before
    slack = TOLERANCE * np.maximum(1.0, np.abs(before))
    match gate.prediction:
        case "not_lower":
            wrong = move < -slack
        case "not_higher":
            wrong = move > slack
        case "higher":
            wrong = move <= slack
        case "lower":
            wrong = move >= -slack
    change = f"{gate.directional} {gate.add:+g}"
    return rule_share(
        gate.subject,
        np.asarray(wrong, dtype=np.bool_),
        allowed=float(gate.max_violations),
        what=f"are not {gate.prediction.replace('_', ' ')} with {change}"
        if not gate.prediction.startswith("not_")
        else f"are {gate.prediction.removeprefix('not_')} with {change}",
    )


def _height(evidence: Evidence, scores: Scores) -> Floats:
    if not evidence.classes:
        return scores.value
    if len(evidence.classes) != _BINARY:
        raise UndefinedMetricError("no answer is higher than another among more than two classes")
    if scores.probability.shape[1] == _BINARY:
        return np.asarray(scores.probability[:, 1], dtype=np.float64)
    return scores.label.astype(np.float64)
