"""Who was slow, and is it sure?"""

import msgspec
import pytest

from setpoint.facts.verdict import combine
from setpoint.load.judging import judge
from setpoint.load.measured import Latency, Measured

GOOD = Measured(
    rate=100,
    seconds=10,
    elapsed_s=10.0,
    scheduled=1000,
    sent=1000,
    answered=1000,
    answered_per_s=100.0,
    latency=Latency(count=1000, p50=0.001, p90=0.002, p99=0.005, p999=0.01, longest=0.02),
    statuses={"200": 1000},
    errors={},
    examples={},
    versions={"1": 1000},
    late_share=0.0,
    processor_share=0.1,
    starved_share=0.05,
    concurrency=256,
    interrupted=False,
)
REFUSED = {"errors": {"refused 422": 20}, "examples": {"refused 422": "422: no"}, "answered": 980}


def rulings(*, errors=0.0, p99_s=0.01, **changes):
    found = msgspec.structs.replace(GOOD, **changes)
    return [one.verdict for one in judge(found, errors=errors, p99_s=p99_s)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["pass", "pass", "pass"]),
        ({"p99_s": 0.004}, ["pass", "pass", "fail"]),
        ({"sent": 995}, ["pass", "pass", "pass"]),
        # The gateway did not keep up.
        ({"sent": 700}, ["fail", "pass", "pass"]),
        # Or was it the generator?
        ({"sent": 700, "processor_share": 0.95}, ["inconclusive", "pass", "pass"]),
        (
            {"sent": 700, "processor_share": 0.4, "starved_share": 0.3},
            ["inconclusive", "pass", "pass"],
        ),
        ({"sent": 700, "processor_share": 0.6, "starved_share": 0.2}, ["fail", "pass", "pass"]),
        ({"late_share": 0.2}, ["inconclusive", "pass", "pass"]),
        ({"late_share": 0.2, "p99_s": 0.004}, ["inconclusive", "pass", "inconclusive"]),
        ({"late_share": 0.01, "p99_s": 0.004}, ["pass", "pass", "inconclusive"]),
        ({"starved_share": 0.95, "p99_s": 0.004}, ["pass", "pass", "inconclusive"]),
        ({"processor_share": 0.95, "p99_s": 0.004}, ["pass", "pass", "inconclusive"]),
        # It kept the rate although it had to work for it.
        ({"processor_share": 0.95}, ["pass", "pass", "pass"]),
        (REFUSED, ["pass", "fail", "pass"]),
        (REFUSED | {"errors_": 0.05}, ["pass", "pass", "pass"]),
        ({"interrupted": True, "elapsed_s": 3.0}, ["inconclusive", "pass", "pass"]),
        ({"interrupted": True} | REFUSED, ["inconclusive", "fail", "pass"]),
        ({"scheduled": 0, "sent": 0}, ["pass", "inconclusive", "pass"]),
    ],
)
def test_the_four_verdicts(changes, expected):
    changes = dict(changes)
    allowed = changes.pop("errors_", 0.0)
    kinds = changes.pop("errors", {})
    found = msgspec.structs.replace(
        GOOD, errors=kinds, **{k: v for k, v in changes.items() if k != "p99_s"}
    )
    judged = judge(found, errors=allowed, p99_s=changes.get("p99_s", 0.01))
    assert [one.verdict for one in judged] == expected


def test_a_tail_needs_answers():
    few = msgspec.structs.replace(GOOD.latency, count=99)
    assert rulings(latency=few) == ["pass", "pass", "inconclusive"]


def test_nothing_is_asked_of_latency_unless_a_person_does():
    assert rulings(p99_s=None) == ["pass", "pass"]


def test_a_failure_is_not_hidden_by_what_is_not_sure():
    found = msgspec.structs.replace(GOOD, late_share=0.2, **REFUSED)
    assert combine(judge(found, errors=0.0, p99_s=None)) == "fail"


def test_reasons_say_what_to_do():
    verdicts = judge(msgspec.structs.replace(GOOD, sent=700, **REFUSED), errors=0.0, p99_s=None)
    assert "300 requests could not be sent: all 256" in verdicts[0].reason
    assert verdicts[1].reason == "20 times refused 422: 422: no"
    slow = judge(msgspec.structs.replace(GOOD, late_share=0.2), errors=0.0, p99_s=None)
    assert "the generator itself did not keep up: 20.0% of the requests sent late" in slow[0].reason
