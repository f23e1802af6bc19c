"""Shadows beside the live answers: pairs by id, evidence in numbers; nothing of it in any reading of the live log."""

import msgspec
import numpy as np
import pytest

from setpoint.adapters.log.shadow_file import shadow_file
from setpoint.adapters.log.shadow_log import ShadowLog
from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.adapters.log.traffic import LogTraffic
from setpoint.errors import UnknownPredictionError
from setpoint.facts.prediction import Answerer, Outcome, Prediction, live_id, shadow_id
from setpoint.training.model import Form

LIVE = {
    generation: Answerer(
        model="m", version=1, contract="c", generation=generation, columns=("tenure",)
    )
    for generation in (1, 2)
}
SHADOW = {
    (version, generation): msgspec.structs.replace(LIVE[generation], version=version)
    for version in (2, 3)
    for generation in (1, 2)
}


def name(number):
    return f"0000-{number:05d}"


def live(number, generation=1, **changes):
    given = Prediction(
        by=LIVE[generation],
        id=name(number),
        at=1000.0 + number,
        variant="champion",
        propensity=1.0,
        values=(1.0,),
        prediction="Yes",
        probability=0.75,
        latency_s=0.001,
    )
    return msgspec.structs.replace(given, **changes)


def shadow(number, version=2, generation=1, **changes):
    given = live(number)
    return msgspec.structs.replace(
        given,
        **{
            "by": SHADOW[version, generation],
            "id": shadow_id(given.id, version),
            "variant": "shadow",
            "propensity": 0.0,
            "probability": 0.5,
            "latency_s": 0.003,
            **changes,
        },
    )


def outcome(number, value, at=5000.0):
    return Outcome(prediction=name(number), value=value, at=at)


class Scorer:
    """Knows what versions answer."""

    def __init__(self, task, classes):
        self.form = Form(task, (), classes, 0.5)

    def model(self, _artifact):
        return self


CLASSES = {"binary": ("No", "Yes"), "multiclass": ("a", "b", "c"), "regression": ()}


@pytest.fixture
def logs(tmp_path):
    path = tmp_path / "log.db"
    with SqliteLog(path) as log, SqliteLog(shadow_file(path)) as shadows:
        yield log, shadows


@pytest.fixture(params=["time", "rows"])
def axis(request):
    return request.param


@pytest.fixture
def traffic(logs, axis):
    def make(task="binary"):
        scorer = Scorer(task, CLASSES[task])
        return LogTraffic(logs[0], scorer, str, axis=axis, shadows=lambda: logs[1])

    return make


@pytest.fixture
def ticks(axis):
    """Return the ticks of the answers from one number up to another."""
    return lambda first, last: (
        (float(first), float(last)) if axis == "rows" else (1000.0 + first, 1000.0 + last)
    )


def test_id_of_a_shadows_answer_leads_back_and_orders_like_the_live_one():
    assert live_id(shadow_id(name(7), 12)) == name(7)
    ids = [name(7), shadow_id(name(7), 2), shadow_id(name(7), 10), name(8)]
    assert sorted(ids, key=live_id) == ids
    assert name(7) < shadow_id(name(7), 2) < name(8)


def test_pairs_are_of_the_stretch_the_version_and_the_generation(logs, traffic, ticks):
    log, shadows = logs
    log.append([live(n) for n in range(10)] + [live(n, 2) for n in range(10, 20)])
    shadows.append([shadow(n) for n in range(10)])
    shadows.append([shadow(n, generation=2) for n in range(10, 20)])
    shadows.append([shadow(n, version=3) for n in range(10)])
    assert traffic().shadowed(2, *ticks(0, 20)).shadow.requests == 20
    assert traffic().shadowed(2, *ticks(5, 12)).shadow.requests == 7
    assert traffic().shadowed(2, *ticks(0, 20), generation=2).shadow.requests == 10
    assert traffic().shadowed(3, *ticks(0, 20)).shadow.requests == 10
    assert traffic().shadowed(4, *ticks(0, 20)).shadow.requests == 0


