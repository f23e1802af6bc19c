import numpy as np
import pytest

from setpoint.data.profile import WindowPlan, prediction_profile
from setpoint.facts.answers import Scored
from setpoint.facts.evidence import Scores
from setpoint.facts.profile import Profile
from setpoint.monitor.serving_skew import FIRST, judge_skew

PLAN = WindowPlan(lengths=(1000,), ordered=False)
EMPTY = np.empty(0)
NO_LABEL = np.empty(0, dtype=np.int64)


def chances(rng, rows, shift=0.0):
    chance = np.clip(rng.beta(2, 5, rows) + shift, 0, 1)
    return Scores((chance > 0.5).astype(np.int64), np.c_[1 - chance, chance], EMPTY)


def profile_of(scores, classes=("no", "yes")):
    return Profile(rows=5000, columns=(prediction_profile(scores, classes, PLAN),))


def told(scores, rows, classes=("no", "yes")):
    def cut(part):
        return part[:rows]

    return Scored(
        version=2,
        start=0.0,
        end=9e9,
        at=np.arange(rows, dtype=np.float64),
        scores=Scores(cut(scores.label), cut(scores.probability), cut(scores.value)),
        classes=classes,
        truth_label=np.full(rows, -1),
        truth_value=EMPTY,
        known=np.zeros(rows, dtype=bool),
    )


def judged(profile, scores, rows, *, limit=0.1, alpha=0.05, classes=("no", "yes")):
    given = told(scores, rows, classes)
    return judge_skew("serving_skew", profile, given, limit=limit, alpha=alpha)


def test_version_that_answers_as_it_was_tested_passes_once_that_is_sure() -> None:
    rng = np.random.default_rng(1)
    profile, live = profile_of(chances(rng, 5000)), chances(rng, 8000)
    few = judged(profile, live, FIRST - 1)
    assert (few.verdict, few.n) == ("inconclusive", FIRST - 1)
    rulings = [judged(profile, live, rows).verdict for rows in (FIRST, 4000, 8000)]
    assert rulings[-1] == "pass"
    assert "fail" not in rulings


def test_version_that_is_served_otherwise_fails_and_goes_on_failing() -> None:
    rng = np.random.default_rng(2)
    profile, live = profile_of(chances(rng, 5000)), chances(rng, 4000, shift=0.2)
    for rows in (FIRST, 1999, 4000):
        found = judged(profile, live, rows)
        assert found.verdict == "fail"
        assert found.interval[0] > 0.1


def test_number_and_class_answers_are_measured_too() -> None:
    rng = np.random.default_rng(3)
    numbers = Scores(NO_LABEL, np.empty((0, 0)), rng.normal(0, 1, 5000))
    other = Scores(NO_LABEL, np.empty((0, 0)), rng.normal(1, 1, 1000))
    found = judged(profile_of(numbers, ()), other, 1000, classes=())
    assert found.verdict == "fail"
    classes = ("a", "b", "c")
    one = Scores(rng.choice(3, 5000, p=[0.5, 0.3, 0.2]), np.empty((5000, 0)), EMPTY)
    same = Scores(rng.choice(3, 4000, p=[0.5, 0.3, 0.2]), np.empty((4000, 0)), EMPTY)
    assert judged(profile_of(one, classes), same, 4000, classes=classes).verdict == "pass"


def test_what_cannot_be_measured_is_an_error() -> None:
    rng = np.random.default_rng(4)
    live = chances(rng, 500)
    assert judged(Profile(rows=10, columns=()), live, 500).verdict == "error"
    without = Scores(live.label, np.empty((500, 0)), EMPTY)
    assert judged(profile_of(chances(rng, 500)), without, 500).verdict == "error"


@pytest.mark.parametrize("distance", [0.0, 0.1])
def test_asking_again_and_again_raises_no_false_alarm(distance) -> None:
    """At the limit itself: a share of `distance` of the answers is another than on the test rows."""
    rng = np.random.default_rng(5)
    classes = ("a", "b", "c")
    shares = np.array([0.5, 0.3, 0.2])
    profile = profile_of(
        Scores(rng.choice(3, 50_000, p=shares), np.empty((50_000, 0)), EMPTY), classes
    )
    moved = shares + distance * np.array([1, -1, 0])
    failed, passed = 0, 0
    for _ in range(60):
        live = Scores(rng.choice(3, 16_000, p=moved), np.empty((16_000, 0)), EMPTY)
        looks = [FIRST * 2**place for place in range(7)]
        said = {judged(profile, live, rows, classes=classes).verdict for rows in looks}
        failed += "fail" in said
        passed += "pass" in said
    assert failed <= 4
    assert (passed >= 55) if distance == 0.0 else (passed <= 4)
