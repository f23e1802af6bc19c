import pytest

from setpoint.contract.metrics import METRICS
from setpoint.contract.parse import parse
from setpoint.contract.short_form import MONITORING, SIGNAL_NAMES, SLAS
from setpoint.errors import ContractError


def problems(text: str) -> list:
    with pytest.raises(ContractError) as caught:
        parse(text)
    return list(caught.value.problems)


def test_the_short_form_of_the_design_becomes_the_long_form(short):
    contract = parse(short)
    assert [gate.subject for gate in contract.gates] == [
        "latency p99 max 100ms",
        "accuracy min 0.85",
    ]
    assert [guardrail.subject for guardrail in contract.release.guardrails] == [
        "error_rate max 1%",
        "latency_p99 max 100ms",
    ]
    assert contract.monitor.slo.latency_p99 == 0.1
    assert contract.monitor.drift.effect == 0.05
    assert contract.monitor.drift.significance == 0.05
    assert contract.monitor.drift.min_rows == 500
    assert (contract.monitor.performance.metric, contract.monitor.performance.min) == (
        "accuracy",
        0.85,
    )
    assert contract.monitor.schedule == "0 * * * *"
    assert contract.monitor.signals == ("drift", "latency", "performance")


def test_what_each_key_became_is_told_with_its_place(short):
    became = parse(short, file="c.yaml").origin.became
    assert [one.key for one in became] == [
        "model.slas.inference_latency_p99",
        "model.slas.data_drift_threshold",
        "model.slas.target_accuracy",
        "model.monitoring.schedule",
        "model.monitoring.metrics",
    ]
    latency = became[0]
    assert (latency.value, len(latency.into)) == ("100ms", 3)
    assert (latency.place.file, latency.place.line) == ("c.yaml", 4)
    assert became[4].value == "[accuracy, feature_drift, latency]"


def test_short_and_long_form_have_one_digest(short):
    long = """\
model: {name: customer_churn_v1, version: "2.1"}
gates:
  - {latency: p99, max: 0.1s}
  - {metric: accuracy, min: 0.85}
release: {guardrails: [{error_rate: 1%}, {latency_p99: 100ms}]}
monitor:
  schedule: "0 * * * *"
  signals: [latency, performance, drift]
  drift: {effect: 5%}
  performance: {metric: accuracy, min: 0.85}
  slo: {latency_p99: 100ms}
"""
    assert parse(short).digest == parse(long).digest


def test_the_same_quantity_in_both_forms_is_fine_when_equal():
    text = """\
model:
  name: a
  slas: {inference_latency_p99: 100ms, target_accuracy: 0.85, data_drift_threshold: 0.05, availability: 99.9%}
gates: [{latency: p99, max: 0.1s}, {metric: accuracy, min: 0.85}]
monitor: {drift: {effect: 5%}, slo: {availability: 0.999}, performance: {min: 0.85}}
"""
    contract = parse(text)
    assert [gate.subject for gate in contract.gates] == [
        "latency p99 max 100ms",
        "accuracy min 0.85",
    ]


@pytest.mark.parametrize(
    ("long", "path"),
    [
        ("gates: [{latency: p99, max: 50ms}]", "gates[0].max"),
        ("gates: [{metric: accuracy, min: 0.9}]", "gates[0].min"),
        ("release: {guardrails: [{latency_p99: 50ms}]}", "release.guardrails[0].latency_p99"),
        ("monitor: {slo: {latency_p99: 50ms}}", "monitor.slo.latency_p99"),
        ("monitor: {drift: {effect: 10%}}", "monitor.drift.effect"),
        ("monitor: {performance: {metric: accuracy, min: 0.9}}", "monitor.performance.min"),
        ('monitor: {schedule: "5 * * * *"}', "monitor.schedule"),
        ("monitor: {signals: [drift]}", "monitor.signals"),
    ],
)
def test_the_same_quantity_in_both_forms_is_an_error_naming_both_lines(short, long, path):
    (problem,) = problems(short + long)
    assert problem.path == path
    assert problem.line == 6
    assert "line 4" in problem.message or "line 5" in problem.message


