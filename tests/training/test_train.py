import json

import numpy as np
import pyarrow as pa
import pytest

from setpoint.errors import BundleError, DataError, EmptyTableError, TrainingError
from setpoint.facts.training import Perturb
from setpoint.training.bundle import open_bundle
from setpoint.training.evidence_file import read_evidence
from setpoint.training.manifest import seal, verify_bundle
from setpoint.training.model import score
from setpoint.training.result_file import read_result


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_mixed_table_trains_converts_and_leaves_a_whole_folder(task, tables, job, run):
    result, folder = run(job(task), tables[task])
    assert result.runtime == "onnx", result.runtime_reason
    assert read_result(folder) == result
    assert (result.fit_rows, result.test_rows) == (420, 180)
    better = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "r2"}[task]
    assert result.metrics[better] > 0.7
    assert verify_bundle(folder / "bundle").artifact == result.artifact
    assert next(iter(result.importance)) in {"number", "whole", "plan"}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_evidence_is_what_the_bundle_answers(task, tables, job, run):
    _, folder = run(job(task), tables[task])
    evidence = read_evidence(folder / "evidence.npz")
    answers = score(open_bundle(folder / "bundle"), tables[task].slice(420))
    np.testing.assert_array_equal(evidence.candidate.label, answers.label)
    np.testing.assert_array_equal(evidence.candidate.probability, answers.probability)
    np.testing.assert_array_equal(evidence.candidate.value, answers.value)


def test_the_positive_class_has_code_1_even_where_it_sorts_first(tables, job, run):
    for convert in (True, False):
        _, folder = run(job(positive="No", convert=convert), tables["binary"])
        evidence = read_evidence(folder / "evidence.npz")
        assert evidence.classes == ("Yes", "No")
        truth = np.array(tables["binary"].column("target").to_pylist()[420:]) == "No"
        np.testing.assert_array_equal(evidence.truth_label, truth)
        assert np.mean(evidence.candidate.label == evidence.truth_label) > 0.8
        assert json.loads((folder / "bundle" / "request.json").read_text())["positive"] == "No"


def test_the_threshold_decides_the_label(tables, job, run):
    _, folder = run(job(threshold=0.9), tables["binary"])
    scores = read_evidence(folder / "evidence.npz").candidate
    np.testing.assert_array_equal(scores.label, scores.probability[:, 1] >= 0.9)


def test_unseen_and_missing_categories_are_answered(tables, job, run):
    _, folder = run(job(), tables["binary"])
    table = tables["binary"].slice(0, 3)
    strange = table.set_column(3, "plan", pa.array(["never seen", None, ""]))
    answers = score(open_bundle(folder / "bundle"), strange)
    assert np.all(np.isfinite(answers.probability))


@pytest.mark.parametrize("convert", [True, False])
def test_infinite_and_huge_numbers_train(convert, tables, job, run):
    table = tables["binary"]
    numbers = table.column("number").to_numpy().copy()
    numbers[::7], numbers[1::7], numbers[2::7] = np.inf, -np.inf, 1e300
    result, _ = run(
        job(convert=convert), table.set_column(0, "number", pa.array(numbers, from_pandas=False))
    )
    assert result.metrics["accuracy"] > 0.5


def test_one_class_is_refused_with_its_name(tables, job, run):
    table = tables["binary"]
    one = table.set_column(8, "target", pa.array(["No"] * table.num_rows))
    with pytest.raises(DataError, match="only 'No'"):
        run(job(), one)


def test_a_wrong_positive_class_is_refused(tables, job, run):
    with pytest.raises(DataError, match="is the positive class 'Maybe'"):
        run(job(positive="Maybe"), tables["binary"])


def test_no_labelled_row_is_refused(tables, job, run, split):
    table = tables["binary"]
    none = table.set_column(8, "target", pa.array([None] * table.num_rows, pa.string()))
    with pytest.raises(EmptyTableError):
        run(job(), none)


