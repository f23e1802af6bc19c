"""Gate: better than an answer that looks at no feature, as in `{metric: accuracy, beats: no_change}`.

`majority` answers the most frequent class of the training rows, `mean` their mean, `no_change` the last label that was
known. A metric that such an answer leaves undefined (precision, where nothing is answered positive) counts as 0 for it.
"""

from dataclasses import replace

import numpy as np

from setpoint.contract.gates import BeatsBaselineGate
from setpoint.contract.metrics import Baseline
from setpoint.contract.shares import Change
from setpoint.errors import UndefinedMetricError
from setpoint.facts.evidence import Evidence
from setpoint.facts.verdict import Verdict
from setpoint.gates.asking import Asking
from setpoint.gates.comparison import Comparison, compare


def judge_beats_baseline(gate: BeatsBaselineGate, evidence: Evidence, asking: Asking) -> Verdict:
    """Return the verdict over the candidate's gain on a baseline, on all rows.

    Raises:
        MeasurementError: The baseline was not measured, there are too few rows, or they do not define the metric.
    """
    comparison = Comparison(
        subject=gate.subject,
        metric=gate.metric,
        average=gate.average,
        threshold=gate.threshold,
        confidence=float(gate.confidence),
        margin=gate.by,
        towards=1,
        other=f"the baseline {gate.beats}",
        naive=True,
    )
    return beat_baseline(comparison, gate.beats, gate.by, evidence, asking)


def beat_baseline(
    comparison: Comparison, baseline: Baseline, margin: Change, evidence: Evidence, asking: Asking
) -> Verdict:
    """Return the verdict of a comparison, turned to "better than `baseline` by `margin`".

    Raises:
        MeasurementError: The baseline was not measured, there are too few rows, or they do not define the metric.
    """
    scores = evidence.baseline.get(baseline)
    if scores is None:
        raise UndefinedMetricError(f"the baseline {baseline} was not measured on these rows")
    turned = replace(
        comparison, margin=margin, towards=1, other=f"the baseline {baseline}", naive=True
    )
    rows = np.ones(evidence.rows, dtype=np.bool_)
    return compare(turned, evidence, scores, rows, asking)
