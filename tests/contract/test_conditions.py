import pytest
from hypothesis import given
from hypothesis import strategies as st

from setpoint.contract.conditions import GRAMMAR, SIGNALS, Condition
from setpoint.contract.scalar import ScalarError
from setpoint.contract.shares import Change, Share
from setpoint.contract.spans import Duration, Span


@pytest.mark.parametrize(
    ("raw", "condition"),
    [
        ("drift.share > 30% for 3 windows", Condition("drift.share", None, ">", Share(0.3), 3)),
        ("drift.share>0.3", Condition("drift.share", None, ">", Share(0.3))),
        ("performance.drop > 5%", Condition("performance.drop", None, ">", Change(0.05, relative=True))),
        ("performance.drop >= 0.02 abs", Condition("performance.drop", None, ">=", Change(0.02, relative=False))),
        ("performance.f1 < 0.7", Condition("performance.<metric>", "f1", "<", 0.7)),
        ("rows.new >= 10000", Condition("rows.new", None, ">=", 10000)),
        ("latency.p99 > 100ms", Condition("latency.p99", None, ">", Duration(0.1))),
        ("model.age > 30d", Condition("model.age", None, ">", Span(2592000.0, "seconds"))),
        ("model.age > 5000 rows", Condition("model.age", None, ">", Span(5000.0, "rows"))),
        ("drift.tenure > 0.2 for 1 window", Condition("drift.<column>", "tenure", ">", Share(0.2))),
        ("nulls.`Monthly Charges` > 1%", Condition("nulls.<column>", "Monthly Charges", ">", Share(0.01))),
        ("drift.`share` > 20%", Condition("drift.<column>", "share", ">", Share(0.2))),
    ],
)  # fmt: skip
def test_conditions_of_every_kind(raw, condition):
    assert Condition.read(raw) == condition
    assert Condition.read(str(condition)) == condition


@pytest.mark.parametrize(
    "raw",
    [
        "", "drift.share", "drift.share 30%", "drift.share > ", "drift.share == 30%", "drift.share > 30% for windows",
        "drift.share > 30% for 0 windows", "drift.share > 30% or rows.new > 5", "share > 30%", "foo.bar > 1",
        "performance.f2 > 1", "performance.drop > 5", "rows.new > 1.5", "rows.new > 10%", "latency.p99 > 100",
        "latency.p42 > 1s", "drift.share > 130%", "drift.share > 30% ; import os", "__import__('os').system('x') > 1",
        "drift.share > drift.tenure", "performance.f1 > nan", "drift.share > 30% for 99999 windows", 5, None, [],
    ],
)  # fmt: skip
def test_the_grammar_is_closed(raw):
    with pytest.raises(ScalarError):
        Condition.read(raw)


def test_an_unknown_signal_is_told_the_known_ones():
    with pytest.raises(ScalarError) as caught:
        Condition.read("drifts.share > 30%")
    assert all(signal in caught.value.allowed for signal in SIGNALS)


def test_a_condition_names_what_signals_measure():
    assert Condition.read("drift.share > 30%").name == "drift.share"
    assert Condition.read("drift.tenure > 30%").name == "drift.tenure"
    assert Condition.read("performance.f1 < 0.7").name == "performance.f1"
    assert Condition.read("rows.new > 5").kind == "count"


def test_the_grammar_names_every_signal():
    for signal in SIGNALS:
        family, _, name = signal.partition(".")
        assert (f'"{signal}"' in GRAMMAR) or (f'"{family}.", {name.strip("<>")}' in GRAMMAR)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        condition = Condition.read(text)
    except ScalarError:
        return
    assert Condition.read(str(condition)) == condition


@given(
    st.text("ab c.`<>=\n0", min_size=1, max_size=8).filter(lambda t: "`" not in t and "\n" not in t)
)
def test_any_column_name_can_be_watched(column):
    condition = Condition.read(f"drift.`{column}` > 10%")
    assert condition.subject == column
    assert Condition.read(str(condition)) == condition


@pytest.mark.parametrize(
    ("raw", "nearest"),
    [
        ("performance.dropp > 5%", "performance.drop"),
        ("performance.acuracy < 0.7", "performance.accuracy"),
        ("row.new >= 5", "rows.new"),
        ("weather.rain > 1", ""),
    ],
)
def test_misspelt_signal_is_told_the_nearest_one(raw, nearest):
    with pytest.raises(ScalarError) as error:
        Condition.read(raw)
    assert error.value.nearest == nearest
