"""Quiet worlds stay quiet, real shifts are found, and what was not measured is never fine."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.signal import lfilter

from setpoint.monitor.signals import signals

COLUMNS = 30
REFERENCE = 10_000
NAMES = [f"c{i}" for i in range(COLUMNS)]


def autoregressive(rng, rows, coefficient):
    noise = rng.normal(size=(rows + 300, COLUMNS))
    return lfilter([1], [1, -coefficient], noise, axis=0)[300:] * np.sqrt(1 - coefficient**2)


def seasonal(rng, rows):
    hour = np.arange(rows)[:, None]
    phase = rng.uniform(0, 2 * np.pi, (2, COLUMNS))
    day, week = np.sin(2 * np.pi * hour / 24 + phase[0]), np.sin(2 * np.pi * hour / 168 + phase[1])
    return day + 0.5 * week + autoregressive(rng, rows, 0.8)


WORLDS = {
    "independent": lambda rng, rows: rng.normal(size=(rows, COLUMNS)),
    "autocorrelated": lambda rng, rows: autoregressive(rng, rows, 0.95),
    "seasonal": seasonal,
}


def table_of(rows):
    return dict(zip(NAMES, rows.T, strict=True))


@pytest.mark.parametrize("length", [336, 1000])
@pytest.mark.parametrize("world", WORLDS)
def test_at_most_one_quiet_window_in_twenty_has_any_alarm(
    world, length, make_contract, make_profile, make_answered
):
    contract = make_contract(drift={"min_rows": 300}, signals=["drift", "nulls"])
    alarmed, shares = [], []
    for seed in range(3):
        rows = WORLDS[world](np.random.default_rng(seed), REFERENCE + 14 * length)
        profile = make_profile(table_of(rows[:REFERENCE]), length=length)
        for start in range(REFERENCE, len(rows), length):
            found = signals(
                contract, profile, make_answered(table_of(rows[start : start + length]))
            )
            failed = [s.name for s in found if s.verdict.verdict == "fail"]
            alarmed.append(bool(failed))
            shares.append("drift.share" in failed)
    assert len(alarmed) == 42
    assert np.mean(alarmed) <= 0.05
    assert not any(shares)


def test_a_real_shift_is_found_at_a_thousand_rows(make_contract, make_profile, make_answered):
    rng = np.random.default_rng(1)
    profile = make_profile(table_of(rng.normal(size=(REFERENCE, COLUMNS))))
    moved = rng.normal(size=(1000, COLUMNS)) + 0.5 * (np.arange(COLUMNS) < 15)
    found = signals(make_contract(), profile, make_answered(table_of(moved)))
    by_name = {signal.name: signal for signal in found}
    rulings = [by_name[f"drift.{name}"].verdict.verdict for name in NAMES]
    assert rulings == ["fail"] * 15 + ["pass"] * 15
    share = by_name["drift.share"]
    assert (share.value, share.verdict.verdict, share.verdict.interval) == (0.5, "fail", (0.5, 0.5))
    assert len(share.parts) == COLUMNS
    assert share.numbers["c0"]["wasserstein"] == pytest.approx(0.55, abs=0.1)
    assert 0.15 < share.numbers["c0"]["psi"] < 0.35
    assert share.numbers["c0"]["ks_p"] < 1e-9


def test_a_shift_of_a_fiftieth_of_a_deviation_is_silent_at_a_hundred_thousand_rows(
    make_contract, make_profile, make_answered, named
):
    rng = np.random.default_rng(2)
    profile = make_profile({"x": rng.normal(size=100_000)}, ordered=False)
    found = named(
        signals(make_contract(), profile, make_answered({"x": rng.normal(0.02, 1, 10**5)}))
    )
    assert found["drift.x"].verdict.verdict == "pass"
    assert found["drift.x"].numbers["x"]["ks_p"] < 0.01  # though a bare test would alarm
    assert found["drift.share"].verdict.verdict == "pass"


def test_too_few_rows_are_inconclusive_and_have_no_interval(
    make_contract, make_profile, make_answered, named
):
    rng = np.random.default_rng(3)
    profile = make_profile({"x": rng.normal(size=2000)}, ordered=False)
    found = named(signals(make_contract(), profile, make_answered({"x": np.full(499, 9.0)})))
    for name in ("drift.x", "drift.share", "ranges.x", "nulls.x"):
        assert found[name].verdict.verdict == "inconclusive", name
        assert found[name].verdict.interval is None, name
    assert found["drift.x"].verdict.reason == "min_rows 500, got 499"
    enough = named(signals(make_contract(), profile, make_answered({"x": np.full(500, 9.0)})))
    assert enough["drift.x"].verdict.verdict == "fail"


def test_a_flag_that_is_set_fifteen_times_as_often_is_found(
    make_contract, make_profile, make_answered, named
):
    rng = np.random.default_rng(4)
    profile = make_profile({"flag": (rng.random(10_000) < 0.02).astype(float)}, ordered=False)
    window = {"flag": (rng.random(1000) < 0.30).astype(float)}
    verdict = named(signals(make_contract(), profile, make_answered(window)))["drift.flag"].verdict
    assert verdict.verdict == "fail"
    assert "[0, 1) went from 97.9% to 69.2%" in verdict.reason


def test_a_column_that_is_gone_is_an_error_and_hides_no_drift(
    make_contract, make_profile, make_answered, named
):
    rng = np.random.default_rng(5)
    columns = {name: rng.normal(size=5000) for name in ("a", "b", "c")}
    profile = make_profile(columns, ordered=False)
    window = {"a": rng.normal(3, 1, 1000), "b": rng.normal(3, 1, 1000)}
    found = named(signals(make_contract(), profile, make_answered(window)))
    assert found["drift.c"].verdict.verdict == "error"
    assert "0 columns of this name" in found["drift.c"].verdict.reason
    assert found["nulls.c"].verdict.verdict == found["ranges.c"].verdict.verdict == "error"
    assert found["drift.share"].verdict.verdict == "fail"
    assert found["drift.share"].verdict.interval == (pytest.approx(2 / 3), 1.0)


def test_a_column_that_is_not_logged_is_told_and_is_no_part_of_the_share(
    make_contract, make_profile, make_answered, named
):
    rng = np.random.default_rng(5)
    columns = {name: rng.normal(size=5000) for name in ("a", "b", "c", "d")}
    profile = make_profile(columns, ordered=False)
    window = {"a": rng.normal(3, 1, 1000), "b": rng.normal(size=1000)}
    answered = make_answered(window, withheld={"c": "drop", "d": "round 10"})
    found = named(signals(make_contract(), profile, answered))
    for kind in ("drift", "ranges", "nulls"):
        verdict = found[f"{kind}.c"].verdict
        assert (verdict.verdict, found[f"{kind}.c"].value) == ("inconclusive", None)
        assert verdict.reason == "not logged: the contract says log: drop"
    assert (
        found["drift.d"].verdict.reason == "not logged as it was: the contract says log: round 10"
    )
    share = found["drift.share"].verdict
    assert (share.verdict, share.interval) == ("fail", (0.5, 0.5))
    assert "2 more are not logged" in share.reason
    assert share.evidence["not_logged"] == 2


def test_nothing_is_known_of_the_share_where_no_column_is_logged(
    make_contract, make_profile, make_answered, named
):
    profile = make_profile({"a": np.arange(5000.0)}, ordered=False)
    answered = make_answered({}, label=np.zeros(1000, dtype=int), withheld={"a": "hash"})
    share = named(signals(make_contract(), profile, answered))["drift.share"].verdict
    assert (share.verdict, share.reason) == ("inconclusive", "no column is logged as it was")


def test_what_is_not_known_of_columns_is_not_known_of_their_share(
    make_contract, make_profile, make_answered, named
):
    rng = np.random.default_rng(6)
    columns = {name: rng.normal(size=5000) for name in ("a", "b")}
    profile = make_profile(columns, ordered=False)
    found = named(signals(make_contract(), profile, make_answered({"a": rng.normal(size=1000)})))
    share = found["drift.share"]
    assert share.verdict.interval == (0.0, 0.5)
    assert share.verdict.verdict == "inconclusive"


def test_a_short_reference_says_that_its_floor_is_chance_alone(
    make_contract, make_profile, make_answered, named
):
    rng = np.random.default_rng(7)
    profile = make_profile({"x": rng.normal(size=3000)})
    found = named(signals(make_contract(), profile, make_answered({"x": rng.normal(size=1000)})))
    assert "fewer than 8 windows" in found["drift.x"].verdict.evidence["floor_from"]
    long = make_profile({"x": rng.normal(size=10_000)})
    found = named(signals(make_contract(), long, make_answered({"x": rng.normal(size=1000)})))
    assert found["drift.x"].verdict.evidence["floor_from"] == "own windows"


def test_categories_drift_and_the_largest_move_is_named(
    make_contract, make_profile, make_answered, named
):
    rng = np.random.default_rng(8)
    plans = np.array(["monthly", "yearly", "trial"])
    profile = make_profile({"plan": rng.choice(plans, 5000, p=[0.6, 0.3, 0.1])}, ordered=False)
    window = {"plan": rng.choice(plans, 1000, p=[0.2, 0.7, 0.1])}
    found = named(signals(make_contract(), profile, make_answered(window)))
    assert found["drift.plan"].verdict.verdict == "fail"
    assert "monthly went from 60" in found["drift.plan"].verdict.reason.replace("59", "60")
    assert found["drift.plan"].value == pytest.approx(0.4, abs=0.05)
    assert found["ranges.plan"].verdict.verdict == "pass"


@pytest.mark.parametrize("kind", [pa.int64(), pa.float32(), pa.decimal128(20, 0)])
def test_any_kind_of_number_is_a_number(kind, make_contract, make_profile, make_answered, named):
    values = np.random.default_rng(9).integers(0, 100, 6000)
    profile = make_profile({"x": values.astype(float)}, ordered=False)
    window = {"x": pa.array(values[:1000].tolist(), kind)}
    found = named(signals(make_contract(), profile, make_answered(window)))
    assert found["drift.x"].verdict.verdict == "pass"