def test_rows_without_a_label_are_left_out_of_every_part(tables, job, run):
    table = tables["regression"]
    values = table.column("target").to_pylist()
    values[5] = values[500] = None
    result, folder = run(job("regression"), table.set_column(8, "target", pa.array(values)))
    assert (result.fit_rows, result.test_rows) == (419, 179)
    assert read_evidence(folder / "evidence.npz").champion_unseen.shape == (179,)


def test_only_empty_columns_are_refused(tables, job, run):
    with pytest.raises(DataError, match="none of the 2 input columns"):
        run(job(kinds={"void": "float", "void_text": "category"}), tables["binary"])


def test_a_class_that_only_test_rows_have_is_wrong_not_fatal(tables, job, run):
    table = tables["multiclass"]
    labels = table.column("target").to_pylist()
    labels[590:] = ["new"] * 10
    result, folder = run(job("multiclass"), table.set_column(8, "target", pa.array(labels)))
    evidence = read_evidence(folder / "evidence.npz")
    assert evidence.classes == ("low", "mid", "top", "new")
    assert evidence.candidate.probability.shape == (180, 4)
    assert not np.any(evidence.candidate.label == 3)
    assert verify_bundle(folder / "bundle").classes == ("low", "mid", "top")
    assert result.metrics["accuracy"] < 0.96


def test_the_champion_answers_the_same_rows_in_its_own_way(tables, job, run):
    _, first = run(job(positive="No", seed=1), tables["binary"])
    champion = open_bundle(first / "bundle")
    _, second = run(job(), tables["binary"], champion=champion)
    evidence = read_evidence(second / "evidence.npz")
    assert evidence.champion is not None
    assert np.mean(evidence.champion.label == evidence.truth_label) > 0.8
    original = read_evidence(first / "evidence.npz").candidate
    np.testing.assert_array_equal(evidence.champion.label, 1 - original.label)


def test_shuffled_labels_teach_nothing(tables, job, run):
    honest, _ = run(job(), tables["binary"])
    shuffled, _ = run(job(shuffle_labels=True), tables["binary"])
    assert honest.metrics["roc_auc"] > 0.85
    assert 0.3 < shuffled.metrics["roc_auc"] < 0.7


def test_baselines_what_ifs_columns_and_latency_are_in_the_evidence(tables, job, run):
    asked = job(
        ordered=True,
        label_delay_rows=10,
        baselines=("majority", "no_change", "mean"),
        columns=("plan", "whole"),
        key_column="city-name",
        perturbs=(Perturb(gate=4, column="plan"), Perturb(gate=5, column="whole", add=2.0)),
        measure_latency=True,
    )
    _, folder = run(asked, tables["binary"])
    evidence = read_evidence(folder / "evidence.npz")
    assert set(evidence.baseline) == {"majority", "no_change"}  # a mean of classes there is not
    truth = np.array(tables["binary"].column("target").to_pylist()) == "Yes"
    np.testing.assert_array_equal(evidence.baseline["no_change"].label, truth[409:589])
    swapped, raised = evidence.perturbations
    assert (swapped.gate, raised.gate) == (4, 5)
    assert len(raised.rows) == 180
    assert len(swapped.rows) < 180  # rows without a plan have none to swap
    higher = raised.scores.probability[:, 1] - evidence.candidate.probability[:, 1]
    assert np.mean(higher) > 0.05
    assert evidence.latency_s.shape[0] >= 200
    assert np.all(evidence.latency_s > 0)
    assert evidence.size_bytes is not None
    assert evidence.columns["whole"].dtype == np.float64
    assert evidence.cluster is not None
    assert len(np.unique(evidence.cluster)) == 97


def test_a_replay_measures_no_latency_and_stays_native(tables, job, run):
    result, folder = run(job(convert=False), tables["binary"])
    assert (result.runtime, result.runtime_reason, result.importance) == ("native", "", {})
    assert (folder / "bundle" / "model.pkl").is_file()
    assert not read_evidence(folder / "evidence.npz").latency_s.size


