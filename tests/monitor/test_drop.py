"""A year of looks at an unchanged model is quiet; a real fall is found, in about the labels that are stated."""

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.special import ndtr, ndtri

from setpoint.contract.conditions import Condition
from setpoint.errors import TooFewSamplesError
from setpoint.facts.evidence import Scores
from setpoint.facts.signal import Window
from setpoint.monitor.answered import AtRelease, Outcomes
from setpoint.monitor.drop import drop_signal, fall, labels_needed
from setpoint.monitor.metric import Rows, metric_for
from setpoint.policy.conditions import read_condition
from setpoint.stats.interval import mean_interval

ACCURACY = metric_for("accuracy", 2)
WINDOW = Window(start=0, end=1, version=1)
RELEASED = AtRelease(0.85, 0.84, 0.86)


def rights(rng, rows, accuracy, coefficient=0.0):
    """Whether answers are right; with a coefficient, hard and easy spells follow each other."""
    if coefficient == 0:
        return rng.random(rows) < accuracy
    noise = lfilter([1], [1, -coefficient], rng.normal(size=rows + 300))[300:]
    mood = noise * np.sqrt(1 - coefficient**2)
    return rng.random(rows) < ndtr(ndtri(accuracy) * np.sqrt(2) + mood)


def rows_of(right):
    return Rows(np.ones(right.size, dtype=np.int64), right.astype(np.int64), 2, ordered=True)


def released(rng, accuracy, rows, coefficient=0.0):
    return mean_interval(rights(rng, rows, accuracy, coefficient).astype(float), block=None).low


def first_alarm(right, per_week, reference, allowed):
    """Labels until the first weekly look that alarms; None for none."""
    for end in range(per_week, right.size + 1, per_week):
        try:
            found = fall(ACCURACY, rows_of(right[:end]), reference)
        except TooFewSamplesError:
            continue
        if found.low > allowed:
            return end
    return None


@pytest.mark.parametrize(
    ("per_week", "coefficient", "accuracy"),
    [(100, 0.0, 0.85), (200, 0.0, 0.98), (200, 0.95, 0.85), (100, 0.8, 0.85)],
)
def test_an_unchanged_model_is_not_blamed_in_a_year_of_weekly_looks(
    per_week, coefficient, accuracy
):
    rng = np.random.default_rng(11)
    alarms = []
    for _ in range(60):
        reference = released(rng, accuracy, 2000, coefficient)
        year = rights(rng, 52 * per_week, accuracy, coefficient)
        alarms.append(first_alarm(year, per_week, reference, allowed=0.0) is not None)
    assert np.mean(alarms) <= 0.05


def test_a_fall_from_85_to_80_is_found_with_about_the_labels_stated():
    rng = np.random.default_rng(12)
    found = []
    for _ in range(20):
        reference = released(rng, 0.85, 9000)
        year = rights(rng, 52 * 200, 0.80)
        found.append(first_alarm(year, 200, reference, allowed=0.01))
    assert all(found)
    stated = labels_needed(reference - 0.01 - 0.80, np.sqrt(0.8 * 0.2))
    assert 0.5 < np.median(found) / stated < 2


def test_a_fall_after_half_a_good_year_is_found_in_months_not_years():
    rng = np.random.default_rng(13)
    after = []
    for _ in range(10):
        reference = released(rng, 0.85, 9000)
        year = np.r_[rights(rng, 5200, 0.85), rights(rng, 5200, 0.78)]
        alarm = first_alarm(year, 200, reference, allowed=0.01)
        assert alarm is None or alarm > 5200
        after.append(alarm)
    assert all(after)
    assert np.median(after) - 5200 < 2500


@pytest.mark.parametrize(
    ("good", "before", "after", "within"),
    [(100, 0.97, 0.1, 200), (400, 0.97, 0.1, 200), (1000, 0.85, 0.6, 600)],
)
def test_a_sudden_fall_is_no_resemblance_of_neighbours_and_found_soon(good, before, after, within):
    rng = np.random.default_rng(15)
    needed = []
    for _ in range(10):
        reference = released(rng, before, 2000)
        year = np.r_[rights(rng, good, before), rights(rng, 3000, after)]
        alarm = first_alarm(year, 100, reference, allowed=0.05 * before)
        needed.append(np.inf if alarm is None else alarm - good)
    assert np.median(needed) <= within


