"""Tests of a conversion that is believed only where it answers the same."""

import numpy as np
import onnx
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from setpoint.facts.evidence import Scores
from setpoint.facts.training import Feature
from setpoint.training.conversion import convert as module
from setpoint.training.conversion.convert import convert
from setpoint.training.conversion.parity import differing
from setpoint.training.conversion.session import open_session
from setpoint.training.conversion.translate import translated
from setpoint.training.frame import frame_of
from setpoint.training.model import Form, NativeModel, OnnxModel
from setpoint.training.preparation import prepared

FEATURES = (
    Feature(name="a b", kind="float"),
    Feature(name="a_b", kind="int"),
    Feature(name="probabilities", kind="category"),
    Feature(name="é/ü", kind="text"),
)


def made(rows=300, seed=0, scale=1.0):
    chance = np.random.default_rng(seed)
    words = np.array(["", "None", "nan", "x", "ß"])[chance.integers(0, 5, rows)]
    table = pa.table(
        {
            "a b": chance.normal(size=rows) * scale,
            "a_b": chance.integers(0, 5, rows),
            "probabilities": pa.array(words.tolist()),
            "é/ü": pa.array([f"w{at % 11}" for at in range(rows)]),
        }
    )
    frame = frame_of(table, FEATURES)
    target = (frame["a b"] > 0).to_numpy() ^ (words == "x")
    return frame, np.where(target, "p", "n").astype(object)


def native(estimator, frame, target, features=FEATURES, classes=("n", "p")):
    fitted = prepared(estimator, frame).fit(frame, target)
    return NativeModel(fitted, Form("binary", features, classes, 0.5))


def test_columns_come_in_two_tensors_however_odd_their_names():
    frame, target = made()
    model = native(HistGradientBoostingClassifier(max_iter=5), frame, target)
    done = convert(model, frame, model.answer(frame), frame)
    assert done.reason == ""
    graph = onnx.load_from_string(done.data).graph
    shapes = {
        entry.name: entry.type.tensor_type.shape.dim[1].dim_value
        for entry in (*graph.input, *graph.output)
    }
    assert shapes == {"numbers": 2, "texts": 2, "probabilities": 2}


@pytest.mark.parametrize("estimator", [HistGradientBoostingClassifier, LogisticRegression])
def test_texts_that_look_like_missing_ones_agree(estimator):
    frame, target = made()
    model = native(estimator(max_iter=50), frame, target)
    done = convert(model, frame, model.answer(frame), frame)
    assert done.reason == ""
    other, _ = made(seed=9)
    session = OnnxModel(open_session(done.data), model.form)
    assert differing(model.answer(other), session.answer(other)) == ""


def test_one_row_is_answered_as_in_a_batch():
    frame, target = made()
    model = native(HistGradientBoostingClassifier(max_iter=5), frame, target)
    done = convert(model, frame, model.answer(frame), frame)
    for at in (0, 1, 7):
        row = frame.iloc[at].to_dict()
        assert done.model is not None
        assert done.answers is not None
        one = done.model.answer_one(row)
        np.testing.assert_array_equal(one.probability[0], done.answers.probability[at])
        same = model.answer_one(row)
        np.testing.assert_allclose(same.probability[0], one.probability[0], rtol=1e-12)


def test_numbers_too_close_for_float32_are_told_apart():
    chance = np.random.default_rng(1)
    whole = chance.integers(0, 50, 400)
    frame = pd.DataFrame({"stamp": 1.7e9 + whole.astype(float)})
    target = np.where(whole % 2 == 0, "p", "n").astype(object)
    features = (Feature(name="stamp", kind="float"),)
    model = native(HistGradientBoostingClassifier(min_samples_leaf=2), frame, target, features)
    done = convert(model, frame, model.answer(frame), frame)
    assert done.reason == ""
    assert np.mean(done.answers.label == (target == "p")) == 1.0


def test_a_model_that_no_converter_knows_stays_native():
    class Own:
        classes_ = ("n", "p")

        def predict_proba(self, frame):
            return np.tile([1.0, 0.0], (len(frame), 1))

    frame, _ = made()
    model = NativeModel(Own(), Form("binary", FEATURES[:2], ("n", "p"), 0.5))
    done = convert(model, frame, model.answer(frame), frame)
    assert "Own" in done.reason
    assert done.data == b""


def test_a_class_derived_from_a_known_one_is_not_taken_for_it():
    class Contrary(LogisticRegression):
        def predict_proba(self, X):
            return super().predict_proba(X)[:, ::-1]

    frame, target = made()
    model = native(Contrary(), frame, target)
    done = convert(model, frame, model.answer(frame), frame)
    assert "Contrary" in done.reason


@pytest.mark.parametrize(
    ("off", "caught"),
    [(0.0, ""), (2e-4, "differ on evaluation rows"), (0.5, "differ on evaluation rows")],
)
def test_a_wrong_conversion_is_not_believed(monkeypatch, off, caught):
    frame, target = made()
    model = native(LogisticRegression(), frame, target)

    def wrongly(model):
        other = NativeModel(model.estimator, model.form)
        other.estimator[-1].intercept_ += 5 * off
        data = translated(other)
        other.estimator[-1].intercept_ -= 5 * off
        return data

    monkeypatch.setattr(module, "translated", wrongly)
    done = convert(model, frame, model.answer(frame), frame)
    assert caught in done.reason
    assert bool(done.data) == (not caught)


def test_a_conversion_that_is_wrong_only_for_missing_values_is_caught_at_the_edges(monkeypatch):
    frame, target = made()
    model = native(LogisticRegression(), frame, target)

    def wrongly(model):
        imputer = model.estimator[0].named_transformers_["numbers"][0]
        right = imputer.statistics_.copy()
        imputer.statistics_ += 1
        data = translated(model)
        imputer.statistics_ = right
        return data

    monkeypatch.setattr(module, "translated", wrongly)
    done = convert(model, frame, model.answer(frame), frame)
    assert "differ on edge rows" in done.reason


def test_answers_of_another_model_are_not_believed():
    frame, target = made()
    model = native(HistGradientBoostingClassifier(max_iter=5), frame, target)
    answers = model.answer(frame)
    lie = Scores(answers.label, answers.probability[::-1].copy(), answers.value)
    assert "differ on evaluation rows" in convert(model, frame, lie, frame).reason


def test_an_encoder_that_refuses_unseen_categories_stays_native_unless_the_contract_does():
    frame, target = made()
    frame = frame[["é/ü"]]
    words = tuple(sorted(set(frame["é/ü"])))
    for values, reason in (
        (None, "rows are answered that the native model refuses: ValueError"),
        (words, ""),
    ):
        feature = Feature(name="é/ü", kind="category", values=values, nullable=False)
        estimator = prepared(LogisticRegression(), frame)
        estimator.set_params(prepare__texts=OneHotEncoder(sparse_output=False))
        model = NativeModel(
            estimator.fit(frame, target), Form("binary", (feature,), ("n", "p"), 0.5)
        )
        done = convert(model, frame, model.answer(frame), frame)
        assert reason in done.reason
        assert bool(done.data) == (not reason)
