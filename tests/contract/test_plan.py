import json

import pytest

from setpoint.contract.contract import Contract
from setpoint.contract.parse import parse
from setpoint.contract.plan import _EFFECTS, _WORDS, EFFECTS, plan


def changed(whole: str, old: str, new: str):
    assert old in whole
    return plan(parse(whole), parse(whole.replace(old, new)))


def test_the_same_promise_changes_nothing(whole):
    found = changed(whole, "window: 24h", "window: 1d")
    assert found.is_empty
    assert found.effects == ()
    assert found.old == found.new


@pytest.mark.parametrize(
    ("old", "new", "path", "effect"),
    [
        ("name: customer_churn", "name: other", "model.name", "restart"),
        ("learning_rate: 0.05", "learning_rate: 0.1", "train.params.learning_rate", "refit"),
        ("seed: 7", "seed: 8", "train.seed", "refit"),
        ("source: data/churn.parquet", "source: b.parquet", "data.source", "refit"),
        ("max: 120", "max: 130", "data.columns.tenure.max", "refit"),
        ("{type: int, min: 0, max: 120}", "{type: float, min: 0, max: 120}", "data.columns.tenure.type", "refit"),
        ("min_rows: 1000", "min_rows: 2000", "data.checks.min_rows", "validate"),
        ("protected: [gender]", "protected: [gender, age]", "data.protected", "judge"),
        ("min: 0.80}", "min: 0.85}", "gates[0]", "judge"),
        ("replicas: 2", "replicas: 3", "serve.replicas", "serve"),
        ("min_requests: 500", "min_requests: 600", "release.min_requests", "release"),
        ("steps: [5%,", "steps: [10%,", "release.steps", "release"),
        ("effect: 0.1", "effect: 0.2", "monitor.drift.effect", "watch"),
        ("label_delay: 7d", "label_delay: 8d", "monitor.performance.label_delay", "refit"),
        ("cooldown: 6h", "cooldown: 7h", "retrain.cooldown", "trigger"),
        ("rows.new >= 10000", "rows.new >= 20000", "retrain.when[2]", "trigger"),
        ("when: [incident, approval]", "when: [incident]", "alerts[0]", "alert"),
        ('version: "2.1"', 'version: "2.2"', "model.version", "nothing"),
        ("limitations: Not for pricing.", "limitations: None known.", "model.limitations", "nothing"),
        ("risk: high   ", "risk: low   ", "model.risk", "release"),
    ],
)  # fmt: skip
def test_each_change_says_what_it_does(whole, old, new, path, effect):
    found = changed(whole, old, new)
    assert [(one.path, one.effect) for one in found.differences] == [(path, effect)]
    (one,) = found.differences
    assert one.old != one.new
    assert one.words
    assert found.effects == (effect,)


def test_a_gate_that_came_and_one_that_went(whole):
    found = changed(whole, "{size: 500MB}", "{metric: recall, min: 0.5}")
    assert [(one.path, one.old, one.new) for one in found.differences] == [
        ("gates[6]", None, {"metric": "recall", "min": 0.5}),
        ("gates[6]", {"size": "500MB"}, None),
    ]


def test_a_gate_that_only_moved_is_no_change_of_the_others(whole):
    found = changed(whole, "  - {metric: roc_auc, min: 0.80}\n", "")
    assert [(one.old, one.new) for one in found.differences] == [
        ({"metric": "roc_auc", "min": 0.8}, None)
    ]


def test_two_limits_of_one_metric_are_paired_once(minimal):
    one = parse(
        minimal + "gates: [{metric: f1, min: 0.5}, {metric: f1, min: 0.6, confidence: 90%}]"
    )
    other = parse(minimal + "gates: [{metric: f1, min: 0.7}]")
    found = plan(one, other).differences
    assert len(found) == 2
    assert [difference.new is None for difference in found] == [False, True]


def test_what_was_never_said_comes_and_goes(whole):
    came = changed(whole, "seed: 7", "seed: 7\n  command: python train.py")
    assert [(one.path, one.old, one.new) for one in came.differences] == [
        ("train.command", None, "python train.py")
    ]
    went = changed(whole, "  tune: {trials: 30, space: {max_depth: [3, 12]}}\n", "")
    assert {one.new for one in went.differences} == {None}


def test_the_first_contract_is_all_new(whole):
    found = plan(None, parse(whole))
    assert found.old == ""
    assert found.effects[0] == "restart"
    assert all(one.old is None for one in found.differences)


def test_heaviest_effect_comes_first(whole):
    contract = parse(whole.replace("seed: 7", "seed: 8").replace("replicas: 2", "replicas: 3"))
    assert plan(parse(whole), contract).effects == ("refit", "serve")


def test_a_plan_is_plain_data(whole):
    found = changed(whole, "replicas: 2", "replicas: 3")
    assert json.loads(json.dumps(found.plain)) == found.plain
    assert found.plain["differences"][0]["path"] == "serve.replicas"
    assert (
        str(found.differences[0])
        == "serve.replicas: 2 → 3 (gateways only; versions stay as they are)"
    )


def test_every_section_has_an_effect_and_every_effect_has_words():
    assert {(section,) for section in Contract.model_fields} <= set(_EFFECTS)
    assert set(_EFFECTS.values()) <= set(EFFECTS)
    assert all(_WORDS.values())


def test_what_the_log_keeps_changes_gateways_alone():
    base = "model: {name: a, task: binary}\ndata: {source: s, target: y, columns: {b: {log: %s}}}\n"
    found = plan(parse(base % "keep"), parse(base % "first 3"))
    assert found.effects == ("serve",)
    assert str(found.differences[0]).startswith(
        "data.columns.b.log: keep → first 3 (gateways log by it"
    )