def test_counts_of_a_shadow_and_of_the_live_answers_to_its_rows(logs, traffic, ticks):
    log, shadows = logs
    log.append([live(n) for n in range(8)])
    log.append([live(8, prediction=None, probability=None, error="broken", latency_s=0.9)])
    shadows.append([shadow(n, latency_s=0.01 if n < 3 else 0.001) for n in range(4)])
    shadows.append([shadow(4, prediction=None, probability=None, error="refused: tenure")])
    shadows.append([shadow(8)])
    found = traffic().shadowed(2, *ticks(0, 9), slow_s=(0.005, 0.5))
    assert (found.shadow.requests, found.shadow.errors) == (6, 1)
    assert found.shadow.slow == {0.005: 3, 0.5: 0}
    assert (found.live.version, found.live.requests, found.live.errors) == (1, 6, 1)
    assert found.live.slow == {0.005: 1, 0.5: 1}
    assert found.compared == 4  # both answered
    assert len(found.scored.at) == 5


def test_agreement_and_differences_of_two_classes(logs, traffic, ticks):
    log, shadows = logs
    log.append([live(n) for n in range(4)])
    told = [("Yes", 0.75), ("Yes", 0.5), ("No", 0.25), ("No", None)]
    shadows.append([shadow(n, prediction=one, probability=p) for n, (one, p) in enumerate(told)])
    found = traffic().shadowed(2, *ticks(0, 4))
    assert (found.compared, found.agreed) == (4, 2)
    assert found.differences.tolist() == [0.0, 0.25, 0.5]
    assert found.scored.scores.label.tolist() == [1, 1, 0, 0]


def test_differences_of_many_classes_are_of_the_class_that_both_answer(logs, traffic, ticks):
    log, shadows = logs
    log.append([live(n, prediction="a") for n in range(2)])
    shadows.append([shadow(0, prediction="a"), shadow(1, prediction="b")])
    found = traffic("multiclass").shadowed(2, *ticks(0, 2))
    assert (found.agreed, found.differences.tolist()) == (1, [0.25])


def test_numbers_have_differences_and_scaled_losses(logs, traffic, ticks):
    log, shadows = logs
    log.append([live(n, prediction=float(n), probability=None) for n in range(4)])
    shadows.append([shadow(n, prediction=n + 2.0, probability=None) for n in range(4)])
    log.record([outcome(1, 2.0), outcome(3, 100.0)])
    found = traffic("regression").shadowed(2, *ticks(0, 4), scale=4.0)
    assert (found.compared, found.agreed) == (4, None)
    assert found.differences.tolist() == [2.0] * 4
    assert found.losses.tolist() == [0.25, 1.0]
    assert found.live_losses.tolist() == [0.25, 1.0]
    assert (found.shadow.outcomes, found.shadow.outcome_sum) == (2, 1.25)


def test_outcome_of_the_live_answer_judges_the_shadow_in_the_order_of_arrival(logs, traffic, ticks):
    log, shadows = logs
    log.append([live(n) for n in range(4)])
    shadows.append([shadow(n, prediction="No" if n == 2 else "Yes") for n in range(4)])
    log.record([outcome(2, "No", at=5000.0)])
    log.record([outcome(0, "Yes", at=6000.0)])
    log.record([outcome(1, "No", at=4000.0)])
    found = traffic().shadowed(2, *ticks(0, 4))
    assert found.losses.tolist() == [1.0, 0.0, 0.0]
    assert found.live_losses.tolist() == [1.0, 1.0, 0.0]
    assert (found.shadow.outcome_sum, found.live.outcome_sum) == (1.0, 2.0)
    assert found.scored.known.tolist() == [True, True, True, False]


def test_classes_that_are_numbers_are_equal_however_they_are_written(logs, ticks, axis):
    log, shadows = logs
    log.append([live(0, prediction=1.0), live(1, prediction="0")])
    shadows.append([shadow(0, prediction="1"), shadow(1, prediction=0)])
    log.record([outcome(0, 1)])
    scorer = Scorer("binary", ("0", "1"))
    traffic = LogTraffic(log, scorer, str, axis=axis, shadows=lambda: shadows)
    found = traffic.shadowed(2, *ticks(0, 2))
    assert (found.agreed, found.losses.tolist(), found.live_losses.tolist()) == (2, [0.0], [0.0])


