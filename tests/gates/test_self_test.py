import pytest

from setpoint.facts.verdict import Verdict
from setpoint.gates.judge import judge
from setpoint.gates.self_test import judge_gates, judge_shuffles


def test_gates_that_refuse_a_shuffled_model_are_worth_something(gate, binary) -> None:
    gates = [gate(metric="roc_auc", beats="majority"), gate(metric="roc_auc", not_worse_by="2%")]
    shuffled = binary(skill=0.0, champion=1.0)
    found = judge_gates(judge(gates, shuffled, k=1, seed=0))
    assert found.verdict == "pass"
    assert found.reason.startswith(
        "the gates work: a candidate fitted on shuffled labels was refused by roc_auc beats majority"
    )


def test_refusal_names_the_gate_and_what_it_measured() -> None:
    refused = Verdict(subject="roc_auc min 0.8", verdict="fail", observed=0.5123)
    fine = Verdict(subject="size max 1GB", verdict="pass", observed=1.0)
    assert judge_gates((refused, fine)).reason.endswith("was refused by roc_auc min 0.8 (0.512)")


def test_gates_that_let_it_through_are_worthless(gate, binary) -> None:
    gates = [gate(metric="roc_auc", min=0.1), gate(size="1GB")]
    found = judge_gates(judge(gates, binary(skill=0.0, size_bytes=10), k=1, seed=0))
    assert found.verdict == "fail"
    assert "worthless" in found.reason


def test_no_gates_at_all_are_worthless() -> None:
    assert judge_gates(()).verdict == "fail"


def test_gate_that_could_not_measure_refuses_nothing() -> None:
    blind = Verdict(subject="latency p99 max 1ms", verdict="error", reason="was not measured")
    found = judge_gates((blind,))
    assert found.verdict == "inconclusive"
    assert found.reason.endswith("could not measure it: latency p99 max 1ms")
    fine = Verdict(subject="size", verdict="pass", observed=1.0)
    assert judge_gates((fine, blind)).verdict == "inconclusive"


def shuffles(rulings):
    words = {"p": "pass", "f": "fail", "i": "inconclusive"}
    return [
        Verdict(subject="s", verdict=words[one], reason=f"said by {place}")
        for place, one in enumerate(rulings)
    ]


@pytest.mark.parametrize(
    ("rulings", "verdict"),
    [
        ("pppp", "pass"),
        ("pfppp", "pass"),
        ("ffff", "fail"),
        ("fpfff", "fail"),
        ("ffpp", "inconclusive"),
        ("fpfp", "inconclusive"),
        ("ii", "inconclusive"),
        ("ipppp", "pass"),
    ],
)
def test_one_shuffle_that_agrees_with_the_target_by_chance_makes_no_verdict(rulings, verdict):
    for count in range(1, len(rulings)):
        assert judge_shuffles(shuffles(rulings[:count])) is None
    found = judge_shuffles(shuffles(rulings))
    assert found.verdict == verdict
    assert found.observed == rulings.count("f")
    assert f"{rulings.count('p')} of {len(rulings)} candidates" in found.reason


def test_verdict_over_shuffles_repeats_what_one_of_its_kind_said():
    assert judge_shuffles(shuffles("pfppp")).reason.endswith("1 let through: said by 4")
    assert judge_shuffles(shuffles("fpfff")).reason.endswith("4 let through: said by 4")
    assert "ask for more" in judge_shuffles(shuffles("ffpp")).reason
    assert judge_shuffles(shuffles("pii")).reason.endswith("said by 2")
