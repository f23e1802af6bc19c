"""What a replay says beside its numbers: what it could not judge, and when it took labels as known."""

import pytest

from setpoint.worlds.notes import notes_of

LATENCY = {"gates": [{"latency": "p99", "max": "10ms"}, {"metric": "accuracy", "min": 0.5}]}
GUARDED = {"release": {"strategy": "canary", "guardrails": [{"latency_p99": "100ms"}]}}


@pytest.mark.parametrize(
    ("sections", "subjects"),
    [
        (LATENCY, ["latency p99 max 10ms"]),
        (GUARDED, ["latency_p99 max 100ms"]),
        (LATENCY | GUARDED, ["latency p99 max 10ms", "latency_p99 max 100ms"]),
    ],
)
def test_what_needs_a_wall_clock_is_named_as_not_judged(small_contract, sections, subjects):
    first, _ = notes_of(small_contract(delay=10, **sections))
    assert first.startswith(f"Not judged here: {', '.join(subjects)}. ")


def test_guardrail_that_a_direct_release_never_looks_at_is_not_missed(small_contract):
    rails = {"release": {"strategy": "direct", "guardrails": [{"latency_p99": "100ms"}]}}
    assert len(notes_of(small_contract(**rails))) == 1


def test_delay_of_labels_is_said_with_its_length(small_contract):
    (note,) = notes_of(small_contract(delay=48))
    assert "48 rows after its row" in note
    assert "no_change" in note


def test_labels_without_a_delay_are_said_to_be_an_assumption(small_contract):
    (note,) = notes_of(small_contract())
    assert "--label-delay" in note


@pytest.mark.parametrize(("strategy", "word"), [("blue_green", "switch"), ("shadow", "copy")])
def test_what_a_strategy_lacks_without_gateways_is_said(small_contract, strategy, word):
    first, _ = notes_of(small_contract(release={"strategy": strategy}))
    assert word in first
    assert len(notes_of(small_contract(release={"strategy": "bandit"}))) == 1
