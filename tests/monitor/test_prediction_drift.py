import numpy as np
import pytest

from setpoint.data.profile import WindowPlan, prediction_profile
from setpoint.facts.evidence import Scores
from setpoint.facts.profile import Profile
from setpoint.facts.signal import Window
from setpoint.monitor.answered import Answered
from setpoint.monitor.prediction_drift import prediction_signal

PLAN = WindowPlan(lengths=(1000,), ordered=False)
EMPTY = np.empty(0)


def binary(rng, rows, shift=0.0):
    chance = np.clip(rng.beta(2, 5, rows) + shift, 0, 1)
    return Scores((chance > 0.5).astype(np.int64), np.c_[1 - chance, chance], EMPTY)


def multiclass(rng, rows, p):
    return Scores(rng.choice(3, rows, p=p), np.empty((rows, 0)), EMPTY)


def values(rng, rows, shift=0.0):
    return Scores(np.empty(0, dtype=np.int64), np.empty((0, 0)), rng.normal(shift, 1, rows))


def judged(contract, before, after, classes):
    profile = Profile(rows=5000, columns=(prediction_profile(before, classes, PLAN),))
    window = Window(start=0, end=1000, version=3)
    return prediction_signal(contract, profile, Answered(window, classes, {}, after))


def test_answers_of_every_task_are_watched(make_contract):
    rng = np.random.default_rng(1)
    contract = make_contract()
    quiet = [
        judged(contract, binary(rng, 5000), binary(rng, 1000), ("no", "yes")),
        judged(
            contract,
            multiclass(rng, 5000, [0.5, 0.3, 0.2]),
            multiclass(rng, 1000, [0.5, 0.3, 0.2]),
            ("a", "b", "c"),
        ),
        judged(contract, values(rng, 5000), values(rng, 1000), ()),
    ]
    moved = [
        judged(contract, binary(rng, 5000), binary(rng, 1000, 0.2), ("no", "yes")),
        judged(
            contract,
            multiclass(rng, 5000, [0.5, 0.3, 0.2]),
            multiclass(rng, 1000, [0.1, 0.3, 0.6]),
            ("a", "b", "c"),
        ),
        judged(contract, values(rng, 5000), values(rng, 1000, 0.8), ()),
    ]
    assert [signal.verdict.verdict for signal in quiet] == ["pass"] * 3
    assert [signal.verdict.verdict for signal in moved] == ["fail"] * 3
    assert {signal.name for signal in quiet} == {"prediction.drift"}
    assert all(signal.window.version == 3 for signal in quiet)


def test_a_model_that_answers_one_class_alone_is_found(make_contract):
    rng = np.random.default_rng(2)
    before = multiclass(rng, 5000, [0.5, 0.3, 0.2])
    stuck = Scores(np.zeros(1000, dtype=np.int64), np.empty((1000, 0)), EMPTY)
    assert judged(make_contract(), before, stuck, ("a", "b", "c")).verdict.verdict == "fail"


def test_a_reference_without_answers_is_an_error(make_contract):
    signal = prediction_signal(
        make_contract(),
        Profile(rows=0, columns=()),
        Answered(Window(start=0, end=1), ("a", "b"), {}, binary(np.random.default_rng(0), 9)),
    )
    assert signal.verdict.verdict == "error"
    assert "no column 'prediction'" in signal.verdict.reason


@pytest.mark.parametrize("rows", [0, 1000])
def test_answers_without_probabilities_cannot_be_held_against_probabilities(rows, make_contract):
    rng = np.random.default_rng(3)
    bare = Scores(np.zeros(rows, dtype=np.int64), np.empty((rows, 0)), EMPTY)
    found = judged(make_contract(), binary(rng, 5000), bare, ("no", "yes")).verdict
    assert found.verdict == ("error" if rows else "inconclusive")
