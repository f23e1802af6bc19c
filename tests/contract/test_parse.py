import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from setpoint.contract.conditions import Condition
from setpoint.contract.contract import Contract
from setpoint.contract.gates import GATE_TYPES
from setpoint.contract.origin import Place
from setpoint.contract.parse import from_plain, parse, restore
from setpoint.contract.retrain import Acceptance, ForecastTrigger, ScheduleTrigger
from setpoint.contract.shares import Change
from setpoint.contract.spans import Part, Span
from setpoint.errors import ContractError


def problems(text: str, **kwargs) -> list:
    with pytest.raises(ContractError) as caught:
        parse(text, **kwargs)
    return list(caught.value.problems)


def test_the_whole_contract_of_the_design_is_read(whole):
    contract = parse(whole)
    assert contract.axis == "time"
    assert (contract.model.version, contract.model.risk) == ("2.1", "high")
    assert contract.require_data().positive == "Yes"
    assert contract.require_data().columns["charges"].nulls == 0.01
    label_share = contract.require_data().checks.label_share
    assert label_share is not None
    assert label_share.shift == 0.25
    assert contract.train.split.test == Part(share=0.2)
    assert contract.train.tune is not None
    assert contract.train.tune.space == {"max_depth": (3, 12)}
    kinds = [gate.kind for gate in contract.gates]
    assert kinds == [
        "metric",
        "beats_champion",
        "beats",
        "slices",
        "fairness",
        "latency",
        "size",
        "invariant_to",
        "directional",
    ]
    assert set(kinds) <= set(GATE_TYPES)
    assert contract.serve.resources.memory == 2 * 10**9
    assert [step.traffic for step in contract.release.steps] == [0.05, 0.2, 0.5, 1.0]
    assert contract.release.guardrails[3].after == Span(14 * 86400.0, "seconds")
    assert contract.label_delay == Span(7 * 86400.0, "seconds")
    assert contract.monitor.performance.drop == Change(0.05, relative=True)
    assert contract.monitor.slo.availability == 0.999
    when = contract.retrain.when
    assert [type(trigger) for trigger in when] == [
        Condition,
        Condition,
        Condition,
        ScheduleTrigger,
        ForecastTrigger,
    ]
    assert contract.retrain.accept == Acceptance()
    assert contract.retrain.budget.per == Span(86400.0, "seconds")
    assert contract.alerts[0].to == "${SETPOINT_SLACK_URL}"
    assert contract.approvals_needed == 1


def test_json_is_a_contract_too(whole):
    contract = parse(whole)
    assert parse(contract.text) == contract


def test_places_lead_back_to_the_text(whole):
    origin = parse(whole, file="c.yaml").origin
    lines = whole.splitlines()
    place = origin.place_of(("gates", 1, "beats_champion"))
    assert place.file == "c.yaml"
    assert lines[place.line - 1][place.column - 1 :].startswith("beats_champion")
    assert origin.place_of(("gates", 1, "nothing of the kind")) == origin.places["gates[1]"]
    assert origin.place_of(("nowhere",)) == Place("c.yaml")


def test_a_contract_made_in_python_has_no_places():
    contract = Contract.model_validate({"model": {"name": "a"}})
    assert contract.origin.place_of(("model",)) == Place()


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n", "hello", "5", "null", '"model"'])
def test_a_text_that_is_no_mapping_is_refused(text):
    (problem,) = problems(text)
    assert problem.line == 1
    assert "model:" in problem.allowed


def test_all_problems_are_told_at_once_in_order():
    text = """\
model: {name: churn, tsk: binary, version: 2.10}
data:
  source: a.csv
  columns: {a: {type: itn}, b: {min: 5, max: 1}}
train: {seed: seven, threshold: .nan}
gates:
  - {metric: f1, beats_champion: 0.02}
  - {metrc: f1, min: 0.5}
monitor: {schedule: "61 * * * *"}
seve: {replicas: 2}
"""
    found = problems(text)
    assert [(problem.line, problem.path) for problem in found] == [
        (1, "model.tsk"),
        (1, "model.version"),
        (2, "data.target"),
        (4, "data.columns.a.type"),
        (4, "data.columns.b.min"),
        (5, "train.seed"),
        (5, "train.threshold"),
        (7, "gates[0].beats_champion"),
        (8, "gates[1]"),
        (9, "monitor.schedule"),
        (10, "seve"),
    ]
    assert all(problem.column > 0 for problem in found)


