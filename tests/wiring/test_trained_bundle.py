"""A bundle as training writes it, served alone: the gateway answers what the model answered in training."""

import asyncio
import json
import pickle

import numpy as np
import pandas as pd
import pytest

from setpoint.clock import SystemClock
from setpoint.facts.training import Feature, Recipe, TrainingJob
from setpoint.gateway.wire.exchange import Request
from setpoint.training.bundle import write_bundle
from setpoint.training.conversion.convert import convert
from setpoint.training.estimators import fitted
from setpoint.training.model import Form, NativeModel
from setpoint.wiring.gateway import GatewayPlan, build_app

FEATURES = (
    Feature(name="tenure", kind="int", low=0, high=500),
    Feature(name="monthly charges", kind="float"),
    Feature(name="paperless", kind="bool"),
    Feature(name="plan", kind="category", values=("monthly", "yearly")),
    Feature(name="region", kind="category"),
)


def frame_of_customers(rows=600):
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "tenure": rng.integers(0, 120, rows).astype(float),
            "monthly charges": rng.uniform(10, 120, rows),
            "paperless": rng.integers(0, 2, rows).astype(float),
            "plan": rng.choice(np.array(["monthly", "yearly"], object), rows),
            "region": rng.choice(np.array(["north", "south", "east", np.nan], object), rows),
        }
    )
    frame.loc[rng.random(rows) < 0.1, "monthly charges"] = np.nan
    return frame


@pytest.fixture(scope="module")
def trained():
    frame = frame_of_customers()
    score = frame["tenure"] - 30 * (frame["plan"] == "monthly") + frame["monthly charges"].fillna(0)
    labels = np.where(score > score.median(), "Yes", "No").astype(object)
    recipe = Recipe(
        estimator="auto",
        params={},
        task="binary",
        target="churned",
        positive="Yes",
        features=FEATURES,
        threshold=0.4,
        seed=7,
        time_limit_s=60,
        memory_limit=1 << 33,
    )
    form = Form("binary", FEATURES, ("No", "Yes"), 0.4)
    return frame, NativeModel(fitted(recipe, frame, labels), form), recipe


def rows_to_ask(frame):
    """The first rows as JSON, and rows at the edges: missing, unseen."""
    rows = [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in frame.head(40).to_dict("records")
    ]
    rows.append(dict.fromkeys(frame.columns))
    rows.append(rows[0] | {"region": "atlantis", "tenure": 499, "paperless": True})
    return rows


async def ask(app, path, body):
    answer = await app.respond(Request("POST", path, {}, json.dumps(body).encode()))
    return answer.status, json.loads(answer.body)


@pytest.mark.parametrize("runtime", ["onnx", "native"])
def test_gateway_answers_what_training_measured(trained, tmp_path, runtime):
    frame, model, recipe = trained
    job = TrainingJob(key="k", model="churn", contract="c" * 64, recipe=recipe, table="t", rows="r")
    data = pickle.dumps(model.estimator)
    if runtime == "onnx":
        converted = convert(model, frame, model.answer(frame), frame)
        assert converted.reason == ""
        data = converted.data
    folder = tmp_path / "bundle"
    write_bundle(folder, job, model.form, runtime=runtime, data=data, behaviour="b")
    rows = rows_to_ask(frame)
    asked = pd.DataFrame(rows).astype(frame.dtypes.to_dict()).replace({None: np.nan})
    expected = model.answer(asked)

    async def whole():
        app = build_app(GatewayPlan(bundle=folder, native=runtime == "native"), SystemClock())
        await app._station.follower.look()
        assert app._station.follower.refused == ""
        return await ask(app, "/v1/predict", rows)

    status, content = asyncio.run(whole())
    assert status == 200, content
    assert content["predictions"] == expected.label.tolist()
    assert content["probabilities"] == pytest.approx(expected.probability[:, 1].tolist(), abs=1e-4)
