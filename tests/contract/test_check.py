import pytest

from setpoint.contract.check import PENDING, check
from setpoint.contract.parse import parse


def messages(contract, kind=None, **kwargs) -> dict[str, str]:
    notes = check(contract, **kwargs)
    return {note.path: note.message for note in notes if kind is None or note.kind == kind}


def test_the_short_form_is_told_with_what_it_became(short):
    notes = [note for note in check(parse(short, file="c.yaml")) if note.path.startswith("model.")]
    assert [note.path for note in notes][:3] == [
        "model.slas.inference_latency_p99",
        "model.slas.data_drift_threshold",
        "model.slas.target_accuracy",
    ]
    assert "gate: latency p99 max 100ms" in notes[0].message
    assert "guardrail" in notes[0].message
    assert (notes[0].place.file, notes[0].place.line, notes[0].kind) == ("c.yaml", 4, "info")


def test_data_and_task_that_will_be_asked_for(short):
    found = messages(parse(short), "warning")
    assert "task" in found["model"]
    assert "data" in found


def test_the_design_s_canary_needs_13_500_requests(whole):
    assert "13,500 requests" in messages(parse(whole), "info")["release.steps"]


def test_a_direct_release_is_told_no_number_of_requests(rows):
    assert "release.steps" not in messages(parse(rows))


def test_a_rule_that_cannot_be_met_is_named(whole):
    found = messages(parse(whole), "warning", champion_metrics={"f1": 0.99})
    assert "cannot be met" in found["gates[1].beats_champion"]
    assert "1.0098" in found["gates[1].beats_champion"]
    for value in (0.98, 0.5):
        assert "gates[1].beats_champion" not in messages(
            parse(whole), champion_metrics={"f1": value}
        )
    assert "gates[1].beats_champion" not in messages(parse(whole))
    assert "gates[1].beats_champion" not in messages(
        parse(whole), champion_metrics={"recall": 0.99}
    )


@pytest.mark.parametrize(
    ("metric", "margin", "value", "met"),
    [
        ("mae", "5%", 2.0, True),
        ("mae", "0.5 abs", 0.4, False),
        ("mae", "5%", 0.0, False),
        ("r2", "0.1 abs", 0.95, False),
    ],
)
def test_better_follows_the_metric_where_rules_are_checked(rows, metric, margin, value, met):
    text = (
        rows.replace("binary", "regression")
        + f"gates: [{{metric: {metric}, beats_champion: {margin}}}]"
    )
    found = messages(parse(text), "warning", champion_metrics={metric: value})
    assert ("gates[0].beats_champion" not in found) is met


def test_default_gates_are_told(minimal):
    assert "roc_auc beats majority" in messages(parse(minimal), "info")["gates"]


def test_no_gates_at_all_are_a_warning(minimal):
    assert "no candidate can pass" in messages(parse(minimal + "gates: []"), "warning")["gates"]


def test_what_does_not_act_yet_is_told():
    said = {
        "data.source": ["sql:select", "delta:t", "dvc:a.csv", "feast:f", "s3://b/a", "gs://b/a"],
    }
    for source in said["data.source"]:
        contract = parse(
            f"model: {{name: a, task: binary}}\ndata: {{source: '{source}', target: y}}"
        )
        assert "does not act yet" in messages(contract, "warning")["data.source"]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("train: {command: python train.py}", "train.command"),
        ("train: {tune: {trials: 5}}", "train.tune"),
        ("serve: {replicas: 2}", "serve.replicas"),
        ("serve: {resources: {cpu: 1}}", "serve.resources"),
        ("serve: {runtime: pyfunc}", "serve.runtime"),
        ("retrain: {data: since_change}", "retrain.data"),
        ("monitor: {source: log.jsonl}", "monitor.source"),
        ('monitor: {schedule: "5 * * * *"}', "monitor.schedule"),
        ("monitor: {slo: {availability: 99%}}", "monitor.slo"),
        ("retrain: {when: [{forecast: drift.share > 5%, within: 1h}]}", "retrain.when"),
        ("alerts: [{to: '${SLACK}'}]", "alerts"),
    ],
)
def test_each_pending_capability_is_told_where_it_is_written(minimal, text, path):
    found = messages(parse(minimal + text), "warning")
    assert "does not act yet" in found[path]


