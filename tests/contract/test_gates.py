import pytest
from pydantic import TypeAdapter, ValidationError

from setpoint.contract.gates import GATE_TYPES, Gate, LatencyGate, MetricGate
from setpoint.contract.shares import Change

GATE = TypeAdapter(Gate)

KINDS = {
    "metric": ({"metric": "roc_auc", "min": 0.8}, "roc_auc min 0.8"),
    "beats_champion": (
        {"metric": "f1", "average": "binary", "beats_champion": "2%"},
        "f1 (binary) beats_champion 2%",
    ),
    "not_worse_by": ({"metric": "mae", "not_worse_by": "0.5 abs"}, "mae not_worse_by 0.5 abs"),
    "beats": ({"metric": "accuracy", "beats": "no_change"}, "accuracy beats no_change"),
    "slices": (
        {"slices": ["plan", "sex"], "metric": "f1", "min": 0.6},
        "f1 min 0.6 in each plan, sex",
    ),
    "fairness": (
        {"fairness": "disparate_impact", "attribute": "sex", "between": [0.8, 1.25]},
        "disparate_impact of sex between 0.8 and 1.25",
    ),
    "latency": ({"latency": "p99", "max": "10ms"}, "latency p99 max 10ms"),
    "size": ({"size": "500MB"}, "size max 500MB"),
    "invariant_to": ({"invariant_to": "sex"}, "invariant_to sex"),
    "directional": (
        {"directional": "calls", "add": 2, "prediction": "not_lower"},
        "calls +2: prediction not_lower",
    ),
}


def test_every_kind_of_gate_is_tried():
    assert set(KINDS) == set(GATE_TYPES)


@pytest.mark.parametrize("kind", KINDS)
def test_a_gate_is_known_by_the_keys_that_are_present(kind):
    raw, subject = KINDS[kind]
    gate = GATE.validate_python(raw)
    assert type(gate) is GATE_TYPES[kind]
    assert gate.kind == kind
    assert gate.subject == subject
    assert GATE.validate_python(gate) == gate


@pytest.mark.parametrize(
    "raw",
    [
        {}, {"min": 0.8}, {"metric": "f1"}, {"metric": "f1", "min": "0.8"}, {"metric": "f1", "min": True},
        {"metric": "f1", "min": 0.9, "max": 0.1}, {"metric": "f1", "between": [0.9, 0.1]},
        {"metric": "f1", "between": [0.1]}, {"metric": "f1", "min": 0.1, "between": [0.1, 0.9]},
        {"metric": "f1", "beats_champion": "2%", "min": 0.5}, {"metric": "f1", "beats_champion": "2%", "confidence": 1},
        {"metric": "f1", "beats_champion": "2%", "confidence": "20%"},
        {"metric": "f1", "min": 0.5, "confidence": "40%"},
        {"slices": [], "metric": "f1", "min": 0.5}, {"slices": "plan", "metric": "f1", "min": 0.5},
        {"latency": "p42", "max": "1s"}, {"latency": "p99"}, {"size": 500}, {"invariant_to": ""},
        {"directional": "x", "add": 0, "prediction": "not_lower"}, {"directional": "x", "add": 1},
        {"metric": "f1", "min": float("nan")}, {"metric": "f1", "min": float("inf")},
        {"metric": "f1", "threshold": 1, "min": 0},
        "f1", None, 5, [],
    ],
)  # fmt: skip
def test_what_is_no_gate_is_refused(raw):
    with pytest.raises(ValidationError):
        GATE.validate_python(raw)


def test_limits_judge_the_value_and_comparisons_the_interval_by_default():
    assert GATE.validate_python({"metric": "f1", "min": 0.5}).confidence is None
    assert GATE.validate_python({"metric": "f1", "not_worse_by": "1%"}).confidence == 0.95
    assert GATE.validate_python({"metric": "f1", "beats": "majority"}).by == Change(
        0.0, relative=False
    )


def test_bounds_of_limits():
    assert MetricGate(metric="f1", min=0.5).bounds == (0.5, None)
    assert MetricGate(metric="mae", max=2).bounds == (None, 2.0)
    assert MetricGate(metric="f1", between=(0.5, 0.9)).bounds == (0.5, 0.9)
    assert MetricGate(metric="f1", min=0.5, max=0.9).bounds == (0.5, 0.9)
    assert MetricGate(metric="mae", max=0).limits == "max 0"


def test_quantile_of_a_latency_gate():
    gate = GATE.validate_python({"latency": "p95", "max": "10ms"})
    assert isinstance(gate, LatencyGate)
    assert gate.quantile == 0.95
    assert gate.max == 0.01
