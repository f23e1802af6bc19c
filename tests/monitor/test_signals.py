"""Whatever a window holds, a look at it ends in verdicts with reasons."""

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from setpoint.contract.conditions import SIGNALS
from setpoint.facts.evidence import Scores
from setpoint.facts.signal import Signal
from setpoint.monitor.answered import AtRelease, Outcomes
from setpoint.monitor.signals import signals


def scores(chance):
    return Scores((chance > 0.5).astype(np.int64), np.c_[1 - chance, chance], np.empty(0))


@pytest.fixture(scope="module")
def profile(make_profile):
    rng = np.random.default_rng(0)
    table = {"x": rng.normal(size=4000), "k": rng.choice(list("abc"), 4000)}
    return make_profile(table, ordered=False, scores=scores(rng.random(4000)))


def full(rng, rows):
    return {"x": rng.normal(size=rows), "k": rng.choice(list("abc"), rows)}


STRANGE = {
    "empty": {"x": np.empty(0), "k": pa.array([], pa.string())},
    "one row": {"x": [1.0], "k": ["a"]},
    "all missing": {"x": pa.nulls(800, pa.float64()), "k": pa.nulls(800, pa.string())},
    "nulls without a type": {"x": pa.nulls(800), "k": pa.nulls(800)},
    "not a number": {"x": np.full(800, np.nan), "k": ["a"] * 800},
    "infinite": {"x": np.full(800, np.inf), "k": ["a"] * 800},
    "huge": {"x": np.full(800, 1e308), "k": ["z" * 1000] * 800},
    "texts for numbers": {"x": ["a"] * 800, "k": ["a"] * 800},
    "numbers for texts": {"x": [1.0] * 800, "k": [1] * 800},
    "lists": {"x": [[1.0]] * 800, "k": [["a"]] * 800},
    "no column": {"y": [1.0] * 800},
}


@pytest.mark.parametrize("name", STRANGE)
def test_no_window_is_too_strange_to_be_judged(name, make_contract, profile, make_answered, named):
    table = STRANGE[name]
    rows = len(next(iter(table.values())))
    answered = make_answered(
        table,
        probability=np.full(rows, np.nan),
        truth=np.zeros(rows, dtype=int),
        failed=0,
        latency_s=np.empty(0),
    )
    found = named(signals(make_contract(), profile, answered))
    for signal in found.values():
        assert signal.verdict.reason, signal.name
        if signal.value is None:
            assert signal.verdict.verdict in ("inconclusive", "error"), signal.name
    assert found["drift.share"].verdict.verdict != "pass"
    restored = msgspec.json.decode(msgspec.json.encode(list(found.values())), type=list[Signal])
    assert [s.name for s in restored] == list(found)


def test_names_are_those_that_conditions_use(make_contract, profile, make_answered):
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 2, 1000)
    chance = np.clip(0.5 * truth + rng.random(1000) / 2, 0, 1)
    answered = make_answered(
        full(rng, 1000),
        label=(chance > 0.5).astype(int),
        probability=chance,
        truth=truth,
        failed=2,
        latency_s=rng.random(1000),
    )
    outcomes = Outcomes(("0", "1"), scores(chance), truth)
    found = signals(
        make_contract(), profile, answered, outcomes=outcomes, at_release=AtRelease(0.9, 0.88, 0.92)
    )
    families = {"ranges.x", "ranges.k", "drift.x", "drift.k", "nulls.x", "nulls.k"}
    plain = {signal.name for signal in found} - families - {"performance.roc_auc"}
    assert plain <= set(SIGNALS)
    assert {"drift.share", "prediction.drift", "performance.drop", "latency.p99"} <= plain


@pytest.mark.parametrize(
    ("on", "first"),
    [
        ("drift", "drift."),
        ("nulls", "nulls."),
        ("prediction", "prediction."),
        ("performance", "performance."),
        ("errors", "errors."),
        ("latency", "latency."),
    ],
)
def test_only_what_is_on_is_watched(on, first, make_contract, profile, make_answered):
    rng = np.random.default_rng(2)
    answered = make_answered(full(rng, 600), failed=0, latency_s=rng.random(600))
    found = signals(make_contract(signals=[on]), profile, answered)
    assert found
    assert all(s.name.startswith((first, "ranges." if on == "drift" else first)) for s in found)


def test_the_same_window_gives_the_same_signals(make_contract, profile, make_answered):
    rng = np.random.default_rng(3)
    answered = make_answered(full(rng, 800))
    first, second = (signals(make_contract(), profile, answered) for _ in range(2))
    assert msgspec.json.encode(first) == msgspec.json.encode(second)


def test_performance_is_judged_on_the_window_whose_labels_are_due(
    make_contract, profile, make_answered, named
):
    rng = np.random.default_rng(4)
    contract = make_contract(performance={"metric": "accuracy"})
    fresh = make_answered(full(rng, 600))
    ripe = make_answered(full(rng, 600), label=np.ones(600, dtype=int), truth=np.ones(600))
    found = named(signals(contract, profile, fresh, matured=ripe))
    assert found["performance.accuracy"].value == 1.0
    assert named(signals(contract, profile, fresh))["performance.accuracy"].value is None
