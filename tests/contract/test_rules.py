import pytest

from setpoint.contract.parse import parse
from setpoint.errors import ContractError

TIME = "model: {name: a, task: %s}\ndata: {source: a, target: y, time: t, key: k}\n"
ROWS = "model: {name: a, task: %s}\ndata: {source: a, target: y}\n"


def paths(text: str) -> list[str]:
    try:
        parse(text)
    except ContractError as error:
        return [problem.path for problem in error.problems if problem.line]
    return []


SPANS = {
    "monitor.window": "monitor: {window: %s}",
    "monitor.performance.label_delay": "monitor: {performance: {label_delay: %s}}",
    "retrain.cooldown": "retrain: {cooldown: %s}",
    "retrain.budget.per": "retrain: {budget: {per: %s}}",
    "retrain.when[0]": "retrain: {when: [model.age > %s]}",
    "retrain.when[0].within": "retrain: {when: [{forecast: drift.share > 30%%, within: %s}]}",
    "release.max_duration": "release: {max_duration: %s}",
    "release.steps[0].for": "release: {steps: [{traffic: 5%%, for: %s}, 100%%]}",
    "release.guardrails[0].after": "release: {guardrails: [{outcome: f1, not_worse_by: 2%%, after: %s}]}",
}


@pytest.mark.parametrize("path", SPANS)
def test_a_time_without_a_time_column_is_refused_with_the_row_form(path):
    text = ROWS % "binary" + SPANS[path] % "7d"
    with pytest.raises(ContractError) as caught:
        parse(text)
    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == (path, 3)
    assert "7d" in problem.found
    assert problem.allowed.endswith("rows")
    assert paths(ROWS % "binary" + SPANS[path] % "500 rows") == []


@pytest.mark.parametrize("path", SPANS)
def test_rows_beside_a_time_column_are_refused_with_the_time_form(path):
    assert paths(TIME % "binary" + SPANS[path] % "500 rows") == [path]
    assert paths(TIME % "binary" + SPANS[path] % "7d") == []


def test_retraining_on_the_last_rows_goes_on_both_axes():
    assert paths(TIME % "binary" + "retrain: {data: last 500 rows}") == []
    assert paths(ROWS % "binary" + "retrain: {data: last 500 rows}") == []
    assert paths(ROWS % "binary" + "retrain: {data: last 90d}") == ["retrain.data"]


def test_durations_of_the_machine_need_no_time_column():
    text = "train: {limits: {time: 10m}}\nmonitor: {slo: {latency_p99: 100ms}}\ngates: [{latency: p99, max: 10ms}]"
    assert paths(ROWS % "binary" + text) == []


def test_without_data_both_axes_are_open():
    assert paths("model: {name: a}\nmonitor: {window: 1000 rows}") == []
    assert paths("model: {name: a}\nmonitor: {window: 24h}") == []


@pytest.mark.parametrize(
    ("task", "text", "path"),
    [
        ("regression", "gates: [{metric: f1, min: 0.5}]", "gates[0].metric"),
        ("binary", "gates: [{metric: mae, max: 0.5}]", "gates[0].metric"),
        ("multiclass", "gates: [{metric: average_precision, min: 0.5}]", "gates[0].metric"),
        ("regression", "monitor: {performance: {metric: roc_auc}}", "monitor.performance.metric"),
        ("regression", "release: {guardrails: [{outcome: f1, not_worse_by: 1%}]}", "release.guardrails[0].outcome"),
        ("regression", "retrain: {when: [performance.f1 < 0.5]}", "retrain.when[0]"),
        ("binary", "retrain: {when: [{forecast: performance.mae > 5, within: 1h}]}", "retrain.when[0]"),
        ("regression", "gates: [{metric: mae, beats: majority}]", "gates[0].beats"),
        ("binary", "gates: [{metric: f1, beats: mean}]", "gates[0].beats"),
        ("regression", "gates: [{fairness: disparate_impact, attribute: s, min: 0.8}]", "gates[0].fairness"),
        ("multiclass", "gates: [{metric: f1, average: binary, min: 0.5}]", "gates[0].average"),
        ("binary", "gates: [{metric: accuracy, average: macro, min: 0.5}]", "gates[0].average"),
        ("multiclass", "gates: [{metric: f1, threshold: 0.4, min: 0.5}]", "gates[0].threshold"),
        ("binary", "gates: [{metric: f1, min: 85}]", "gates[0].min"),
        ("binary", "gates: [{metric: f1, between: [2, 3]}]", "gates[0].between"),
        ("regression", "gates: [{metric: mae, max: -1}]", "gates[0].max"),
        ("binary", "gates: [{slices: [p], metric: f1, min: 1.5}]", "gates[0].min"),
        ("binary", "train: {split: {validation: 50%, test: 50%}}", "train.split.test"),
        ("binary", "gates: [{invariant_to: y}]", "gates[0].invariant_to"),
        ("binary", "gates: [{directional: y, add: 1, prediction: lower}]", "gates[0].directional"),
        ("binary", "gates: [{fairness: disparate_impact, attribute: y, min: 0.8}]", "gates[0].attribute"),
    ],
)  # fmt: skip
def test_what_contradicts_another_section_is_refused(task, text, path):
    assert paths(TIME % task + text) == [path]


@pytest.mark.parametrize(
    ("data", "gates", "path"),
    [
        ("time: y", "", "data.time"),
        ("key: y", "", "data.key"),
        ("columns: {y: {use: false}}", "", "data.columns.y.use"),
        ("columns: {y: {log: hash}}", "", "data.columns.y.log"),
        ("time: t, columns: {t: {log: drop}}", "", "data.columns.t.log"),
        ("key: k, columns: {k: {log: round 10}}", "", "data.columns.k.log"),
        ("columns: {c: {use: false}}", "gates: [{directional: c, add: 1, prediction: lower}]", "gates[0].directional"),
        ("columns: {c: {type: text}}", "gates: [{directional: c, add: 1, prediction: lower}]", "gates[0].directional"),
    ],
)  # fmt: skip
def test_columns_that_clash_are_refused(data, gates, path):
    text = f"model: {{name: a, task: binary}}\ndata: {{source: a, target: y, {data}}}\n{gates}"
    assert paths(text) == [path]


def test_a_positive_class_belongs_to_a_binary_task():
    text = "model: {name: a, task: regression}\ndata: {source: a, target: y, positive: 1}\n"
    assert paths(text) == ["data.positive"]


@pytest.mark.parametrize(
    "text",
    [
        "gates: [{metric: f1, average: macro, min: 0.5}]",
        "gates: [{metric: log_loss, max: 0}]",
        "gates: [{metric: roc_auc, beats: no_change}]",
        "train: {split: {validation: 80%, test: 1000 rows}}",
        "gates: [{metric: mcc, min: -0.5}]",
    ],
)
def test_what_goes_together_is_accepted(text):
    assert paths(TIME % "binary" + text) == []
