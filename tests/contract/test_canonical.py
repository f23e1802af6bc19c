"""Contracts that promise the same have the same canonical form, however they were written."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setpoint.contract.parse import from_plain, parse, restore

BASE = """\
model: {name: churn, task: binary, risk: high}
data:
  source: a.csv
  target: y
  time: at
  protected: [gender, age]
  columns: {a: {min: 0, nulls: 5%}, b: {}}
gates: [{metric: f1, beats_champion: 2%}]
monitor: {window: 24h, signals: [drift, latency]}
retrain: {budget: {runs: 1, per: day}, accept: {not_worse_by: 2%}}
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("nulls: 5%", "nulls: 0.05"),
        ("nulls: 5%", "nulls: ' 5 % '"),
        ("window: 24h", "window: 1d"),
        ("per: day", "per: 24h"),
        ("min: 0", "min: 0.0"),
        ("beats_champion: 2%", "beats_champion: 2.0%, confidence: 95%"),
        ("[gender, age]", "[age, gender]"),
        ("[drift, latency]", "[latency, drift, latency]"),
        ("{a: {min: 0, nulls: 5%}, b: {}}", "{b: {}, a: {nulls: 5%, min: 0}}"),
        ("{not_worse_by: 2%}", '"not_worse_by: 2%"'),
        ("monitor: {", "serve: {replicas: 1}\nmonitor: {drift: {effect: 10%}, "),
        ("risk: high", '"risk": "high"'),
        ("time: at", "time: at # a word"),
    ],
)
def test_the_same_promise_has_the_same_digest(old, new):
    assert old in BASE
    one, other = parse(BASE), parse(BASE.replace(old, new))
    assert one.plain == other.plain
    assert one.digest == other.digest
    assert one == other


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("nulls: 5%", "nulls: 6%"),
        ("beats_champion: 2%", "beats_champion: 0.02 abs"),
        ("beats_champion: 2%", "not_worse_by: 2%"),
        ("window: 24h", "window: 23h"),
        ("a: {min: 0", "a: {max: 0"),
        ("risk: high", "risk: low"),
        ("columns: {a:", "columns: {A:"),
    ],
)
def test_another_promise_has_another_digest(old, new):
    assert old in BASE
    assert parse(BASE).digest != parse(BASE.replace(old, new)).digest


def test_the_form_writes_out_what_is_promised_by_default(minimal):
    plain = parse(minimal).plain
    assert plain["monitor"]["drift"]["effect"] == "10%"
    assert plain["release"]["steps"] == [
        {"traffic": share} for share in ("5%", "20%", "50%", "100%")
    ]
    assert "owner" not in plain["model"]
    assert "alerts" not in plain


def test_the_form_is_plain_json(whole):
    contract = parse(whole)
    assert json.loads(contract.text) == contract.plain


names = st.text("abc_ é.`0", min_size=1, max_size=6)
shares = st.floats(0, 1)
changes = st.one_of(
    st.floats(0, 10).map(lambda x: f"{x!r} abs"), st.floats(0, 100).map(lambda x: f"{x!r}%")
)
spans = st.builds("{}{}".format, st.integers(1, 10**6), st.sampled_from(["s", "m", "h", "d", "ms"]))
labels = st.one_of(
    st.integers(-(2**40), 2**40), st.booleans(), st.text(max_size=5), st.floats(-9, 9)
)
params = st.recursive(st.none() | labels, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
columns = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["int", "float"]),
        "min": st.integers(-100, 0) | st.floats(-100, 0),
        "max": st.floats(0, 100),
        "nulls": shares,
        "unique": st.booleans(),
        "values": st.lists(labels, min_size=1, max_size=3),
        "unit": st.none() | st.just("EUR"),
    },
)
gates = st.one_of(
    st.fixed_dictionaries({"metric": st.just("f1"), "min": shares}, optional={"confidence": st.just("90%")}),
    st.fixed_dictionaries({"metric": st.just("f1"), "beats_champion": changes}),
    st.fixed_dictionaries({"metric": st.just("log_loss"), "max": st.floats(0, 1e6)}),
    st.fixed_dictionaries({"latency": st.sampled_from(["p50", "p99"]), "max": st.integers(1, 9999).map("{}ms".format)}),
    st.fixed_dictionaries({"size": st.integers(1, 10**9).map("{}B".format)}),
    st.fixed_dictionaries({"directional": st.just("a"), "add": st.floats(0.1, 9), "prediction": st.just("lower")}),
)  # fmt: skip
contracts = st.fixed_dictionaries(
    {
        "model": st.just({"name": "churn", "task": "binary"}),
        "data": st.fixed_dictionaries(
            {"source": st.just("a.csv"), "target": st.just("target"), "time": st.just("time")},
            optional={
                "columns": st.dictionaries(names, columns, max_size=3),
                "protected": st.lists(names, max_size=3),
            },
        ),
    },
    optional={
        "gates": st.lists(gates, max_size=4),
        "train": st.fixed_dictionaries(
            {}, optional={"params": st.dictionaries(names, params, max_size=3)}
        ),
        "monitor": st.fixed_dictionaries(
            {},
            optional={
                "window": spans,
                "drift": st.fixed_dictionaries({}, optional={"effect": shares, "share": shares}),
                "performance": st.fixed_dictionaries(
                    {}, optional={"drop": changes, "label_delay": spans}
                ),
            },
        ),
        "retrain": st.fixed_dictionaries(
            {},
            optional={
                "cooldown": spans,
                "data": st.just("all") | spans.map("last {}".format),
                "accept": st.just("beats_champion") | changes.map(lambda x: {"not_worse_by": x}),
                "when": st.lists(
                    st.sampled_from(["drift.share > 0.3", "rows.new >= 10", "model.age > 3d"])
                    | spans.map(lambda x: {"forecast": "drift.share > 30%", "within": x}),
                    max_size=3,
                ),
            },
        ),
    },
)


@settings(max_examples=150, deadline=None)
@given(contracts)
def test_the_canonical_form_of_any_contract_reads_back_to_an_equal_one(raw):
    contract = from_plain(raw)
    again = from_plain(contract.plain)
    assert again.plain == contract.plain
    assert again == contract
    assert restore(contract.text).text == contract.text