def test_approvals_that_are_needed_are_pending(minimal):
    text = minimal.replace("task: binary", "task: binary, risk: high")
    assert "release.approvals" in messages(parse(text), "warning")
    assert "release.approvals" not in messages(parse(minimal), "warning")


def test_a_plain_contract_has_nothing_pending(minimal):
    contract = parse(minimal)
    assert not [pending.what for pending in PENDING if pending.said(contract)]
    assert not messages(contract, "warning")


def test_steps_that_outlast_the_release(minimal):
    text = (
        minimal
        + "release: {steps: [{traffic: 5%, for: 5d}, {traffic: 50%, for: 3d}, 100%], max_duration: 7d}"
    )
    assert "longer than max_duration" in messages(parse(text), "warning")["release.steps"]


def test_outcomes_that_come_after_the_release(minimal):
    delay = "monitor: {performance: {label_delay: 14d}}\n"
    text = minimal + delay + "release: {guardrails: [{outcome: f1, not_worse_by: 2%%%s}]}"
    assert "after: 14d" in messages(parse(text % ""), "warning")["release.guardrails[0]"]
    assert (
        "watched for 21d" in messages(parse(text % ", after: 21d"), "info")["release.guardrails[0]"]
    )


def test_columns_that_are_left_out_are_told_with_the_reason(minimal):
    text = minimal.replace(
        "time: at", "time: at, columns: {a: {use: false, reason: leaks}, b: {use: false}}"
    )
    found = messages(parse(text), "info")
    assert found["data.columns.a"].endswith("leaks")
    assert "no reason" in found["data.columns.b"]


def test_what_follows_from_columns_that_the_log_does_not_keep(minimal):
    columns = "time: at, key: id, columns: {a: {log: first 3}, id: {log: %s}, b: {log: keep}}"
    told = "\nrelease: {guardrails: [{outcome: f1, not_worse_by: 2%, after: 7d}]}"
    hashed = parse(minimal.replace("time: at", columns % "hash") + told)
    found = messages(hashed, "info")
    assert found["data.columns.a.log"].endswith("by first 3, so that its drift is not watched")
    assert "hashed alike" in found["data.columns.id.log"]
    assert "SETPOINT_LOG_KEY" in found["data.columns"]
    assert "data.columns.b.log" not in found
    assert "does not have a as" in messages(hashed, "warning")["release.guardrails[0]"]
    dropped = parse(minimal.replace("time: at", columns % "drop"))
    assert "only by the id" in messages(dropped, "warning")["data.columns.id.log"]
    kept = parse(
        minimal.replace("time: at", "time: at, key: id, columns: {id: {log: hash}}") + told
    )
    assert "release.guardrails[0]" not in messages(kept, "warning")


def test_fairness_of_a_column_that_is_not_protected(minimal):
    gate = "gates: [{fairness: disparate_impact, attribute: sex, min: 0.8}]"
    assert "gates[0].attribute" in messages(parse(minimal + gate), "warning")
    protected = minimal.replace("time: at", "time: at, protected: [sex]")
    assert "gates[0].attribute" not in messages(parse(protected + gate), "warning")


def test_a_secret_that_is_written_out(minimal):
    assert "alerts[0].to" in messages(
        parse(minimal + "alerts: [{to: 'https://hooks/T0/abc'}]"), "warning"
    )
    assert "alerts[0].to" not in messages(parse(minimal + "alerts: [{to: '${HOOK}'}]"), "warning")


def test_a_schedule_for_retrains_is_acted_on(minimal):
    found = messages(parse(minimal + 'retrain: {when: [{schedule: "0 2 * * 1"}]}'), "warning")
    assert not any("does not act" in message for message in found.values())


def test_a_schedule_that_no_replay_of_rows_can_meet(rows):
    found = messages(parse(rows + 'retrain: {when: [{schedule: "0 2 * * 1"}]}'), "warning")
    assert "retrain.when[0]" in found


def test_a_limit_of_one_value(minimal):
    assert "gates[0]" in messages(
        parse(minimal + "gates: [{metric: f1, between: [0.5, 0.5]}]"), "warning"
    )


def test_notes_stand_where_the_contract_says_it(whole):
    for note in check(parse(whole, file="c.yaml"), champion_metrics={"f1": 0.99}):
        assert note.place.file == "c.yaml"
        assert note.place.line > 0
