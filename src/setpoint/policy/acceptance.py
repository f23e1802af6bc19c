"""What a retrained candidate must show: the gates as written, or against the champion only "not worse by"."""

from collections.abc import Sequence

from setpoint.contract.gates import BeatsChampionGate, Gate, NotWorseGate
from setpoint.contract.retrain import Acceptance


def accepted_gates(gates: Sequence[Gate], accept: Acceptance) -> tuple[Gate, ...]:
    """Return the gates that a retrained candidate is judged by, each at the place it has in the contract.

    A retrain for age or decay may say `not_worse_by`: the model is renewed when that costs little, and every
    `beats_champion` becomes "not worse by" that margin. A candidate that a person asked for is judged by the gates as
    they are.

    Args:
        gates: The section `gates` of the contract.
        accept: `retrain.accept`.
    """
    if accept.margin is None:
        return tuple(gates)
    return tuple(
        NotWorseGate(
            metric=gate.metric,
            average=gate.average,
            threshold=gate.threshold,
            confidence=gate.confidence,
            not_worse_by=accept.margin,
        )
        if isinstance(gate, BeatsChampionGate)
        else gate
        for gate in gates
    )
