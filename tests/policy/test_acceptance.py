from pydantic import TypeAdapter

from setpoint.contract.gates import Gate, NotWorseGate
from setpoint.contract.retrain import Acceptance
from setpoint.policy.acceptance import accepted_gates

GATES = TypeAdapter(tuple[Gate, ...]).validate_python(
    [
        {"metric": "roc_auc", "min": 0.8},
        {"metric": "f1", "beats_champion": "2%", "confidence": "90%", "average": "macro"},
        {"size": "1GB"},
    ]
)


def test_gates_stay_as_written_unless_the_contract_says_otherwise() -> None:
    assert accepted_gates(GATES, Acceptance()) == GATES


def test_renewal_asks_for_not_worse_where_the_gates_ask_for_better() -> None:
    found = accepted_gates(GATES, Acceptance.read({"not_worse_by": "1%"}))
    assert (found[0], found[2]) == (GATES[0], GATES[2])  # what-ifs name gates by their place
    changed = found[1]
    assert isinstance(changed, NotWorseGate)
    assert changed.subject == "f1 (macro) not_worse_by 1%"
    assert changed.confidence == GATES[1].confidence