def test_other_quantities_stand_beside_the_short_form():
    text = """\
model: {name: a, slas: {inference_latency_p99: 100ms, target_accuracy: 0.85}}
gates:
  - {latency: p50, max: 5ms}
  - {slices: [plan], metric: accuracy, min: 0.6}
  - {metric: f1, min: 0.5}
monitor: {performance: {metric: f1}}
"""
    contract = parse(text)
    assert len(contract.gates) == 5
    assert contract.monitor.performance.metric == "f1"
    assert contract.monitor.performance.min is None


def test_a_target_of_an_error_is_a_ceiling():
    contract = parse("model: {name: a, task: regression, slas: {target_mae: 2}}")
    assert contract.gates[0].subject == "mae max 2"
    assert contract.monitor.performance.max == 2


def test_targets_are_known_by_other_names_too():
    assert parse("model: {name: a, slas: {target_auc: 0.8}}").gates[0].subject == "roc_auc min 0.8"


@pytest.mark.parametrize(
    ("slas", "path"),
    [
        ("{target_accurracy: 0.8}", "model.slas.target_accurracy"),
        ("{latency: 5ms}", "model.slas.latency"),
        ("{inference_latency_p99: 100}", "model.slas.inference_latency_p99"),
        ("{target_accuracy: high}", "model.slas.target_accuracy"),
        ("{target_accuracy: true}", "model.slas.target_accuracy"),
        ("{data_drift_threshold: 5}", "model.slas.data_drift_threshold"),
        ("[a]", "model.slas"),
        ("{target_accuracy: [0.8]}", "model.slas.target_accuracy"),
    ],
)
def test_what_cannot_be_read_is_told_with_the_short_form_s_path(slas, path):
    (problem,) = problems(f"model: {{name: a, slas: {slas}}}")
    assert (problem.path, problem.line) == (path, 1)
    assert problem.allowed


def test_a_target_beyond_reach_is_told_where_it_was_written():
    (problem,) = problems("model: {name: a,\n  slas: {target_accuracy: 85}}")
    assert problem.line == 2
    assert problem.found == "85"


@pytest.mark.parametrize(
    ("monitoring", "path"),
    [
        ("{metrics: accuracy}", "model.monitoring.metrics"),
        ("{metrics: [accuracy, vibes]}", "model.monitoring.metrics[1]"),
        ("{metrics: [5]}", "model.monitoring.metrics[0]"),
        ("{schedule: hourly}", "model.monitoring.schedule"),
        ("{interval: 5m}", "model.monitoring.interval"),
    ],
)
def test_monitoring_that_cannot_be_read_is_refused(monitoring, path):
    (problem,) = problems(f"model: {{name: a, monitoring: {monitoring}}}")
    assert problem.path == path


def test_a_metric_alone_switches_performance_on():
    contract = parse("model: {name: a, monitoring: {metrics: [f1]}}")
    assert contract.monitor.signals == ("performance",)
    assert contract.monitor.performance.metric == "f1"


def test_a_target_keeps_performance_on():
    contract = parse("model: {name: a, slas: {target_f1: 0.5}, monitoring: {metrics: [latency]}}")
    assert contract.monitor.signals == ("latency", "performance")


def test_empty_short_form_says_nothing():
    assert parse("model: {name: a, slas:, monitoring: {}}") == parse("model: {name: a}")
    assert parse("model: {name: a, slas: {target_accuracy: }}") == parse("model: {name: a}")


def test_the_short_form_must_not_hide_a_broken_long_form():
    text = "model: {name: a, slas: {target_accuracy: 0.8, inference_latency_p99: 1s}}\n"
    text += "gates: 5\nrelease: 7\nmonitor: 8\n"
    assert {problem.path for problem in problems(text)} == {"gates", "release", "monitor"}


def test_every_key_is_documented():
    assert all(SLAS.values())
    assert all(MONITORING.values())
    assert {f"target_{name}" for name in METRICS} <= set(SLAS)
    assert not set(SIGNAL_NAMES) & set(METRICS)
