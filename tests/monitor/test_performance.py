import numpy as np
import pytest

from setpoint.facts.evidence import Scores
from setpoint.facts.signal import Window
from setpoint.monitor.answered import Answered
from setpoint.monitor.performance import performance_signals


def right_at(rng, rows, accuracy):
    truth = rng.integers(0, 2, rows)
    return truth, np.where(rng.random(rows) < accuracy, truth, 1 - truth)


@pytest.fixture
def judge(make_contract, make_answered, named):
    def make(truth, label, known=None, task="binary", **performance):
        contract = make_contract(task=task, performance={"metric": "accuracy", **performance})
        table = {"x": np.zeros(len(label))}
        answered = make_answered(table, label=label, truth=truth, known=known)
        return named(performance_signals(contract, answered))

    return make


def test_the_metric_comes_with_its_interval(judge):
    truth, label = right_at(np.random.default_rng(1), 1000, 0.8)
    found = judge(truth, label)["performance.accuracy"]
    assert found.value == np.mean(truth == label)
    low, high = found.verdict.interval
    assert 0.04 < high - low < 0.06
    assert low < 0.8 < high


def test_intervals_cover_what_they_say(judge):
    covered = []
    for seed in range(200):
        truth, label = right_at(np.random.default_rng(seed), 300, 0.9)
        low, high = judge(truth, label)["performance.accuracy"].verdict.interval
        covered.append(low <= 0.9 <= high)
    assert np.mean(covered) > 0.91


def test_a_metric_surely_below_its_floor_fails_and_one_near_it_is_not_known(judge):
    truth, label = right_at(np.random.default_rng(2), 1000, 0.8)
    rulings = [
        judge(truth, label, min=limit)["performance.accuracy"].verdict.verdict
        for limit in (0.7, 0.8, 0.9)
    ]
    assert rulings == ["pass", "inconclusive", "fail"]


def test_too_few_known_outcomes_are_not_known_whatever_they_say(judge):
    truth, label = right_at(np.random.default_rng(3), 1000, 0.5)
    known = np.arange(1000) < 499
    found = judge(truth, label, known, min=0.9)
    assert found["performance.coverage"].value == 0.499
    assert found["performance.coverage"].verdict.verdict == "inconclusive"
    assert found["performance.accuracy"].verdict.verdict == "inconclusive"
    assert found["performance.accuracy"].verdict.interval is None
    enough = judge(truth, label, np.arange(1000) < 500, min=0.9)
    assert enough["performance.accuracy"].verdict.verdict == "fail"


def test_truths_that_are_not_known_are_never_looked_at(judge):
    truth, label = right_at(np.random.default_rng(4), 1000, 0.8)
    known = np.arange(1000) < 600
    plain = judge(truth, label, known)["performance.accuracy"]
    assert plain == judge(np.where(known, truth, -1), label, known)["performance.accuracy"]


def test_rows_that_resemble_their_neighbours_widen_the_interval(judge):
    rng = np.random.default_rng(5)
    spells = np.repeat(rng.random(50) < 0.8, 20)
    truth = np.ones(1000, dtype=int)
    alone = judge(truth, rng.permutation(spells).astype(int))["performance.accuracy"]
    spelled = judge(truth, spells.astype(int))["performance.accuracy"]
    width = lambda s: s.verdict.interval[1] - s.verdict.interval[0]  # noqa: E731
    assert width(spelled) > 2.5 * width(alone)


def test_no_error_at_all_is_not_a_sure_thing(judge):
    truth = np.tile([0, 1], 100)
    low, high = judge(truth, truth)["performance.accuracy"].verdict.interval
    assert low < 0.99
    assert high >= 1


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "f1", "log_loss", "brier"])
def test_one_class_alone_does_not_crash(metric, make_contract, make_answered, named):
    contract = make_contract(performance={"metric": metric})
    answered = make_answered(
        {"x": np.zeros(600)}, label=np.zeros(600, dtype=int), truth=np.zeros(600, dtype=int)
    )
    found = named(performance_signals(contract, answered))[f"performance.{metric}"].verdict
    assert found.verdict in ("error", "pass")
    if metric in ("roc_auc", "average_precision"):
        assert found.verdict == "error"
        assert found.reason


@pytest.mark.parametrize("metric", ["mae", "rmse", "r2", "mape"])
def test_values_are_judged(metric, make_contract, named):
    rng = np.random.default_rng(6)
    truth = rng.normal(10, 2, 2000)
    answer = truth + rng.normal(size=2000)
    scores = Scores(np.empty(0, dtype=np.int64), np.empty((0, 0)), answer)
    answered = Answered(Window(start=0, end=1), (), {}, scores, truth, np.ones(2000, dtype=bool))
    contract = make_contract(task="regression", performance={"metric": metric})
    found = named(performance_signals(contract, answered))[f"performance.{metric}"]
    expected = {"mae": 0.798, "rmse": 1.0, "r2": 0.75}.get(metric)
    low, high = found.verdict.interval
    assert low < found.value < high
    if expected is not None:
        assert low - 0.01 < expected < high + 0.01


def test_an_answer_that_is_not_a_number_is_an_error_and_not_skipped(make_contract, named):
    scores = Scores(np.empty(0, dtype=np.int64), np.empty((0, 0)), np.r_[np.nan, np.zeros(99)])
    answered = Answered(Window(start=0, end=1), (), {}, scores, np.zeros(100), np.ones(100, bool))
    contract = make_contract(task="regression")
    found = named(performance_signals(contract, answered))["performance.mae"].verdict
    assert found.verdict == "error"
    assert "1 of 100 labelled rows" in found.reason


def test_an_empty_window_is_inconclusive(make_contract, make_answered, named):
    for answered in (make_answered({"x": np.empty(0)}), make_answered({"x": np.zeros(10)})):
        found = named(performance_signals(make_contract(), answered))
        assert {s.verdict.verdict for s in found.values()} == {"inconclusive"}


def test_classes_beyond_two_are_judged_by_macro_averages(make_contract, named):
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 3, 900)
    label = np.where(rng.random(900) < 0.7, truth, rng.integers(0, 3, 900))
    scores = Scores(label, np.empty((900, 0)), np.empty(0))
    answered = Answered(
        Window(start=0, end=1), ("a", "b", "c"), {}, scores, truth, np.ones(900, dtype=bool)
    )
    contract = make_contract(task="multiclass", performance={"metric": "f1"})
    assert named(performance_signals(contract, answered))["performance.f1"].value == pytest.approx(
        0.8, abs=0.04
    )
    contract = make_contract(task="multiclass", performance={"metric": "log_loss"})
    found = named(performance_signals(contract, answered))["performance.log_loss"].verdict
    assert (found.verdict, "needs probabilities" in found.reason) == ("error", True)
