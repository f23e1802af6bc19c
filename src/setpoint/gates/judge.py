"""All gates of a contract over one candidate's evidence."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from setpoint.contract.gates import Gate
from setpoint.errors import MeasurementError, TooFewSamplesError
from setpoint.facts.evidence import Evidence
from setpoint.facts.verdict import Verdict
from setpoint.gates.asking import Asking
from setpoint.gates.baseline import judge_beats_baseline
from setpoint.gates.champion import judge_beats_champion, judge_not_worse
from setpoint.gates.directional import judge_directional
from setpoint.gates.fairness import judge_fairness
from setpoint.gates.invariance import judge_invariance
from setpoint.gates.latency import judge_latency
from setpoint.gates.limit import judge_limit
from setpoint.gates.size import judge_size
from setpoint.gates.slices import judge_slices

JUDGES: dict[str, Callable[[Any, Evidence, Asking], Verdict]] = {
    "metric": judge_limit,
    "beats_champion": judge_beats_champion,
    "not_worse_by": judge_not_worse,
    "beats": judge_beats_baseline,
    "slices": judge_slices,
    "fairness": judge_fairness,
    "latency": judge_latency,
    "size": judge_size,
    "invariant_to": judge_invariance,
    "directional": judge_directional,
}
"""What judges each kind of gate."""

_WALL_CLOCK = ("latency",)


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A gate that is not judged here, and why."""

    subject: str
    reason: str


def judge(
    gates: Sequence[Gate], evidence: Evidence, *, k: int, seed: int, wall_clock: bool = True
) -> tuple[Verdict, ...]:
    """Return the verdict of each gate, in the contract's order.

    A gate that cannot measure is `inconclusive` where there are too few rows, else `error`; it never stops the others.

    Args:
        gates: The section `gates` of the contract.
        evidence: The candidate, measured.
        k: Which candidate since the last promotion this is, from 1.
        seed: Seed of all resampling.
        wall_clock: Whether times were measured; without it (a replay) gates over times are left out, see `left_out`.
    """
    return tuple(
        _judge_one(gate, evidence, Asking(position=position, k=k, seed=seed))
        for position, gate in enumerate(gates)
        if wall_clock or gate.kind not in _WALL_CLOCK
    )


def left_out(gates: Sequence[Gate], *, wall_clock: bool) -> tuple[LeftOut, ...]:
    """Return the gates that `judge` leaves out, each with its reason."""
    if wall_clock:
        return ()
    reason = "history has no wall clock: the time to answer is judged before a live release"
    return tuple(
        LeftOut(subject=gate.subject, reason=reason) for gate in gates if gate.kind in _WALL_CLOCK
    )


def _judge_one(gate: Gate, evidence: Evidence, asking: Asking) -> Verdict:
    try:
        return JUDGES[gate.kind](gate, evidence, asking)
    except TooFewSamplesError as error:
        return Verdict(
            subject=gate.subject, verdict="inconclusive", n=error.found, reason=str(error)
        )
    except MeasurementError as error:
        return Verdict(subject=gate.subject, verdict="error", reason=str(error))
