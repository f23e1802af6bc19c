"""What `check` says of releases: what a strategy needs, and what guardrails can mean under it."""

import pytest

from setpoint.contract.check import check
from setpoint.contract.parse import parse

DELAY = "monitor: {performance: {label_delay: 30d}}\n"


def said(text, kind, **more):
    return {note.path: note.message for note in check(parse(text), **more) if note.kind == kind}


@pytest.mark.parametrize(
    ("release", "requests"),
    [("shadow", "14,000"), ("blue_green", "500"), ("ab", "1,000"), ("bandit", "1,000")],
)
def test_strategy_needs_its_own_number_of_requests(minimal, release, requests):
    found = said(minimal + f"release: {{strategy: {release}}}", "info")
    assert f"needs {requests} requests" in found["release.steps"]


@pytest.mark.parametrize("strategy", ["shadow", "blue_green", "ab", "bandit"])
def test_every_strategy_acts_as_written(minimal, strategy):
    assert not said(minimal + f"release: {{strategy: {strategy}}}", "warning")


def test_direct_warns_of_guardrails_that_nobody_looks_at(minimal):
    rails = "[{error_rate: 1%}, {outcome: f1, not_worse_by: 2%, after: 3d}]"
    text = minimal + f"release: {{strategy: direct, steps: [5%, 100%], guardrails: {rails}}}"
    found = said(text, "warning")
    assert set(found) == {"release.steps", "release.guardrails[0]"}
    assert "never looked at" in found["release.guardrails[0]"]
    assert not said(minimal + "release: {strategy: direct}", "warning")


def test_blue_green_has_one_step(minimal):
    text = minimal + "release: {strategy: blue_green, steps: [5%, 100%]}"
    assert "one switch" in said(text, "warning")["release.steps"]


def test_blue_green_judges_by_limits_and_on_its_own_rows(minimal):
    rails = "[{error_rate: 1%}, {latency_p99: 50ms}, {outcome: f1, not_worse_by: 2%}]"
    found = said(minimal + f"release: {{strategy: blue_green, guardrails: {rails}}}", "info")
    assert "no other version answers" in found["release.guardrails[0]"]
    assert "no other version answers" in found["release.guardrails[1]"]
    assert "champion answers once more" in found["release.guardrails[2]"]


def test_shadow_tells_what_its_times_are(minimal):
    rails = "[{error_rate: 1%}, {latency_p99: 50ms}, {outcome: f1, not_worse_by: 2%}]"
    found = said(minimal + f"release: {{strategy: shadow, guardrails: {rails}}}", "info")
    assert "release.guardrails[0]" not in found
    assert "wait for live requests" in found["release.guardrails[1]"]
    assert "which both versions answered" in found["release.guardrails[2]"]


@pytest.mark.parametrize("strategy", ["ab", "bandit"])
def test_comparison_says_by_how_many_outcomes_it_is_told(minimal, strategy):
    text = minimal + f"release: {{strategy: {strategy}}}"
    assert "11,000 outcomes" in said(text, "info")["release.strategy"]
    told = said(text, "info", champion_metrics={"accuracy": 0.98})["release.strategy"]
    assert "errs 0.018 and the champion 0.02" in told
    assert "130,000 outcomes" in told


def test_small_share_of_an_ab_test_takes_longer(minimal):
    text = minimal + "release: {strategy: ab, steps: [5%, 100%]}"
    assert "57,000 outcomes" in said(text, "info")["release.strategy"]


@pytest.mark.parametrize("strategy", ["ab", "bandit"])
def test_comparison_whose_outcomes_come_after_it_is_warned_of(minimal, strategy):
    found = said(minimal + DELAY + f"release: {{strategy: {strategy}}}", "warning")
    assert "on_inconclusive (hold) will decide" in found["release.strategy"]


def test_comparison_without_a_metric_is_warned_of(minimal):
    text = minimal.replace(", task: binary", "") + "release: {strategy: ab}"
    assert "no metric" in said(text, "warning")["release.strategy"]


@pytest.mark.parametrize("strategy", ["ab", "bandit"])
def test_margin_of_an_outcome_guardrail_is_not_waited_for(minimal, strategy):
    rails = "[{outcome: f1, not_worse_by: 2%}]"
    text = minimal + f"release: {{strategy: {strategy}, guardrails: {rails}}}"
    assert "any surely worse outcome" in said(text, "info")["release.guardrails[0]"]


def test_rows_that_are_not_logged_cannot_be_answered_again(minimal):
    columns = minimal.replace("time: at", "time: at, columns: {a: {type: int, log: drop}}")
    rails = "guardrails: [{outcome: f1, not_worse_by: 2%}]"
    found = said(columns + f"release: {{strategy: blue_green, {rails}}}", "warning")
    assert "does not have a as they were" in found["release.guardrails[0]"]
    for strategy in ("shadow", "ab", "canary"):
        text = columns + f"release: {{strategy: {strategy}, {rails}}}"
        assert "release.guardrails[0]" not in said(text, "warning")
