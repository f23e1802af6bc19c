import pytest

from setpoint.contract.release import Release as ReleaseSection
from setpoint.errors import UsageError
from setpoint.release.rules import (
    ErrorRateRule,
    LatencyRule,
    MeasuredRule,
    OutcomeRule,
    StepRule,
    release_rules,
)


def test_section_becomes_plain_numbers(rules) -> None:
    found = rules(
        steps=["5%", {"traffic": "50%", "for": "24h"}, "100%"],
        min_requests=300,
        max_duration="7d",
        guardrails=[
            {"error_rate": "1%"},
            {"latency_p99": "100ms"},
            {"serving_skew": 0.1},
            {"outcome": "f1", "not_worse_by": "2%", "after": "14d"},
        ],
        on_inconclusive="rollback",
    )
    assert found.steps == (StepRule(0.05), StepRule(0.5, 86400.0), StepRule(1.0))
    assert (found.min_requests, found.max_duration) == (300, 7 * 86400.0)
    errors, latency, skew, outcome = found.guardrails
    assert errors == ErrorRateRule("error_rate max 1%", 0.01)
    assert isinstance(latency, LatencyRule)
    assert (latency.quantile, latency.limit_s) == (0.99, 0.1)
    assert isinstance(skew, MeasuredRule)
    assert outcome == OutcomeRule(outcome.subject, 0.98, 0.02, 14 * 86400.0)


def test_without_a_wall_clock_nothing_waits_for_the_time_to_answer() -> None:
    rails = [{"latency_p99": "100ms"}, {"error_rate": "1%"}]
    section = ReleaseSection.model_validate({"guardrails": rails})
    found = release_rules(section, axis="time", wall_clock=False)
    assert found.guardrails == (ErrorRateRule("error_rate max 1%", 0.01),)


@pytest.mark.parametrize(
    ("metric", "margin", "champion_loss", "allowed_loss"),
    [
        ("accuracy", "10%", 0.2, 0.28),  # accuracy .80 may fall to .72
        ("accuracy", "0.01 abs", 0.2, 0.21),
        ("mae", "10%", 0.2, 0.22),
        ("mae", "5 abs", 0.2, 0.25),  # on a scale of 100
    ],
)
def test_margin_is_a_line_over_the_champions_loss(
    metric, margin, champion_loss, allowed_loss
) -> None:
    section = ReleaseSection.model_validate(
        {"guardrails": [{"outcome": metric, "not_worse_by": margin}]}
    )
    scale = 100.0 if metric == "mae" else 1.0
    (rule,) = release_rules(section, axis="time", loss_scale=scale).guardrails
    assert isinstance(rule, OutcomeRule)
    assert rule.slope * champion_loss + rule.offset == pytest.approx(allowed_loss)


def test_time_on_an_axis_of_rows_is_refused_with_the_row_form(rules) -> None:
    with pytest.raises(UsageError, match="1000 rows"):
        rules(axis="rows", max_duration="7d")
    assert rules(axis="rows", max_duration="5000 rows").max_duration == 5000
