"""Baselines, what-ifs, importance, probes and evidence files."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from setpoint.errors import DataError, MeasurementError, TrainingError
from setpoint.facts.evidence import Evidence, Perturbation, Scores
from setpoint.facts.training import Feature, Perturb
from setpoint.training.baselines import last_known, majority, mean, no_change_values
from setpoint.training.evidence_file import read_evidence, write_evidence
from setpoint.training.importance import importance_of
from setpoint.training.labels import codes_of, natural_labels, ordered_classes
from setpoint.training.measure import entity_codes, kept_column, metrics_of, with_classes
from setpoint.training.model import Form, NativeModel, of_probabilities, of_values
from setpoint.training.perturbations import perturbed
from setpoint.training.probe import behaviour_of, probe_rows

EMPTY = np.empty(0)
NO_CODES = np.empty(0, np.int64)


class Sum:
    """A regression whose answer is the sum of its columns."""

    def predict(self, frame):
        return frame["a"].to_numpy() + 0.0 * frame["b"].to_numpy()


def summing():
    features = (Feature(name="a", kind="float"), Feature(name="b", kind="float"))
    return NativeModel(Sum(), Form("regression", features, (), 0.5))


def test_no_change_answers_with_the_last_label_that_was_known():
    values = np.array([10.0, 11.0, np.nan, 13.0, 14.0, 15.0])
    answers = no_change_values(values, np.array([3, 4, 5]), 1)
    np.testing.assert_array_equal(answers.value, [11.0, 11.0, 13.0])


def test_no_change_never_sees_a_label_within_the_delay():
    values = np.arange(50.0)
    positions = np.arange(20, 50)
    before = no_change_values(values, positions, 4).value
    values[26:] = -1.0
    after = no_change_values(values, positions, 4).value
    np.testing.assert_array_equal(before[: 26 + 5 - 20], after[: 26 + 5 - 20])


def test_no_change_without_a_known_label_cannot_be_measured():
    with pytest.raises(MeasurementError, match="no label is known 3 rows before row 2"):
        last_known(np.arange(10.0), np.array([2, 3]), 2)
    with pytest.raises(MeasurementError):
        last_known(np.array([-1, -1, -1, 1]), np.array([2, 3]), 0)


def test_majority_and_mean_look_at_the_fitted_rows_only():
    answers = majority(np.array([0, 1, 1, 1]), 3, 2)
    np.testing.assert_array_equal(answers.label, [1, 1])
    np.testing.assert_allclose(answers.probability, [[0.25, 0.75, 0.0]] * 2)
    np.testing.assert_array_equal(mean(np.array([1.0, 3.0]), 2).value, [2.0, 2.0])


def test_a_swap_gives_every_row_another_observed_value():
    frame = pd.DataFrame({"a": [1.0, 2.0, np.nan, 3.0] * 50, "b": np.zeros(200)})
    model = summing()
    seen = perturbed(model, frame, model_answer := _answers(200), Perturb(gate=2, column="a"), 0)
    assert len(seen.rows) == 150
    before = frame["a"].to_numpy()[seen.rows]
    assert np.all(seen.scores.value != before)
    assert set(seen.scores.value) == {1.0, 2.0, 3.0}
    again = perturbed(model, frame, model_answer, Perturb(gate=2, column="a"), 0)
    np.testing.assert_array_equal(again.scores.value, seen.scores.value)


def test_a_swap_of_a_constant_changes_no_row_and_of_no_input_no_answer():
    frame = pd.DataFrame({"a": np.ones(5), "b": np.zeros(5)})
    answers = _answers(5)
    assert not len(perturbed(summing(), frame, answers, Perturb(gate=0, column="a"), 0).rows)
    other = perturbed(summing(), frame, answers, Perturb(gate=0, column="gender"), 0)
    assert len(other.rows) == 5
    np.testing.assert_array_equal(other.scores.value, answers.value)


def test_text_cannot_be_raised():
    frame = pd.DataFrame({"a": np.array(["x", "y"], object), "b": [0.0, 1.0]})
    with pytest.raises(DataError, match="holds no numbers"):
        perturbed(summing(), frame, _answers(2), Perturb(gate=1, column="a", add=1.0), 0)


def test_importance_finds_the_column_that_matters():
    chance = np.random.default_rng(0)
    frame = pd.DataFrame({"b": chance.normal(size=300), "a": chance.normal(size=300)})
    found = importance_of(summing(), frame, NO_CODES, frame["a"].to_numpy(), 0)
    assert list(found) == ["a", "b"]
    assert found["a"] > 0.8
    assert found["b"] == 0.0


def test_probe_rows_follow_the_seed():
    rows = np.arange(100, 1000)
    assert len(probe_rows(rows, 1)) == 64
    np.testing.assert_array_equal(probe_rows(rows, 1), probe_rows(rows, 1))
    assert not np.array_equal(probe_rows(rows, 1), probe_rows(rows, 2))
    np.testing.assert_array_equal(probe_rows(rows[:10], 1), rows[:10])


def test_behaviour_ignores_the_last_bits_and_sees_the_sixth_digit():
    base = Scores(NO_CODES, np.empty((0, 0)), np.array([123.456789, 0.0, -2e-9]))
    near = Scores(NO_CODES, np.empty((0, 0)), base.value * (1 + 1e-15))
    far = Scores(NO_CODES, np.empty((0, 0)), base.value * (1 + 1e-4))
    assert behaviour_of(base, ()) == behaviour_of(near, ())
    assert behaviour_of(base, ()) != behaviour_of(far, ())
    assert behaviour_of(base, ("a",)) != behaviour_of(base, ())


def test_evidence_survives_its_file_without_pickles(tmp_path):
    scores = Scores(np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]]), EMPTY)
    evidence = Evidence(
        classes=("n", "ÿ"),
        truth_label=np.array([0, 1]),
        truth_value=EMPTY,
        candidate=scores,
        champion=None,
        champion_unseen=np.array([True, False]),
        ordered=True,
        columns={"plan.0": np.array(["a", "ß"], dtype=object), "x": np.array([1.0, np.nan])},
        baseline={"majority": scores},
        perturbations=(Perturbation(gate=3, scores=scores, rows=np.array([0, 1])),),
        latency_s=np.array([0.1]),
        size_bytes=12,
    )
    write_evidence(evidence, tmp_path / "evidence.npz")
    back = read_evidence(tmp_path / "evidence.npz")
    assert (back.classes, back.champion, back.cluster, back.ordered) == (
        ("n", "ÿ"),
        None,
        None,
        True,
    )
    assert back.columns["plan.0"].tolist() == ["a", "ß"]
    assert np.isnan(back.columns["x"][1])
    np.testing.assert_array_equal(back.baseline["majority"].probability, scores.probability)
    assert (back.perturbations[0].gate, back.size_bytes) == (3, 12)
    (tmp_path / "evidence.npz").write_bytes(b"PK")
    with pytest.raises(DataError, match="cannot read the evidence"):
        read_evidence(tmp_path / "evidence.npz")
    with pytest.raises(DataError):
        read_evidence(tmp_path / "absent.npz")


def test_an_undefined_metric_is_absent_not_zero():
    scores = Scores(np.array([0, 0]), np.array([[0.9, 0.1], [0.8, 0.2]]), EMPTY)
    found = metrics_of(scores, np.array([0, 0]), EMPTY, 2, "binary")
    assert found["accuracy"] == 1.0
    assert "roc_auc" not in found


def test_answers_are_recoded_to_other_classes():
    scores = Scores(np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]]), EMPTY)
    moved = with_classes(scores, ("b", "a"), ("a", "b", "c"))
    np.testing.assert_array_equal(moved.label, [1, 0])
    np.testing.assert_allclose(moved.probability, [[0.1, 0.9, 0.0], [0.8, 0.2, 0.0]])


def test_kept_columns_and_entities():
    table = pa.table({"t": pa.array(["x", None]), "n": pa.array([1, None]), "b": [True, False]})
    assert kept_column(table, "t").tolist() == ["x", ""]
    assert kept_column(table, "b").tolist() == ["true", "false"]
    assert np.isnan(kept_column(table, "n")[1])
    with pytest.raises(DataError, match="lacks"):
        kept_column(table, "absent")
    several = pa.table({"k": pa.array(["a", None, "a", None])})
    codes = entity_codes(several, "k")
    assert codes[0] == codes[2]
    assert len(set(codes.tolist())) == 3


def test_labels_keep_their_natural_type_and_order():
    floats = natural_labels(pa.chunked_array([[0.0, 1.0, 1.0]]))
    assert floats.dtype == np.int64
    assert ordered_classes(floats, "binary", "") == ("0", "1")
    assert ordered_classes(floats, "binary", "0") == ("1", "0")
    truths = natural_labels(pa.chunked_array([[True, False]]))
    assert ordered_classes(truths, "binary", "TRUE") == ("false", "true")
    assert ordered_classes(np.array([2, 10, 1]), "multiclass", "") == ("1", "2", "10")
    with pytest.raises(DataError, match="has 3 classes"):
        ordered_classes(np.array([1, 2, 3]), "binary", "")
    codes, known = codes_of(pa.chunked_array([["b", None, "z"], ["a"]]), ("b", "a"))
    assert codes.tolist() == [0, -1, 2, 1]
    assert known == ("b", "a", "z")


FORM = Form("binary", (), ("n", "p"), 0.5)


@pytest.mark.parametrize(
    "given",
    [
        np.array([[0.5, 0.5]]),
        np.array([[0.5, 0.5, 0.0]] * 2),
        np.array([[np.nan, 0.5]] * 2),
        np.array([[1.5, -0.5]] * 2),
        np.array([[0.2, 0.2]] * 2),
        np.array([["a", "b"]] * 2),
        None,
    ],
)
def test_probabilities_that_are_none_are_nonsense(given):
    with pytest.raises(TrainingError) as caught:
        of_probabilities(given, 2, FORM, None)
    assert caught.value.kind == "nonsense"


@pytest.mark.parametrize("given", [[1.0], [1.0, np.inf], [[1.0, 2.0]] * 2, "text", None])
def test_values_that_are_none_are_nonsense(given):
    with pytest.raises(TrainingError) as caught:
        of_values(given, 2)
    assert caught.value.kind == "nonsense"


def _answers(rows):
    return Scores(NO_CODES, np.empty((0, 0)), np.zeros(rows))
