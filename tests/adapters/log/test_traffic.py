"""The live world's traffic over a real log, with bundles that training wrote."""

import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from msgspec.structs import replace
from tests.adapters.predictions import prediction_of

from setpoint.adapters.bundle_scorer import BundleScorer
from setpoint.adapters.bundle_store import BundleStore
from setpoint.adapters.log.log_clock import LogClock
from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.adapters.log.traffic import LogTraffic
from setpoint.clock import ManualClock
from setpoint.errors import BundleError, DataError
from setpoint.facts.prediction import Answerer, Outcome
from setpoint.facts.release import LossSum
from setpoint.facts.training import Feature, Recipe, TrainingJob
from setpoint.training.bundle import write_bundle
from setpoint.training.estimators import fitted
from setpoint.training.model import Form

FEATURES = (
    Feature(name="tenure", kind="int"),
    Feature(name="charges", kind="float"),
    Feature(name="paperless", kind="bool"),
    Feature(name="plan", kind="category"),
)
CLASSES = {"binary": ("No", "Yes"), "multiclass": ("a", "b", "c"), "regression": ()}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with one released bundle of each task; returns it and the artifacts by task."""
    folder = tmp_path_factory.mktemp("store")
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "tenure": rng.integers(0, 60, 200).astype(float),
            "charges": rng.uniform(10, 120, 200),
            "paperless": rng.integers(0, 2, 200).astype(float),
            "plan": rng.choice(np.array(["m", "y"], object), 200),
        }
    )
    artifacts = {}
    for task, classes in CLASSES.items():
        recipe = Recipe(
            estimator="sklearn.tree.DecisionTreeClassifier" if classes else "auto",
            params={"max_depth": 3} if classes else {"max_iter": 5},
            task=task,
            target="y",
            positive="Yes" if task == "binary" else "",
            features=FEATURES,
            threshold=0.5,
            seed=1,
            time_limit_s=60.0,
            memory_limit=1 << 33,
        )
        codes = (frame["tenure"] // 21).astype(int).clip(0, max(len(classes) - 1, 0))
        truth = np.array(classes, object)[codes] if classes else frame["charges"].to_numpy()
        job = TrainingJob(key="k", model="m", contract="c", recipe=recipe, table="t", rows="r")
        model = pickle.dumps(fitted(recipe, frame, truth))
        form = Form(task, FEATURES, classes, 0.5)
        source = folder / "made" / task
        source.parent.mkdir(exist_ok=True)
        write_bundle(source, job, form, runtime="native", data=model, behaviour="b")
        artifacts[task] = BundleStore(folder).keep(source)
    return folder, artifacts


@pytest.fixture
def log(tmp_path):
    kept = SqliteLog(tmp_path / "log.db")
    yield kept
    kept.close()


@pytest.fixture
def traffic(store, log):
    def make(task="binary", axis="time"):
        folder, artifacts = store
        return LogTraffic(log, BundleScorer(folder), {1: artifacts[task]}.__getitem__, axis=axis)

    return make


def prediction(number, **changes):
    fields = {
        "id": f"p-{number:05d}",
        "at": 1000.0 + number,
        "model": "m",
        "version": 1,
        "contract": "c",
        "generation": 1,
        "variant": "champion",
        "propensity": 1.0,
        "features": {"tenure": number, "charges": 1.5, "paperless": True, "plan": "m"},
        "prediction": "Yes",
        "probability": 0.75,
    }
    return prediction_of(fields | changes)


def outcome(number, value):
    return Outcome(prediction=f"p-{number:05d}", value=value, at=5000.0)


def test_answers_of_a_window_with_outcomes_known_so_far(traffic, log):
    log.append([prediction(n) for n in range(5)])
    log.append([prediction(5, prediction="No", probability=0.1)])
    log.record([outcome(1, "No"), outcome(4, "Yes")])
    found = traffic().answers(1, 1001.0, 1006.0)
    assert found.at.tolist() == [1001.0, 1002.0, 1003.0, 1004.0, 1005.0]
    assert found.classes == ("No", "Yes")
    assert found.scores.label.tolist() == [1, 1, 1, 1, 0]
    assert found.scores.probability[:, 1].tolist() == [0.75, 0.75, 0.75, 0.75, 0.1]
    assert found.known.tolist() == [True, False, False, True, False]
    assert found.truth_label.tolist() == [0, -1, -1, 1, -1]
    assert found.truth_value.size == 0


def test_features_have_the_types_of_training(traffic, log):
    gone = {"tenure": None, "charges": None, "paperless": None, "plan": None}
    log.append([prediction(1), prediction(2, features=gone)])
    table = traffic().answers(1, 0.0, 2000.0).table
    assert table.schema == pa.schema(
        {
            "tenure": pa.int64(),
            "charges": pa.float64(),
            "paperless": pa.bool_(),
            "plan": pa.string(),
        }
    )
    assert table.to_pylist() == [
        {"tenure": 1, "charges": 1.5, "paperless": True, "plan": "m"},
        gone,
    ]


def test_truth_values_that_were_sent_as_numbers_stay_truth_values(traffic, log):
    log.append([prediction(1, features={"paperless": 1.0}), prediction(2, features={"plan": "y"})])
    table = traffic().answers(1, 0.0, 2000.0).table
    assert table["paperless"].to_pylist() == [True, None]
    assert table["tenure"].to_pylist() == [None, None]


def test_an_input_that_is_not_of_its_kind_is_an_error_and_no_missing_value(traffic, log):
    log.append([prediction(1, features={"charges": "much"})])
    with pytest.raises(DataError, match="charges"):
        traffic().answers(1, 0.0, 2000.0)


def test_what_is_read_can_be_scored_again_by_the_same_bundle(traffic, log, store):
    log.append([prediction(n) for n in range(4)])
    folder, artifacts = store
    found = traffic().answers(1, 0.0, 2000.0)
    assert len(BundleScorer(folder).score(artifacts["binary"], found.table).label) == 4


def test_columns_that_the_log_has_not_as_they_were_are_told_and_are_not_in_the_table(traffic, log):
    rules = {"plan": "hash", "charges": "drop", "id": "hash"}
    changed = {"tenure": 1, "paperless": True, "plan": "9f86d081"}
    by = Answerer(
        model="m", version=1, contract="c", generation=3, columns=tuple(changed), withheld=rules
    )
    plain = prediction(2)
    log.append([replace(plain, by=by, values=tuple(changed.values())), prediction(1, version=2)])
    found = traffic().answers(1, 0.0, 2000.0)
    assert found.withheld == {"plan": "hash", "charges": "drop"}
    assert found.table.column_names == ["tenure", "paperless"]
    log.append([prediction(500)])  # under another document that withholds nothing
    assert traffic().answers(1, 1400.0, 2000.0).withheld == {}
    assert traffic().answers(1, 1400.0, 2000.0).table["plan"].to_pylist() == ["m"]
    assert traffic().answers(1, 0.0, 2000.0).withheld == found.withheld


def test_requests_without_an_answer_are_counted_and_are_no_answers(traffic, log):
    failed = prediction(2, prediction=None, probability=None, error="ValueError: x")
    log.append([prediction(1), failed])
    found = traffic().answers(1, 0.0, 2000.0)
    assert (found.failed, found.table.num_rows, len(found.scores.label)) == (1, 1, 1)


def test_a_window_without_answers(traffic):
    found = traffic().answers(1, 0.0, 2000.0)
    assert (found.table.num_rows, found.failed, found.known.size) == (0, 0, 0)
    assert found.table.column_names == [feature.name for feature in FEATURES]


def test_windows_never_mix_versions(traffic, log):
    log.append([prediction(1), prediction(2, version=2), prediction(3)])
    assert traffic().answers(1, 0.0, 2000.0).at.tolist() == [1001.0, 1003.0]


def test_multiclass_has_no_probabilities_because_the_log_has_only_that_of_the_answer(traffic, log):
    log.append([prediction(1, prediction="c"), prediction(2, prediction="a")])
    log.record([outcome(1, "b")])
    found = traffic("multiclass").answers(1, 0.0, 2000.0)
    assert found.scores.label.tolist() == [2, 0]
    assert found.scores.probability.shape == (2, 0)
    assert found.truth_label.tolist() == [1, -1]


def test_a_class_that_the_version_does_not_know_is_no_known_outcome(traffic, log):
    log.append([prediction(1)])
    log.record([outcome(1, "Maybe")])
    assert traffic().answers(1, 0.0, 2000.0).known.tolist() == [False]


def test_numbers(traffic, log):
    log.append([prediction(n, prediction=2.5 * n, probability=None) for n in (1, 2)])
    log.record([outcome(2, 7.0)])
    found = traffic("regression").answers(1, 0.0, 2000.0)
    assert found.scores.value.tolist() == [2.5, 5.0]
    assert found.classes == ()
    assert found.known.tolist() == [False, True]
    assert found.truth_value[1] == 7.0
    assert found.truth_label.size == 0


def test_reach_in_time_covers_the_last_answer(traffic, log):
    assert traffic().reach() == (0.0, 0.0)
    log.append([prediction(1), prediction(9)])
    first, end = traffic().reach()
    assert first == 1001.0
    assert traffic().answers(1, first, end).table.num_rows == 2


def test_without_time_the_tick_is_the_position_in_the_log(traffic, log):
    for n in (1, 2, 3, 4, 5):
        log.append([prediction(n, version=1 + n % 2)])
    rows = traffic(axis="rows")
    assert rows.reach() == (0.0, 5.0)
    assert rows.answers(1, 0.0, 5.0).at.tolist() == [1.0, 3.0]
    found = rows.answers(1, 2.0, 4.0)
    assert (found.at.tolist(), found.table["tenure"].to_pylist()) == ([3.0], [4])
    assert rows.answers(1, 5.0, 9.0).table.num_rows == 0


def test_windows_of_positions_cut_the_log_without_gap_or_overlap(traffic, log):
    log.append([prediction(n) for n in range(10)])
    rows = traffic(axis="rows")
    cuts = [rows.answers(1, start, start + 2.5).at.tolist() for start in (0.0, 2.5, 5.0, 7.5)]
    assert [tick for cut in cuts for tick in cut] == [float(n) for n in range(10)]


def same(left, right):
    assert (left.dtype, left.shape) == (right.dtype, right.shape)
    np.testing.assert_array_equal(left, right)


def require_same(scored, answers):
    """Every number is the same, whatever else was read with it."""
    for name in ("at", "truth_label", "truth_value", "known"):
        same(getattr(scored, name), getattr(answers, name))
    for name in ("label", "probability", "value"):
        same(getattr(scored.scores, name), getattr(answers.scores, name))
    assert scored.classes == answers.classes
    assert (scored.version, scored.start, scored.end) == (
        answers.version,
        answers.start,
        answers.end,
    )


@pytest.mark.parametrize("axis", ["time", "rows"])
@pytest.mark.parametrize("task", CLASSES)
def test_answers_without_inputs_are_the_same_numbers_for_every_stretch(traffic, log, task, axis):
    rng = np.random.default_rng(5)
    classes = CLASSES[task]
    for n in range(40):
        answered = rng.choice(classes) if classes else float(rng.normal())
        chance = float(rng.random()) if task == "binary" and n != 30 else None
        error = "ValueError: x" if n % 7 == 3 else ""
        given = {"prediction": None if error else answered, "probability": chance, "error": error}
        log.append([prediction(n, version=1 + (n % 5 == 0), **given)])
        if n % 3:
            log.record([outcome(n, rng.choice(classes) if classes else float(rng.normal()))])
    origin = 1000.0 if axis == "time" else 0.0
    spans = [(0, 40), (0, 12.5), (7, 20), (30, 31), (31, 40), (20, 20), (25, 5), (39.5, 99)]
    stretches = [(origin + start, origin + end) for start, end in spans]
    found = traffic(task, axis).scored(1, stretches)
    assert len(found) == len(stretches)
    for scored, stretch in zip(found, stretches, strict=True):
        require_same(scored, traffic(task, axis).answers(1, *stretch))
    assert len(found[0].known) > 20
    assert (found[4].scores.probability.size > 0) == (task == "binary")


def test_no_stretch_reads_nothing(traffic, log):
    log.close()
    assert traffic().scored(1, []) == ()


def test_stretches_of_an_empty_log(traffic):
    (found,) = traffic().scored(1, [(0.0, 2000.0)])
    require_same(found, traffic().answers(1, 0.0, 2000.0))


def test_class_that_was_told_as_a_number_does_not_depend_on_its_neighbours(log):
    log.append([prediction(n, prediction="Yes") for n in range(3)])
    log.record([outcome(0, "Yes"), outcome(1, 1.0), outcome(2, 1)])
    form = Form("binary", FEATURES, ("1", "Yes"), 0.5)
    scorer = SimpleNamespace(model=lambda _: SimpleNamespace(form=form))
    read = LogTraffic(log, scorer, lambda _: "a", axis="time")
    (found,) = read.scored(1, [(0.0, 2000.0)])
    assert found.truth_label.tolist() == [1, 0, 0]
    require_same(found, read.answers(1, 0.0, 2000.0))
    require_same(read.scored(1, [(1001.0, 2000.0)])[0], read.answers(1, 1001.0, 2000.0))


def test_outcome_that_is_no_number_is_an_error_of_the_data(traffic, log):
    log.append([prediction(1, prediction=1.5, probability=None)])
    log.record([outcome(1, "Maybe")])
    with pytest.raises(DataError, match="no number"):
        traffic("regression").scored(1, [(0.0, 2000.0)])


def test_arms_count_from_a_generation_on(traffic, log):
    log.append([prediction(1), prediction(2, generation=2), prediction(3, generation=2, version=2)])
    arms = traffic().arms(2)
    assert {version: arm.requests for version, arm in arms.items()} == {1: 1, 2: 1}


def test_losses_are_told_apart_by_the_document_that_their_answers_were_given_under(traffic, log):
    """Outcomes come late: by then, shares of traffic are others."""
    log.append([prediction(n, generation=1 + n // 4) for n in range(12)])
    answered = prediction(0).prediction
    wrong = next(one for one in ("Yes", "No") if one != answered)
    log.record([outcome(n, wrong if n in (0, 4, 5) else answered) for n in range(8)])
    (arm,) = traffic().arms(0).values()
    assert arm.losses == {1: LossSum(4, 1.0), 2: LossSum(4, 2.0)}
    assert (arm.outcomes, arm.outcome_sum, arm.outcome_squares) == (8, 3.0, 3.0)
    assert traffic().arms(2)[1].losses == {2: LossSum(4, 2.0)}


def test_a_bundle_that_is_gone_is_an_error(log, tmp_path):
    log.append([prediction(1)])
    missing = LogTraffic(log, BundleScorer(tmp_path), lambda _: "0" * 64, axis="time")
    with pytest.raises(BundleError):
        missing.answers(1, 0.0, 2000.0)


def test_the_clock_of_the_log_counts_answers(log):
    clock = LogClock(log, ManualClock(77.0))
    assert clock.now() == 0.0
    log.append([prediction(n) for n in range(3)])
    assert (clock.now(), clock.wall()) == (3.0, 77.0)
