"""Broken feeds: nulls, values out of range, new values, changes of unit; found, and named."""

import numpy as np
import pyarrow as pa
import pytest

from setpoint.monitor.signals import signals


@pytest.fixture
def bill():
    rng = np.random.default_rng(1)
    return lambda rows: {
        "charge": rng.uniform(18, 119, rows),
        "tenure": rng.integers(0, 73, rows).astype(float),
        "plan": rng.choice(["monthly", "yearly", "two years"], rows),
    }


def test_a_third_of_a_charge_in_another_unit_is_found_and_named(
    bill, make_contract, make_profile, make_answered, named
):
    profile = make_profile(bill(5000), ordered=False)
    window = bill(1000)
    window["charge"][:300] *= 1000
    found = named(signals(make_contract(), profile, make_answered(window)))
    verdict = found["ranges.charge"].verdict
    assert verdict.verdict == "fail"
    assert verdict.observed == 0.3
    assert "out of range" in verdict.reason
    assert "1,000 times as large" in verdict.reason
    assert found["drift.charge"].verdict.verdict == "fail"
    assert found["drift.charge"].numbers["charge"]["wasserstein"] > 100
    assert {n for n, s in found.items() if s.verdict.verdict == "fail"} <= {
        "ranges.charge",
        "drift.charge",
        "drift.share",
    }


def test_twenty_far_values_in_a_thousand_are_found(
    bill, make_contract, make_profile, make_answered, named
):
    profile = make_profile(bill(5000), ordered=False)
    window = bill(1000)
    window["charge"][:20] *= 1000
    found = named(signals(make_contract(), profile, make_answered(window)))
    assert found["ranges.charge"].verdict.verdict == "fail"
    assert found["drift.charge"].verdict.verdict == "pass"


def test_a_unit_that_shrank_is_below_the_range(
    bill, make_contract, make_profile, make_answered, named
):
    profile = make_profile(bill(5000), ordered=False)
    window = bill(1000)
    window["charge"] /= 100
    reason = named(signals(make_contract(), profile, make_answered(window)))[
        "ranges.charge"
    ].verdict.reason
    assert "below 18" in reason
    assert "100 times as small" in reason


def test_infinite_values_are_out_of_range(bill, make_contract, make_profile, make_answered, named):
    profile = make_profile(bill(5000), ordered=False)
    window = bill(1000)
    window["charge"][:60] = np.inf
    window["charge"][60:100] = -np.inf
    found = named(signals(make_contract(), profile, make_answered(window)))
    assert found["ranges.charge"].verdict.verdict == "fail"
    assert found["ranges.charge"].value == 0.1


def test_new_values_are_named(bill, make_contract, make_profile, make_answered, named):
    profile = make_profile(bill(5000), ordered=False)
    window = bill(1000)
    window["plan"] = np.where(np.arange(1000) < 200, "weekly", window["plan"])
    verdict = named(signals(make_contract(), profile, make_answered(window)))["ranges.plan"].verdict
    assert verdict.verdict == "fail"
    assert "new values: 'weekly'" in verdict.reason


def test_a_column_that_always_brings_new_values_has_none(
    make_contract, make_profile, make_answered, named
):
    profile = make_profile(
        {"id": [f"a{i}" for i in range(4000)], "x": np.zeros(4000)}, ordered=False
    )
    window = {"id": [f"b{i}" for i in range(1000)], "x": np.zeros(1000)}
    found = named(signals(make_contract(), profile, make_answered(window)))
    if "ranges.id" in found:
        assert found["ranges.id"].verdict.verdict == "pass"
    assert found["ranges.x"].verdict.verdict == "pass"


def test_a_job_that_nulls_a_column_is_found_and_names_it(
    bill, make_contract, make_profile, make_answered, named
):
    profile = make_profile(bill(5000), ordered=False)
    window = bill(1000)
    window["tenure"][:40] = np.nan
    window["plan"] = pa.array([None] * 40 + window["plan"][40:].tolist())
    found = named(signals(make_contract(), profile, make_answered(window)))
    failed = {name for name, signal in found.items() if signal.verdict.verdict == "fail"}
    assert failed == {"nulls.tenure", "nulls.plan"}
    assert found["nulls.tenure"].value == 0.04
    assert "40 of 1000 rows have no tenure" in found["nulls.tenure"].verdict.reason


def test_the_contract_says_how_many_may_be_missing(
    bill, make_contract, make_profile, make_answered, named
):
    profile = make_profile(bill(5000), ordered=False)
    window = bill(1000)
    window["tenure"][:40] = np.nan
    lenient = make_contract(columns={"tenure": {"nulls": "10%"}})
    strict = make_contract(columns={"charge": {"nulls": 0}})
    assert (
        named(signals(lenient, profile, make_answered(window)))["nulls.tenure"].verdict.verdict
        == "pass"
    )
    window["charge"][0] = np.nan
    assert (
        named(signals(strict, profile, make_answered(window)))["nulls.charge"].verdict.verdict
        == "fail"
    )


def test_a_reference_full_of_holes_does_not_alarm_at_holes(
    make_contract, make_profile, make_answered, named
):
    rng = np.random.default_rng(3)
    holes = lambda rows: np.where(rng.random(rows) < 0.3, np.nan, rng.normal(size=rows))  # noqa: E731
    profile = make_profile({"x": holes(5000)}, ordered=False)
    found = named(signals(make_contract(), profile, make_answered({"x": holes(1000)})))
    assert found["nulls.x"].verdict.verdict == "pass"
    assert found["drift.x"].verdict.verdict == "pass"


def test_nulls_alone_can_be_watched(bill, make_contract, make_profile, make_answered):
    profile = make_profile(bill(2000), ordered=False)
    found = signals(make_contract(signals=["nulls"]), profile, make_answered(bill(600)))
    assert {signal.name for signal in found} == {"nulls.charge", "nulls.tenure", "nulls.plan"}
