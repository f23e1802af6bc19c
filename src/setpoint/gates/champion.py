"""Gates: better than the champion by a margin, or not worse by more than one.

Only rows that the champion did not train on count: on its own training rows a champion looks far better than it is, and
no candidate ever beats it. Too few such rows are `inconclusive`. Without a champion both gates become "beats the
naive baseline", and say so.
"""

import msgspec

from setpoint.contract.gates import BeatsChampionGate, NotWorseGate
from setpoint.contract.metrics import NAIVE
from setpoint.contract.shares import Change
from setpoint.facts.evidence import Evidence
from setpoint.facts.verdict import Verdict
from setpoint.gates.asking import Asking
from setpoint.gates.baseline import beat_baseline
from setpoint.gates.comparison import Comparison, compare
from setpoint.gates.metric import task_of


def judge_beats_champion(gate: BeatsChampionGate, evidence: Evidence, asking: Asking) -> Verdict:
    """Return the verdict over the candidate's gain on the champion.

    Raises:
        MeasurementError: There are too few rows that neither saw, or they do not define the metric.
    """
    return _against_champion(gate, gate.beats_champion, 1, evidence, asking)


def judge_not_worse(gate: NotWorseGate, evidence: Evidence, asking: Asking) -> Verdict:
    """Return the verdict over the candidate's loss against the champion.

    Raises:
        MeasurementError: There are too few rows that neither saw, or they do not define the metric.
    """
    return _against_champion(gate, gate.not_worse_by, -1, evidence, asking)


def _against_champion(
    gate: BeatsChampionGate | NotWorseGate,
    margin: Change,
    towards: int,
    evidence: Evidence,
    asking: Asking,
) -> Verdict:
    comparison = Comparison(
        subject=gate.subject,
        metric=gate.metric,
        average=gate.average,
        threshold=gate.threshold,
        confidence=float(gate.confidence),
        margin=margin,
        towards=towards,
        other="the champion",
    )
    if evidence.champion is None:
        baseline = NAIVE[task_of(evidence)]
        found = beat_baseline(comparison, baseline, Change(0.0, relative=False), evidence, asking)
        reason = f"there is no champion, so this is beats {baseline}: {found.reason}"
        return msgspec.structs.replace(found, reason=reason)
    return compare(comparison, evidence, evidence.champion, evidence.champion_unseen, asking)
