"""Gate: answers do not depend on a column, as in `{invariant_to: gender}`.

The column's values are swapped among rows; an answer is the class for classifiers and the number for regressors.
"""

import numpy as np

from setpoint.contract.gates import InvariantGate
from setpoint.facts.evidence import Evidence
from setpoint.facts.verdict import Verdict
from setpoint.gates.asking import Asking
from setpoint.gates.what_if import TOLERANCE, perturbation_of, rule_share


def judge_invariance(gate: InvariantGate, evidence: Evidence, asking: Asking) -> Verdict:
    """Return the verdict over the share of rows whose answer changes.

    Raises:
        MeasurementError: The what-if was not measured, or under 30 rows could be changed.
    """
    found = perturbation_of(evidence, asking.position, gate.invariant_to)
    if evidence.classes:
        changed = evidence.candidate.label[found.rows] != found.scores.label
    else:
        before = evidence.candidate.value[found.rows]
        changed = ~np.isclose(found.scores.value, before, rtol=TOLERANCE, atol=TOLERANCE)
    return rule_share(
        gate.subject,
        np.asarray(changed, dtype=np.bool_),
        allowed=float(gate.max_changed),
        what=f"change their answer when {gate.invariant_to} is swapped",
    )
