import pytest

from setpoint.contract.conditions import Condition
from setpoint.policy.conditions import read_condition


def holds(text, *signals, **counters):
    named = {signal.name: signal for signal in signals}
    return read_condition(
        Condition.read(text), named, {k.replace("_", "."): v for k, v in counters.items()}
    ).holds


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("drift.share > 30%", 0.31, True),
        ("drift.share > 30%", 0.30, False),
        ("drift.share >= 30%", 0.30, True),
        ("performance.f1 < 0.7", 0.69, True),
        ("performance.f1 < 0.7", 0.7, False),
        ("performance.f1 <= 0.7", 0.7, True),
        ("latency.p99 > 100ms", 0.11, True),
        ("latency.p99 > 100ms", 0.09, False),
    ],
)
def test_value_is_compared_in_its_own_unit(signal, text, value, expected) -> None:
    name = text.split()[0]
    assert holds(text, signal(name, value)) is expected


@pytest.mark.parametrize(
    ("interval", "expected"),
    [((0.06, 0.2), True), ((0.01, 0.2), None), ((0.0, 0.04), False), ((0.05, 0.2), None)],
)
def test_signal_with_an_interval_is_judged_by_all_of_it(signal, interval, expected) -> None:
    drop = signal("performance.drop", 0.1, interval=interval, ruling="inconclusive")
    assert holds("performance.drop > 0.05 abs", drop) is expected


def test_relative_drop_is_relative_to_the_value_at_release(signal) -> None:
    drop = signal("performance.drop", 0.03, interval=(0.029, 0.031), reference=0.5)
    assert holds("performance.drop > 5%", drop) is True  # 5 % of 0.5 is 0.025
    drop = signal("performance.drop", 0.03, interval=(0.029, 0.031), reference=0.9)
    assert holds("performance.drop > 5%", drop) is False


def test_relative_drop_is_told_as_the_limit_is_written(signal) -> None:
    drop = signal("performance.drop", 21.31, interval=(9.418, 33.2), reference=20.0)
    found = read_condition(Condition.read("performance.drop > 5%"), {"performance.drop": drop}, {})
    assert found.reason == "performance.drop is 106.5%, within 47.1% to 166.0% of 20"
    absolute = Condition.read("performance.drop > 5 abs")
    told = read_condition(absolute, {"performance.drop": drop}, {}).reason
    assert told == "performance.drop is 21.31, within 9.418 to 33.2"


def test_relative_drop_without_a_value_at_release_is_not_known(signal) -> None:
    assert holds("performance.drop > 5%", signal("performance.drop", 0.5)) is None


@pytest.mark.parametrize("ruling", ["inconclusive", "error"])
def test_unmeasured_signal_neither_holds_nor_clears(signal, ruling) -> None:
    assert holds("drift.share > 30%", signal("drift.share", 0.9, ruling=ruling)) is None
    assert holds("drift.share > 30%", signal("drift.share", 0.0, ruling=ruling)) is None


def test_missing_signal_is_not_known() -> None:
    assert holds("drift.tenure > 0.2") is None


def test_signal_without_a_value_is_not_known(signal) -> None:
    assert holds("drift.share > 30%", signal("drift.share", None, ruling="pass")) is None


def test_counters_are_compared_as_counts() -> None:
    assert holds("rows.new >= 10000", rows_new=10_000) is True
    assert holds("rows.new >= 10000", rows_new=9_999) is False
    assert holds("model.age > 30d", model_age=31 * 86400.0) is True
    assert holds("model.age > 1000 rows", model_age=1000.0) is False


def test_evidence_names_window_and_version(signal) -> None:
    condition = Condition.read("drift.share > 30%")
    readings = [
        read_condition(condition, {"drift.share": s}, {})
        for s in (
            signal("drift.share", 0.5),
            signal("drift.share", 0.5, end=200.0),
            signal("drift.share", 0.5, version=2),
        )
    ]
    assert len({reading.evidence for reading in readings}) == 3
    assert [reading.version for reading in readings] == [1, 1, 2]