def test_a_mistake_is_told_once():
    text = "model: {name: a, task: binary}\ndata: {source: a, target: y, positive: yes}\n"
    (problem,) = problems(text)
    assert problem.path == "data.positive"


@pytest.mark.parametrize("bite", ["[yes, no]", "[on, off]", "[y, n]", "[1.10, 1.20]", "[010, 020]"])
def test_category_values_that_yaml_bites_are_refused_unquoted(bite):
    text = "model: {name: a, task: binary}\ndata: {source: a, target: y, columns: {c: {type: category, values: %s}}}"
    assert problems(text % bite)
    quoted = "[" + ", ".join(f'"{value.strip()}"' for value in bite.strip("[]").split(",")) + "]"
    contract = parse(text % quoted)
    assert len(contract.require_data().columns["c"].values or ()) == 2


def test_a_version_without_quotes_is_refused_as_written():
    (problem,) = problems("model: {name: a, version: 2.10}")
    assert problem.found == "2.10"
    assert '"2.10"' in problem.allowed


def test_keys_without_a_value_count_as_absent():
    contract = parse("model: {name: a, task:}\ntrain:\ngates:\nmonitor: {drift:, window: ~}\n")
    assert contract == parse("model: {name: a}")


def test_null_is_a_value_among_parameters():
    assert parse("model: {name: a}\ntrain: {params: {max_depth: null}}").train.params == {
        "max_depth": None
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: b\n" * 2_000_000, "characters long"),
        ("model: " + "[" * 100_000, "deep"),
        ("model: {name: a}\ngates: [" + "{foo: 1}, " * 5_000 + "]", "further problems"),
        ("model: {name: a}\n" + "".join(f"key{i}: 1\n" for i in range(9_000)), "further problems"),
        ("model: {name: " + "a" * 100_000 + "}", "too long"),
        ("model: {name: a, owner: '" + "x" * 100_000 + "'}", "too long"),
        ("model: {name: a}\nmonitor: {window: '" + "9" * 100_000 + "h'}", "too long"),
    ],
)
def test_texts_built_to_hurt_are_answered_quickly(text, reason):
    start = time.process_time()
    found = problems(text)
    assert time.process_time() - start < 3
    assert len(found) <= 101
    assert any(reason in str(problem) for problem in found)
    assert all(len(problem.found) <= 80 for problem in found)


def test_restore_reads_the_canonical_text_back(whole, short, minimal, rows):
    for text in (whole, short, minimal, rows):
        contract = parse(text)
        assert restore(contract.text) == contract
        assert from_plain(contract.plain).text == contract.text


@pytest.mark.parametrize("text", ["", "[]", "{", "nope", "5", "[" * 100_000])
def test_restore_refuses_what_is_no_canonical_text(text):
    with pytest.raises(ContractError):
        restore(text)


def test_from_plain_names_paths_without_lines():
    with pytest.raises(ContractError) as caught:
        from_plain(
            {"model": {"name": "a"}, "gates": [{"metric": "f1", "min": "x"}], "train": {"seed": -1}}
        )
    assert [(problem.path, problem.line) for problem in caught.value.problems] == [
        ("train.seed", 0),
        ("gates[0].min", 0),
    ]


def test_from_plain_holds_the_rules_between_sections():
    with pytest.raises(ContractError, match="no metric of a regression task"):
        from_plain(
            {"model": {"name": "a", "task": "regression"}, "gates": [{"metric": "f1", "min": 0.5}]}
        )


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None
)
@given(st.data())
def test_a_damaged_contract_is_read_or_refused_and_never_breaks(whole, data):
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 30)))
    junk = data.draw(st.text(" \n:-[]{}&*!\"'%#,.~0a5", max_size=5))
    text = whole[:start] + junk + whole[end:]
    try:
        contract = parse(text)
    except ContractError:
        return
    assert restore(contract.text) == contract
