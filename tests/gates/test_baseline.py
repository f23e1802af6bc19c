import numpy as np

from setpoint.gates.judge import judge


def one(gate, evidence):
    return judge([gate], evidence, k=1, seed=0)[0]


def test_model_that_learned_something_beats_the_majority(gate, binary) -> None:
    for metric in ("roc_auc", "accuracy", "f1"):
        assert one(gate(metric=metric, beats="majority"), binary()).verdict == "pass"


def test_model_that_learned_nothing_does_not(gate, binary) -> None:
    assert (
        one(gate(metric="roc_auc", beats="majority"), binary(skill=0.0)).verdict == "inconclusive"
    )
    assert one(gate(metric="accuracy", beats="majority"), binary(skill=0.0)).verdict == "fail"


def test_precision_of_an_answer_that_is_never_positive_counts_as_zero(gate, binary) -> None:
    found = one(gate(metric="precision", beats="majority"), binary())
    assert (found.verdict, found.evidence["other"]) == ("pass", 0.0)


def test_regressor_is_held_against_the_mean(gate, regression) -> None:
    assert one(gate(metric="mae", beats="mean"), regression(error=1.0)).verdict == "pass"
    assert one(gate(metric="mae", beats="mean"), regression(error=9.0)).verdict == "fail"


def test_margin_over_the_baseline_is_kept(gate, binary) -> None:
    found = one(gate(metric="roc_auc", beats="majority", by="0.49 abs"), binary())
    assert found.verdict == "fail"


def test_baseline_that_was_not_measured_is_an_error(gate, binary) -> None:
    found = one(gate(metric="accuracy", beats="no_change"), binary())
    assert found.verdict == "error"
    assert "no_change" in found.reason


def test_baseline_counts_all_rows_whatever_a_champion_saw(gate, binary) -> None:
    evidence = binary(champion=1.0, champion_unseen=np.zeros(1000, bool))
    assert one(gate(metric="roc_auc", beats="majority"), evidence).n == 1000
