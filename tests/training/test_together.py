"""An answer never shows which other rows were asked about: the same to the bit, alone and in any company."""

import numpy as np
import pandas as pd
import pytest

from setpoint.facts.training import Feature, Recipe
from setpoint.training.conversion.convert import convert
from setpoint.training.estimators import fitted
from setpoint.training.model import Form, NativeModel
from setpoint.training.together import REGISTER, rows_matter, settled

NUMBERS = tuple(Feature(name=f"x{place}", kind="float") for place in range(11))
FEATURES = (*NUMBERS, Feature(name="plan", kind="category"))
CLASSES = {"binary": ("No", "Yes"), "multiclass": ("a", "b", "c"), "regression": ()}


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(3)
    columns = {one.name: rng.normal(size=600) * 10 ** rng.uniform(-2, 3) for one in NUMBERS}
    columns["plan"] = rng.choice(np.array(["m", "y", np.nan], object), 600)
    return pd.DataFrame(columns)


def model_of(frame, estimator, task, **params):
    score = sum((frame[one.name] / frame[one.name].std()) for one in NUMBERS) + (
        frame["plan"] == "m"
    )
    truth = {
        "binary": np.where(score > 0, "Yes", "No").astype(object),
        "multiclass": np.array(["a", "b", "c"], object)[np.digitize(score, [-1, 1])],
        "regression": score.to_numpy(),
    }[task]
    recipe = Recipe(
        estimator=estimator,
        params=params,
        task=task,
        target="t",
        positive="Yes",
        features=FEATURES,
        threshold=0.5,
        seed=1,
        time_limit_s=60,
        memory_limit=1 << 33,
    )
    return NativeModel(
        fitted(recipe, frame, truth), Form(task, FEATURES, CLASSES[task], threshold=0.5)
    )


@pytest.mark.parametrize(
    ("estimator", "task", "params"),
    [
        ("auto", "multiclass", {}),
        ("auto", "binary", {}),
        ("sklearn.linear_model.LogisticRegression", "multiclass", {}),
        ("sklearn.linear_model.LogisticRegression", "binary", {}),
        ("sklearn.linear_model.Ridge", "regression", {}),
        ("sklearn.ensemble.RandomForestClassifier", "multiclass", {"n_estimators": 20}),
    ],
)
def test_what_is_converted_in_a_form_of_ours_takes_any_number_of_rows(
    frame, estimator, task, params
):
    native = model_of(frame, estimator, task, **params)
    made = convert(native, frame.head(100), native.answer(frame.head(100)), frame)
    assert made.model is not None, made.reason
    some = frame.head(200)
    assert not rows_matter(made.model, some)
    assert settled(made.model, some) is made.model


@pytest.mark.parametrize(
    ("estimator", "task"),
    [
        ("sklearn.linear_model.LogisticRegression", "binary"),
        ("sklearn.linear_model.LogisticRegression", "multiclass"),
        ("sklearn.linear_model.Ridge", "regression"),
        ("sklearn.gaussian_process.GaussianProcessRegressor", "regression"),
    ],
)
def test_linear_algebra_is_asked_about_eight_rows_together(frame, estimator, task):
    native = model_of(frame, estimator, task)
    some = frame.head(30)
    assert rows_matter(native, some)
    found = settled(native, some)
    assert found.form.together == REGISTER
    assert not rows_matter(found, some)
    assert found.answer(some).value.size + found.answer(some).label.size == 30


def test_native_trees_take_any_number_of_rows(frame):
    native = model_of(frame, "sklearn.ensemble.RandomForestClassifier", "binary", n_estimators=5)
    assert settled(native, frame.head(24)) is native


class Crowd:
    """Answers how many rows it was asked about: nothing makes that independent of the others."""

    def predict(self, frame):
        return np.full(len(frame), float(len(frame)))


def test_a_model_that_looks_at_all_rows_is_known_as_such(frame):
    native = NativeModel(Crowd(), Form("regression", FEATURES, (), threshold=0.5))
    assert settled(native, frame.head(24)).form.together == 0
