"""Gate: the size of the model's files, as in `{size: 500MB}`."""

from setpoint.contract.gates import SizeGate
from setpoint.errors import UndefinedMetricError
from setpoint.facts.evidence import Evidence
from setpoint.facts.verdict import Verdict
from setpoint.gates.asking import Asking


def judge_size(gate: SizeGate, evidence: Evidence, asking: Asking) -> Verdict:
    """Return the verdict over the size of the model's files, in bytes.

    Raises:
        UndefinedMetricError: The size was not measured.
    """
    del asking  # nothing here is drawn
    if evidence.size_bytes is None:
        raise UndefinedMetricError("the size of the model's files was not measured")
    fits = evidence.size_bytes <= gate.size
    return Verdict(
        subject=gate.subject,
        verdict="pass" if fits else "fail",
        observed=float(evidence.size_bytes),
        limit=float(gate.size),
        reason=f"{evidence.size_bytes:,} bytes are {'within' if fits else 'beyond'} {int(gate.size):,}",
    )
