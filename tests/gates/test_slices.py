import numpy as np

from setpoint.gates.judge import judge


def one(gate, evidence):
    return judge([gate], evidence, k=1, seed=0)[0]


def plans(n, *, rare=0):
    values = np.array(["monthly", "yearly"], dtype=object)[np.arange(n) % 2]
    values[:rare] = "weekly"
    return {"plan": values}


def test_all_groups_within_the_limit_pass_and_the_worst_is_shown(gate, binary) -> None:
    found = one(gate(slices=["plan"], metric="f1", min=0.6), binary(columns=plans(1000)))
    assert found.verdict == "pass"
    groups = {entry["group"]: entry for entry in found.evidence["groups"]}
    assert set(groups) == {"plan=monthly", "plan=yearly"}
    assert found.observed == min(entry["observed"] for entry in groups.values())


def test_one_bad_group_fails_the_gate_by_name(gate, binary) -> None:
    evidence = binary(columns=plans(1000))
    evidence.candidate.label[1::2] = 1 - evidence.candidate.label[1::2]
    found = one(gate(slices=["plan"], metric="accuracy", min=0.6), evidence)
    assert found.verdict == "fail"
    assert "plan=yearly" in found.reason
    assert "plan=monthly" not in found.reason


def test_small_group_is_listed_and_inconclusive(gate, binary) -> None:
    found = one(gate(slices=["plan"], metric="f1", min=0.1), binary(columns=plans(1000, rare=40)))
    assert found.verdict == "inconclusive"
    assert "plan=weekly" in found.reason
    assert "of class" in found.reason


def test_missing_values_are_a_group(gate, binary) -> None:
    columns = plans(1000)
    columns["plan"][:500] = None
    found = one(gate(slices=["plan"], metric="f1", min=0.1), binary(columns=columns))
    assert "plan=(missing)" in {entry["group"] for entry in found.evidence["groups"]}


def test_several_columns_are_judged_each_by_itself(gate, binary) -> None:
    columns = plans(1000) | {"old": (np.arange(1000) % 3 == 0).astype(float)}
    found = one(gate(slices=["plan", "old"], metric="f1", min=0.1), binary(columns=columns))
    assert {entry["group"] for entry in found.evidence["groups"]} == {
        "plan=monthly",
        "plan=yearly",
        "old=0",
        "old=1",
    }


def test_column_of_measurements_is_an_error_that_says_what_to_do(gate, binary) -> None:
    columns = {"charge": np.random.default_rng(0).random(1000)}
    found = one(gate(slices=["charge"], metric="f1", min=0.1), binary(columns=columns))
    assert found.verdict == "error"
    assert "at most 50" in found.reason


def test_column_that_was_not_kept_is_an_error(gate, binary) -> None:
    assert one(gate(slices=["plan"], metric="f1", min=0.1), binary()).verdict == "error"


def test_metric_undefined_in_one_group_is_that_groups_error(gate, binary) -> None:
    evidence = binary(columns=plans(1000))
    evidence.candidate.label[::2] = 0
    found = one(gate(slices=["plan"], metric="precision", min=0.1), evidence)
    assert found.verdict == "error"
    assert "plan=monthly" in found.reason


def test_regression_groups_need_thirty_rows(gate, regression) -> None:
    rule = gate(slices=["plan"], metric="mae", max=2.0)
    assert one(rule, regression(columns=plans(1000))).verdict == "pass"
    assert one(rule, regression(columns=plans(1000, rare=29))).verdict == "inconclusive"
