from dataclasses import replace

import numpy as np
import pytest

from setpoint.facts.evidence import Perturbation
from setpoint.gates.judge import judge


def changed(evidence, rows, *, position=0, flip=0, raised=0.0):
    """The what-if of the gate at `position`: `flip` answers change, and all heights move by `raised`."""
    label = evidence.candidate.label[rows].copy()
    label[:flip] = 1 - label[:flip]
    positive = np.clip(evidence.candidate.probability[rows, 1] + raised, 0, 1)
    scores = replace(
        evidence.candidate, label=label, probability=np.stack([1 - positive, positive], axis=1)
    )
    return replace(evidence, perturbations=(Perturbation(gate=position, scores=scores, rows=rows),))


def one(gate, evidence, position=0):
    filler = [gate] * position
    return judge([*filler, gate], evidence, k=1, seed=0)[position]


def test_answers_that_do_not_change_are_invariant(gate, binary) -> None:
    found = one(gate(invariant_to="gender"), changed(binary(), np.arange(1000)))
    assert (found.verdict, found.observed, found.n) == ("pass", 0.0, 1000)


def test_one_changed_answer_fails_where_none_may(gate, binary) -> None:
    found = one(gate(invariant_to="gender"), changed(binary(), np.arange(1000), flip=1))
    assert found.verdict == "fail"
    allowed = gate(invariant_to="gender", max_changed="1%")
    assert one(allowed, changed(binary(), np.arange(1000), flip=10)).verdict == "pass"
    assert one(allowed, changed(binary(), np.arange(1000), flip=11)).verdict == "fail"


def test_regressor_may_differ_by_rounding_only(gate, regression) -> None:
    evidence = regression()
    for factor, ruling in ((1 + 1e-8, "pass"), (1.01, "fail")):
        scores = replace(evidence.candidate, value=evidence.candidate.value * factor)
        shown = replace(
            evidence, perturbations=(Perturbation(gate=0, scores=scores, rows=np.arange(1000)),)
        )
        assert one(gate(invariant_to="gender"), shown).verdict == ruling


@pytest.mark.parametrize(
    ("prediction", "moved", "ruling"),
    [
        ("not_lower", 0.1, "pass"),
        ("not_lower", 0.0, "pass"),
        ("not_lower", -0.1, "fail"),
        ("not_higher", 0.1, "fail"),
        ("not_higher", -0.1, "pass"),
        ("higher", 0.0, "fail"),
        ("lower", 0.0, "fail"),
        ("lower", -0.1, "pass"),
    ],
)
def test_answers_must_move_the_right_way(gate, binary, prediction, moved, ruling) -> None:
    rule = gate(directional="calls", add=2, prediction=prediction, max_violations="2%")
    found = one(rule, changed(binary(), np.arange(1000), raised=moved))
    assert found.verdict == ruling
    assert "calls +2" in found.reason


def test_what_if_of_another_gate_is_not_taken_for_ones_own(gate, binary) -> None:
    evidence = changed(binary(), np.arange(1000), position=1, flip=500)
    assert one(gate(invariant_to="gender"), evidence).verdict == "error"
    assert one(gate(invariant_to="gender"), evidence, position=1).verdict == "fail"


def test_too_few_changed_rows_are_inconclusive(gate, binary) -> None:
    assert (
        one(gate(invariant_to="gender"), changed(binary(), np.arange(29))).verdict == "inconclusive"
    )


def test_direction_among_three_classes_is_an_error(gate, binary) -> None:
    evidence = replace(changed(binary(), np.arange(1000)), classes=("a", "b", "c"))
    rule = gate(directional="calls", add=2, prediction="not_lower")
    assert one(rule, evidence).verdict == "error"
