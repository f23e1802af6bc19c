import numpy as np
import onnx
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from setpoint.facts.evidence import Scores
from setpoint.facts.training import Feature
from setpoint.training.convert import MOST_FEATURES, convert, differing, edge_rows, open_session
from setpoint.training.frame import frame_of
from setpoint.training.model import Form, NativeModel, OnnxModel
from setpoint.training.preparation import prepared

FEATURES = (
    Feature(name="a b", kind="float"),
    Feature(name="a_b", kind="int"),
    Feature(name="~concat", kind="category"),
    Feature(name="é/ü", kind="text"),
)


def made(rows=300, seed=0, scale=1.0):
    chance = np.random.default_rng(seed)
    words = np.array(["", "None", "nan", "x", "ß"])[chance.integers(0, 5, rows)]
    table = pa.table(
        {
            "a b": chance.normal(size=rows) * scale,
            "a_b": chance.integers(0, 5, rows),
            "~concat": pa.array(words.tolist()),
            "é/ü": pa.array([f"w{at % 11}" for at in range(rows)]),
        }
    )
    frame = frame_of(table, FEATURES)
    target = (frame["a b"] > 0).to_numpy() ^ (words == "x")
    return frame, np.where(target, "p", "n").astype(object)


def native(estimator, frame, target, features=FEATURES, classes=("n", "p")):
    fitted = prepared(estimator, frame).fit(frame, target)
    return NativeModel(fitted, Form("binary", features, classes, 0.5))


def test_inputs_bear_the_columns_names_however_odd(tmp_path):
    frame, target = made()
    model = native(HistGradientBoostingClassifier(max_iter=5), frame, target)
    done = convert(model, frame, model.answer(frame), frame)
    assert done.reason == ""
    names = [entry.name for entry in onnx.load_from_string(done.data).graph.input]
    assert names == ["a b", "a_b", "~concat", "é/ü"]


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
        np.testing.assert_allclose(one.probability[0], done.answers.probability[at], atol=1e-6)
        same = model.answer_one(row)
        np.testing.assert_allclose(same.probability[0], one.probability[0], atol=1e-4)


def test_numbers_too_close_for_float32_stay_native():
    chance = np.random.default_rng(1)
    whole = chance.integers(0, 50, 400)
    frame = pd.DataFrame({"stamp": 1.7e9 + whole.astype(float)})
    target = np.where(whole % 2 == 0, "p", "n").astype(object)
    features = (Feature(name="stamp", kind="float"),)
    model = native(HistGradientBoostingClassifier(min_samples_leaf=2), frame, target, features)
    done = convert(model, frame, model.answer(frame), frame)
    assert "differ on evaluation rows" in done.reason
    assert done.data == b""


def test_a_model_that_is_not_scikit_learns_stays_native():
    class Own:
        def predict(self, frame):
            return np.full(len(frame), "n", dtype=object)

        def predict_proba(self, frame):
            return np.tile([1.0, 0.0], (len(frame), 1))

    frame, _ = made()
    model = NativeModel(Own(), Form("binary", FEATURES, ("n", "p"), 0.5))
    done = convert(model, frame, model.answer(frame), frame)
    assert "not a scikit-learn estimator" in done.reason


def test_a_column_named_like_an_output_stays_native():
    frame = pd.DataFrame({"label": np.arange(60.0)})
    target = np.where(np.arange(60) > 30, "p", "n").astype(object)
    features = (Feature(name="label", kind="float"),)
    model = native(HistGradientBoostingClassifier(max_iter=2), frame, target, features)
    assert "name of an output" in convert(model, frame, model.answer(frame), frame).reason


def test_a_wrong_conversion_is_not_believed():
    frame, target = made()
    model = native(HistGradientBoostingClassifier(max_iter=5), frame, target)
    answers = model.answer(frame)
    lie = Scores(answers.label, answers.probability[::-1].copy(), answers.value)
    assert "differ on evaluation rows" in convert(model, frame, lie, frame).reason


def test_one_row_in_ten_thousand_may_differ_and_no_more():
    right = np.tile([0.4, 0.6], (10_000, 1))
    base = Scores(np.ones(10_000, np.int64), right, np.empty(0))
    off = right.copy()
    off[0] = [0.6, 0.4]
    assert differing(base, Scores(base.label, off, base.value)) == ""
    off[1] = [0.6, 0.4]
    assert "2 of 10000" in differing(base, Scores(base.label, off, base.value))


def test_values_may_differ_relative_to_their_size_or_spread():
    values = np.array([0.0, 1000.0, -1000.0])
    base = Scores(np.empty(0, np.int64), np.empty((0, 0)), values)
    assert differing(base, Scores(base.label, base.probability, values + 0.05)) == ""
    assert "3 of 3" in differing(base, Scores(base.label, base.probability, values + 1.0))


def test_edge_rows_hold_missing_unseen_and_extreme_values():
    frame, _ = made()
    edges = edge_rows(frame, FEATURES)
    assert edges["a b"].isna().any()
    assert edges["a b"].max() > frame["a b"].max()
    assert edges["a b"].min() < frame["a b"].min()
    assert edges.iloc[-1].isna().all()
    assert not set(edges["~concat"].dropna()) <= set(frame["~concat"].dropna())
    wide = pd.DataFrame({f"c{at}": np.arange(5.0) for at in range(MOST_FEATURES)})
    many = tuple(Feature(name=name, kind="float") for name in wide)
    assert len(edge_rows(wide, many)) <= 100 * 8 + 1
