import pickle

import pytest
from pydantic import ValidationError

from setpoint.contract.contract import Contract
from setpoint.contract.parse import parse
from setpoint.contract.spans import Span
from setpoint.errors import ContractError


def test_a_contract_is_frozen(minimal):
    contract = parse(minimal)
    with pytest.raises(ValidationError):
        contract.model = contract.model
    with pytest.raises(ValidationError):
        contract.monitor.drift.effect = 1.0


def test_the_smallest_contract_has_gates_and_limits(minimal):
    contract = parse(minimal)
    assert [gate.subject for gate in contract.gates] == [
        "roc_auc beats majority",
        "roc_auc not_worse_by 2%",
    ]
    assert contract.monitor.performance.metric == "roc_auc"
    assert contract.release.strategy == "canary"
    assert contract.monitor.window == Span(86400.0, "seconds")
    assert contract.retrain.when == ()


def test_without_time_every_default_counts_rows_and_release_is_direct(rows):
    contract = parse(rows)
    assert contract.axis == "rows"
    assert contract.release.strategy == "direct"
    spans = (
        contract.monitor.window,
        contract.retrain.cooldown,
        contract.retrain.budget.per,
        contract.release.max_duration,
        contract.label_delay,
    )
    assert {span.unit for span in spans} == {"rows"}


def test_what_is_written_wins_over_defaults_that_follow(rows):
    text = (
        rows
        + "release: {strategy: canary}\nmonitor: {window: 42 rows}\nretrain: {budget: {runs: 1}}\n"
    )
    contract = parse(text)
    assert contract.release.strategy == "canary"
    assert contract.monitor.window == Span(42.0, "rows")
    assert contract.retrain.budget.runs == 1
    assert contract.retrain.budget.per.unit == "rows"


@pytest.mark.parametrize(
    ("task", "metric", "baseline"),
    [("regression", "mae", "mean"), ("multiclass", "balanced_accuracy", "majority")],
)
def test_defaults_follow_the_task(rows, task, metric, baseline):
    contract = parse(rows.replace("binary", task))
    assert contract.primary_metric == metric
    assert contract.gates[0].subject == f"{metric} beats {baseline}"


def test_no_gates_is_said_by_an_empty_list(minimal):
    assert parse(minimal + "gates: []").gates == ()


def test_label_delay_is_the_watched_one(minimal, rows):
    text = "monitor: {performance: {label_delay: %s}}"
    assert parse(minimal + text % "7d").label_delay == Span(604800.0, "seconds")
    assert parse(rows + text % "50 rows").label_delay == Span(50.0, "rows")
    assert parse(minimal).label_delay == Span(0.0, "seconds")
    assert parse(rows).label_delay == Span(0.0, "rows")
    assert parse(rows + text % "0s").label_delay == Span(0.0, "rows")


def test_features_declared_leave_out_what_is_no_input():
    contract = Contract.model_validate(
        {
            "model": {"name": "a", "task": "binary"},
            "data": {
                "source": "a",
                "target": "y",
                "time": "t",
                "key": "k",
                "columns": {"y": {}, "t": {}, "k": {}, "b": {}, "a": {}, "leak": {"use": False}},
            },
        }
    )
    assert contract.features_declared == ("a", "b")


@pytest.mark.parametrize(
    ("risk", "limit", "people"),
    [("high", "high", 2), ("medium", "high", 0), ("high", "low", 2), ("low", "medium", 0)],
)
def test_approvals_follow_risk(minimal, risk, limit, people):
    text = minimal.replace("task: binary", f"task: binary, risk: {risk}")
    contract = parse(text + f"release: {{approvals: {{risk: {limit}, people: 2}}}}")
    assert contract.approvals_needed == people


def test_a_risk_that_nobody_stated_needs_nobody(minimal):
    assert parse(minimal).approvals_needed == 0


def test_missing_data_and_task_are_asked_for_with_a_place():
    contract = parse("\nmodel: {name: a}", file="c.yaml")
    for ask, path in ((contract.require_data, "data"), (contract.require_task, "model.task")):
        with pytest.raises(ContractError) as caught:
            ask()
        (problem,) = caught.value.problems
        assert (problem.file, problem.line, problem.path) == ("c.yaml", 2, path)
        assert problem.allowed


def test_what_is_there_is_given(minimal):
    contract = parse(minimal)
    assert contract.require_task() == "binary"
    assert contract.require_data().target == "y"


def test_a_contract_pickles_with_its_digest(whole):
    contract = parse(whole)
    again = pickle.loads(pickle.dumps(contract))  # noqa: S301 - our own bytes
    assert again == contract
    assert hash(again) == hash(contract)


def test_a_changed_copy_has_another_digest(whole):
    contract = parse(whole)
    before = contract.digest
    copy = contract.model_copy(update={"gates": ()})
    assert copy.digest != before
    assert contract.digest == before


def test_digests_of_sections_change_with_these_alone(whole):
    one, other = parse(whole), parse(whole.replace("replicas: 2", "replicas: 3"))
    assert one.digest != other.digest
    assert one.digest_of("data", "train") == other.digest_of("data", "train")
    assert one.digest_of("serve") != other.digest_of("serve")
