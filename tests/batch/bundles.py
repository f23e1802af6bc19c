"""Bundles of real estimators, as training writes them."""

import pickle

import numpy as np
import pandas as pd

from setpoint.facts.training import Feature, Recipe, TrainingJob
from setpoint.training.bundle import write_bundle
from setpoint.training.conversion.convert import convert
from setpoint.training.estimators import fitted
from setpoint.training.model import Form, NativeModel
from setpoint.training.threads import limited_threads
from setpoint.training.together import settled

FEATURES = (
    Feature(name="tenure", kind="int", low=0, high=500),
    Feature(name="charges", kind="float"),
    Feature(name="paperless", kind="bool"),
    Feature(name="plan", kind="category", values=("m", "y")),
    Feature(name="region", kind="category"),
)


def people(rows=600, seed=7):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "tenure": rng.integers(0, 120, rows).astype(float),
            "charges": rng.uniform(10, 120, rows),
            "paperless": rng.integers(0, 2, rows).astype(float),
            "plan": rng.choice(np.array(["m", "y"], object), rows),
            "region": rng.choice(np.array(["north", "south", "east", np.nan], object), rows),
        }
    )
    frame.loc[rng.random(rows) < 0.1, "charges"] = np.nan
    return frame


def model_of(
    estimator="auto", task="binary", *, features=FEATURES, frame=None, truth=None, **params
):
    """Return a fitted native model, its recipe, and the rows that it was fitted on."""
    frame = people() if frame is None else frame
    if truth is None:
        score = frame["tenure"] - 30 * (frame["plan"] == "m") + frame["charges"].fillna(0)
        truth = {
            "binary": np.where(score > score.median(), "Yes", "No").astype(object),
            "multiclass": np.array(["a", "b", "c"], object)[
                np.digitize(score, score.quantile([0.3, 0.7]))
            ],
            "regression": score.to_numpy(dtype=float),
        }[task]
    recipe = Recipe(
        estimator=estimator,
        params=params,
        task=task,
        target="target",
        positive="Yes",
        features=features,
        threshold=0.4,
        seed=7,
        time_limit_s=60,
        memory_limit=1 << 33,
    )
    classes = {"binary": ("No", "Yes"), "multiclass": ("a", "b", "c"), "regression": ()}[task]
    form = Form(task, features, classes, threshold=0.4)
    with limited_threads(1, 1, 1):
        return NativeModel(fitted(recipe, frame, truth), form), recipe, frame


def write(folder, made, runtime, *, key=""):
    """Write the bundle of a fitted model and return its artifact digest."""
    native, recipe, frame = made
    job = TrainingJob(
        key="k", model="m", contract="c" * 64, recipe=recipe, table="t", rows="r", key_column=key
    )
    with limited_threads(1, 1, 1):
        if runtime == "onnx":
            sample = frame.head(200)
            converted = convert(native, sample, native.answer(sample), frame)
            assert converted.model is not None, converted.reason
            model, data = settled(converted.model, sample), converted.data
        else:
            model, data = settled(native, frame.head(24)), pickle.dumps(native.estimator)
    return write_bundle(folder, job, model.form, runtime=runtime, data=data, behaviour="b")