@pytest.mark.parametrize("metric", ["roc_auc", "f1", "mae", "rmse", "average_precision"])
def test_metrics_that_are_no_means_fall_too(metric):
    rng = np.random.default_rng(14)
    is_value = metric in ("mae", "rmse")
    chosen = metric_for(metric, 0 if is_value else 2)

    def sample(rows, noise):
        truth = rng.normal(size=rows) if is_value else rng.integers(0, 2, rows)
        answer = truth + noise * rng.normal(size=rows)
        answer = answer if metric != "f1" else (answer > 0.5).astype(np.int64)
        return Rows(truth, answer, 2, ordered=True)

    many = sample(50_000, 0.6)
    reference = chosen.evaluate(many.truth, many.answer)
    assert fall(chosen, sample(4000, 0.6), reference).low < 0
    worse = fall(chosen, sample(4000, 1.2), reference)
    assert worse.low > 0
    assert worse.low < worse.value < worse.high


@pytest.fixture
def signal(make_contract):
    def make(right, at_release=RELEASED, due=None, **performance):
        contract = make_contract(performance={"metric": "accuracy", **performance})
        label = np.asarray(right).astype(np.int64)
        scores = Scores(label, np.empty((label.size, 0)), np.empty(0))
        outcomes = Outcomes(("0", "1"), scores, np.ones(label.size, dtype=np.int64), due)
        return drop_signal(contract, WINDOW, outcomes, at_release)

    return make


def test_a_condition_of_the_contract_reads_the_drop(signal):
    rng = np.random.default_rng(15)
    fallen = {"performance.drop": signal(rights(rng, 5000, 0.7))}
    verdict = fallen["performance.drop"].verdict
    assert verdict.verdict == "fail"
    assert verdict.evidence["reference"] == 0.84
    assert verdict.limit == pytest.approx(0.05 * 0.84)
    assert fallen["performance.drop"].value == pytest.approx(0.14, abs=0.03)
    for text, holds in (("5%", True), ("0.05 abs", True), ("50%", False)):
        condition = Condition.read(f"performance.drop > {text}")
        assert read_condition(condition, fallen, {}).holds is holds


def test_a_good_model_passes_once_there_are_enough_labels(signal):
    rng = np.random.default_rng(16)
    right = rights(rng, 5000, 0.85)
    assert signal(right).verdict.verdict == "pass"
    assert signal(right[:150]).verdict.verdict == "inconclusive"
    assert signal(right[:150]).verdict.interval is not None


def test_too_few_labels_or_no_value_at_release_are_inconclusive(signal):
    right = rights(np.random.default_rng(17), 5000, 0.5)
    for found in (
        signal(right[:99]),
        signal(right[:0]),
        signal(right, at_release=None),
        signal(right, due=10_001),
    ):
        assert found.verdict.verdict == "inconclusive"
        assert found.verdict.interval is None
        assert found.value is None
        assert found.verdict.reason
    assert signal(right, due=10_000).verdict.verdict == "fail"


def test_lower_is_better_falls_upward(make_contract):
    rng = np.random.default_rng(18)
    truth = rng.normal(size=4000)
    scores = Scores(np.empty(0, dtype=np.int64), np.empty((0, 0)), truth + rng.normal(0, 2, 4000))
    contract = make_contract(task="regression", performance={"metric": "mae"})
    found = drop_signal(contract, WINDOW, Outcomes((), scores, truth), AtRelease(0.8, 0.78, 0.82))
    assert found.verdict.verdict == "fail"
    assert found.verdict.evidence["reference"] == 0.82
    assert found.value == pytest.approx(2 * np.sqrt(2 / np.pi) - 0.82, abs=0.1)
    assert found.verdict.reason.startswith("mae rose by 0.")
    assert found.verdict.reason.endswith("surely by more than 5%, that is 0.041")


def test_a_model_that_is_always_right_does_not_crash(signal):
    assert signal(np.ones(3000, dtype=bool)).verdict.verdict == "pass"
    assert signal(np.zeros(3000, dtype=bool)).verdict.verdict == "fail"


def test_labels_stated_refuse_the_impossible():
    with pytest.raises(ValueError, match="never found"):
        labels_needed(0.0, 0.4)
    assert labels_needed(0.05, 0.4) < labels_needed(0.02, 0.4)
    assert labels_needed(0.05, 0.4) < labels_needed(0.05, 0.4, before=10_000)
