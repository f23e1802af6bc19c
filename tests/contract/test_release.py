import pytest
from pydantic import ValidationError

from setpoint.contract.release import (
    ErrorRateGuardrail,
    LatencyGuardrail,
    OutcomeGuardrail,
    Release,
    SkewGuardrail,
)
from setpoint.contract.spans import Span


def read(**raw):
    return Release.model_validate(raw)


def test_steps_as_shares_and_as_mappings():
    release = read(steps=["5%", 0.2, {"traffic": "50%", "for": "24h"}, "100%"])
    assert [step.traffic for step in release.steps] == [0.05, 0.2, 0.5, 1.0]
    assert [step.hold for step in release.steps] == [None, None, Span(86400.0, "seconds"), None]


@pytest.mark.parametrize(
    "steps",
    [[], ["5%"], ["5%", "5%", "100%"], ["50%", "20%", "100%"], ["0%", "100%"], ["5%", "150%"], "5%", [True],
     [{"traffic": "100%", "hold": "24h"}], [{"for": "24h"}]],
)  # fmt: skip
def test_steps_that_do_not_rise_to_all_traffic_are_refused(steps):
    with pytest.raises(ValidationError):
        read(steps=steps)


def test_guardrails_of_each_kind():
    release = read(
        guardrails=[
            {"error_rate": "1%"},
            {"latency_p99": "100ms"},
            {"latency_p50": "10ms"},
            {"serving_skew": 0.1},
            {"outcome": "f1", "not_worse_by": "2%", "after": "14d"},
        ]
    )
    kinds = [type(guardrail) for guardrail in release.guardrails]
    assert kinds == [
        ErrorRateGuardrail,
        LatencyGuardrail,
        LatencyGuardrail,
        SkewGuardrail,
        OutcomeGuardrail,
    ]
    latency = release.guardrails[1]
    assert isinstance(latency, LatencyGuardrail)
    assert (latency.quantile, latency.limit) == ("p99", 0.1)
    assert [guardrail.subject for guardrail in release.guardrails] == [
        "error_rate max 1%",
        "latency_p99 max 100ms",
        "latency_p50 max 10ms",
        "serving_skew max 10%",
        "f1 of outcomes not_worse_by 2%",
    ]


@pytest.mark.parametrize(
    "guardrail",
    [{}, {"errors": "1%"}, {"latency_p99": 100}, {"latency_p99": "1s", "latency_p50": "1s"}, {"outcome": "f1"},
     {"outcome": "f1", "not_worse_by": 0.02}, {"error_rate": "1%", "serving_skew": 0.1}, None, "error_rate"],
)  # fmt: skip
def test_what_is_no_guardrail_is_refused(guardrail):
    with pytest.raises(ValidationError):
        read(guardrails=[guardrail])


def test_a_release_holds_when_it_does_not_know():
    assert read().on_inconclusive == "hold"


@pytest.mark.parametrize(
    ("strategy", "shares"),
    [
        ("canary", [0.05, 0.2, 0.5, 1.0]),
        ("shadow", [0.05, 0.2, 0.5, 1.0]),
        ("blue_green", [1.0]),
        ("ab", [0.5, 1.0]),
        ("bandit", [0.1, 1.0]),
    ],
)
def test_strategy_has_steps_of_its_own(strategy, shares):
    assert [float(step.traffic) for step in read(strategy=strategy).steps] == shares


@pytest.mark.parametrize(
    ("strategy", "steps", "why"),
    [("ab", ["100%"], "needs a split"), ("bandit", ["60%", "100%"], "need a share")],
)
def test_comparison_without_two_arms_is_refused(strategy, steps, why):
    with pytest.raises(ValidationError, match=why):
        read(strategy=strategy, steps=steps)