def test_the_same_job_gives_the_same_bundle(tables, job, run):
    first, _ = run(job(), tables["binary"])
    second, _ = run(job(), tables["binary"])
    assert (first.artifact, first.behaviour) == (second.artifact, second.behaviour)
    other, _ = run(job(params={"max_iter": 21}), tables["binary"])
    assert other.behaviour != first.behaviour


@pytest.mark.parametrize(
    "estimator",
    [
        "sklearn.linear_model.LogisticRegression",
        "sklearn.ensemble.RandomForestClassifier",
        "sklearn.tree.DecisionTreeClassifier",
        "sklearn.ensemble.GradientBoostingClassifier",
    ],
)
def test_a_scikit_learn_class_trains_and_converts(estimator, tables, job, run):
    result, _ = run(job(estimator=estimator, params={}), tables["binary"])
    assert result.runtime == "onnx", result.runtime_reason
    assert result.metrics["roc_auc"] > 0.8


def test_a_class_without_probabilities_stays_native_and_says_why(tables, job, run):
    result, folder = run(
        job(estimator="sklearn.linear_model.RidgeClassifier", params={}), tables["binary"]
    )
    assert result.runtime == "native"
    assert "probabilities" in result.runtime_reason
    assert read_evidence(folder / "evidence.npz").candidate.probability.shape == (180, 0)
    assert "roc_auc" not in result.metrics


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"params": {"n_trees": 3}}, "no parameter 'n_trees'; it has"),
        ({"estimator": "sklearn.nowhere.Model"}, "cannot find the estimator"),
        ({"estimator": "sklearn.metrics.f1_score"}, "not a class with fit and predict"),
        ({"estimator": "absent_module:fit"}, "cannot find the module"),
        ({"estimator": "json:nothing"}, "no function 'nothing'"),
        ({"estimator": "json:dumps_like"}, "no function"),
    ],
)
def test_an_estimator_that_is_not_there_is_named(changes, words, tables, job, run):
    with pytest.raises(TrainingError, match=words):
        run(job(**changes), tables["binary"])


def test_a_profile_changes_the_artifact_and_an_altered_file_is_found(tables, job, run):
    from setpoint.facts.profile import Profile

    result, folder = run(job(), tables["binary"])
    bundle = folder / "bundle"
    sealed = seal(bundle, Profile(rows=1, columns=()))
    assert sealed != result.artifact
    assert verify_bundle(bundle).behaviour == result.behaviour
    (bundle / "extra.txt").write_text("x")
    with pytest.raises(BundleError, match=r"extra\.txt"):
        open_bundle(bundle)
    (bundle / "extra.txt").unlink()
    model = bundle / "model.onnx"
    model.write_bytes(model.read_bytes() + b"\0")
    with pytest.raises(BundleError, match=r"model\.onnx"):
        open_bundle(bundle)


def test_five_thousand_columns_train_and_convert(job, run):
    chance = np.random.default_rng(0)
    block = chance.normal(size=(120, 5_000)).astype(np.float32)
    names = [f"c{at}" for at in range(5_000)]
    table = pa.table(dict(zip(names, block.T, strict=True)))
    table = table.append_column("target", pa.array(np.where(block[:, 0] > 0, "Yes", "No")))
    result, _ = run(job(kinds=dict.fromkeys(names, "float"), params={"max_iter": 3}), table)
    assert result.runtime == "onnx", result.runtime_reason
    assert result.metrics["accuracy"] > 0.5


def test_an_absent_column_is_named(tables, job, run):
    with pytest.raises(DataError, match="no column 'salary'"):
        run(job(kinds={"salary": "float"}), tables["binary"])
    with pytest.raises(DataError, match="'plan' holds"):
        run(job(kinds={"plan": "float"}), tables["binary"])
