import numpy as np

from setpoint.contract.gates import GATE_TYPES
from setpoint.facts.verdict import combine
from setpoint.gates.judge import JUDGES, judge, left_out


def test_every_kind_of_gate_of_the_contract_has_a_judge() -> None:
    assert set(JUDGES) == {gate.kind for gate in GATE_TYPES.values()}


def test_verdicts_stand_in_the_contracts_order(gate, binary) -> None:
    gates = [gate(size="1GB"), gate(metric="f1", min=0.5), gate(metric="roc_auc", min=0.5)]
    found = judge(gates, binary(size_bytes=1), k=1, seed=0)
    assert [verdict.subject for verdict in found] == [rule.subject for rule in gates]
    assert combine(found) == "pass"


def test_gate_that_cannot_measure_does_not_stop_the_others(gate, binary) -> None:
    gates = [gate(metric="mae", max=1.0), gate(metric="f1", min=0.5), gate(latency="p99", max="1s")]
    found = judge(gates, binary(), k=1, seed=0)
    assert [verdict.verdict for verdict in found] == ["error", "pass", "error"]
    assert combine(found) == "error"


def test_replay_leaves_times_out_and_says_why(gate, binary) -> None:
    gates = [gate(latency="p99", max="1ms"), gate(metric="f1", min=0.5)]
    found = judge(gates, binary(), k=1, seed=0, wall_clock=False)
    assert [verdict.subject for verdict in found] == ["f1 min 0.5"]
    (skipped,) = left_out(gates, wall_clock=False)
    assert skipped.subject == "latency p99 max 1ms"
    assert "wall clock" in skipped.reason
    assert left_out(gates, wall_clock=True) == ()


def test_what_ifs_keep_their_place_when_a_gate_is_left_out(gate, binary) -> None:
    from setpoint.facts.evidence import Perturbation

    evidence = binary()
    kept = Perturbation(gate=1, scores=evidence.candidate, rows=np.arange(1000))
    gates = [gate(latency="p99", max="1ms"), gate(invariant_to="gender")]
    found = judge(gates, binary(perturbations=(kept,)), k=1, seed=0, wall_clock=False)
    assert [verdict.verdict for verdict in found] == ["pass"]


def test_no_gates_prove_nothing(binary) -> None:
    assert combine(judge([], binary(), k=1, seed=0)) == "inconclusive"