def test_versions_with_other_classes_are_compared_by_class_alone(logs, ticks, axis):
    log, shadows = logs
    log.append([live(0)])
    shadows.append([shadow(0)])
    forms = {"1": ("Yes", "No"), "2": ("No", "Yes")}

    class Mixed:
        def model(self, artifact):
            return Scorer("binary", forms[artifact])

    traffic = LogTraffic(log, Mixed(), str, axis=axis, shadows=lambda: shadows)
    found = traffic.shadowed(2, *ticks(0, 1))
    assert (found.compared, found.agreed, found.differences.size) == (1, 1, 0)


def test_copy_whose_live_answer_is_not_logged_yet_is_the_shadows_alone(logs):
    log, shadows = logs
    log.append([live(0)])
    shadows.append([shadow(0), shadow(1)])
    read = LogTraffic(log, Scorer("binary", CLASSES["binary"]), str, axis="time",
                      shadows=lambda: shadows)  # fmt: skip
    found = read.shadowed(2, 0.0, 1e6)
    assert (found.shadow.requests, found.live.requests, found.compared) == (2, 1, 1)
    none = read.shadowed(2, 1001.0, 1e6)
    assert (none.shadow.requests, none.live.requests, none.compared) == (1, 0, 0)


def test_without_a_log_of_shadows_there_is_no_evidence(logs, axis, tmp_path):
    read = LogTraffic(logs[0], Scorer("binary", CLASSES["binary"]), str, axis=axis)
    logs[0].append([live(0)])
    found = read.shadowed(2, 0.0, 1e6)
    assert (found.shadow.requests, found.compared, found.agreed) == (0, 0, None)
    assert found.losses.size == found.differences.size == found.scored.at.size == 0
    assert ShadowLog(logs[0], lambda: None).pairs(2, 0.0, 1e6).num_rows == 0
    assert not (tmp_path / "none.db").exists()


def test_evidence_is_the_same_from_files_of_past_hours(logs, traffic, ticks):
    log, shadows = logs
    log.append([live(n) for n in range(50)])
    shadows.append([shadow(n, prediction="No" if n % 3 else "Yes") for n in range(50)])
    log.record([outcome(n, "Yes", at=5000.0 + n) for n in range(0, 50, 2)])
    before = traffic().shadowed(2, *ticks(3, 47), slow_s=(0.002,))
    for one in (log, shadows):
        assert one.compact(1e9).answers == 50
    after = traffic().shadowed(2, *ticks(3, 47), slow_s=(0.002,))
    assert (after.shadow, after.live, after.agreed) == (before.shadow, before.live, before.agreed)
    assert np.array_equal(after.losses, before.losses)
    assert np.array_equal(after.differences, before.differences)


def test_no_reading_of_the_live_log_knows_of_shadows(logs, traffic, ticks):
    """Windows, counts, keys, outcomes, positions and span: shadows lie elsewhere, so none of them can."""
    log, shadows = logs
    log.append([live(n, key=f"k-{n}") for n in range(5)])

    def read():
        arms = log.arms(generation=0, slow_s=(0.002,))
        return log.span(), arms, log.of_keys(["k-1"]), traffic().reach()

    before = read()
    shadows.append([shadow(n, key=f"k-{n}") for n in range(5)])
    assert read() == before
    assert log.window(0.0, 1e6)["version"].unique().to_pylist() == [1]
    assert log.stretch(0, 10).num_rows == 5
    assert log.scored(0.0, 1e6, version=2).num_rows == 0
    assert log.scored_stretch(0, 10, version=2).num_rows == 0
    assert traffic().answers(1, *ticks(0, 9)).at.size == 5
    assert log.withheld(2, {1, 2}) == {}
    with pytest.raises(UnknownPredictionError):
        log.record([Outcome(prediction=shadow_id(name(1), 2), value="Yes", at=1.0)])
    assert shadows.arms(generation=0) == {}  # and nobody drew them


def test_bundle_of_a_version_that_was_asked_nothing_is_not_opened(logs, axis):
    """A shadow that no gateway can load must still be taken back by the loop that reads this."""

    class Broken:
        def model(self, artifact):
            raise AssertionError(artifact)

    read = LogTraffic(logs[0], Broken(), str, axis=axis, shadows=lambda: logs[1])
    logs[0].append([live(0)])
    found = read.shadowed(2, 0.0, 1e6, slow_s=(0.1,))
    assert (found.version, found.shadow.requests, found.shadow.slow) == (2, 0, {0.1: 0})
