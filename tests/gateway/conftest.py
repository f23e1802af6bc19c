"""Bundles made of a tiny logistic regression, an application without a socket, and gateways as real processes."""

import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from setpoint.adapters.file_deployments import FileDeployments
from setpoint.clock import SystemClock
from setpoint.digest import sha256_bytes, sha256_files
from setpoint.facts.deployment import Deployed, Deployment
from setpoint.facts.training import Feature
from setpoint.gateway.limits import Limits
from setpoint.gateway.models.batching import Batcher
from setpoint.gateway.wire.exchange import Request
from setpoint.settings import LogSettings
from setpoint.training.conversion.translate import translated
from setpoint.training.model import Form, NativeModel
from setpoint.wiring.gateway import GatewayPlan, build_app

CONTRACT = "c0ffee" * 10 + "cafe"
COLUMNS = [
    {"name": "tenure", "kind": "int", "min": 0, "max": 120, "nullable": False},
    {"name": "charges", "kind": "float", "min": 0, "nullable": False},
    {"name": "paperless", "kind": "bool", "nullable": False},
    {
        "name": "plan",
        "kind": "category",
        "values": ["monthly", "yearly"],
        "nullable": True,
        "unseen": "refuse",
    },
    {"name": "region", "kind": "category", "nullable": True, "unseen": "accept"},
]
REQUEST = {
    "model": "churn",
    "task": "binary",
    "classes": ["No", "Yes"],
    "positive": "Yes",
    "threshold": 0.5,
    "contract": CONTRACT,
    "columns": COLUMNS,
    "key": "customer_id",
}
ROW = {
    "tenure": 3,
    "charges": 70.5,
    "paperless": True,
    "plan": "monthly",
    "region": "north",
    "customer_id": "C-1",
}


def fitted(sign=1):
    rng = np.random.default_rng(7)
    rows = 200
    table = pd.DataFrame(
        {
            "tenure": rng.integers(0, 120, rows).astype(float),
            "charges": rng.uniform(10, 120, rows),
            "paperless": rng.integers(0, 2, rows).astype(float),
            "plan": rng.choice(np.array(["monthly", "yearly", np.nan], object), rows),
            "region": rng.choice(np.array(["north", "south"], object), rows),
        }
    )
    truth = (sign * (60 - table["tenure"]) + rng.normal(0, 10, rows) > 0).astype(int)
    encode = ColumnTransformer(
        [
            ("numbers", "passthrough", ["tenure", "charges", "paperless"]),
            ("texts", OneHotEncoder(handle_unknown="ignore"), ["plan", "region"]),
        ]
    )
    return make_pipeline(encode, LogisticRegression(max_iter=5000)).fit(table, truth)


def onnx_bytes(estimator, columns=COLUMNS, task="binary"):
    features = tuple(Feature(name=column["name"], kind=column["kind"]) for column in columns)
    classes = () if task == "regression" else tuple(map(str, estimator.classes_))
    return translated(NativeModel(estimator, Form(task, features, classes, 0.5)))


@pytest.fixture(scope="session")
def models():
    """ONNX bytes of two models that answer the opposite of each other."""
    return {1: onnx_bytes(fitted()), 2: onnx_bytes(fitted(-1))}


@pytest.fixture(scope="session")
def regression_model():
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(50, 2)).astype(np.float32)
    encode = ColumnTransformer([("numbers", "passthrough", [0, 1])])
    model = make_pipeline(encode, LinearRegression()).fit(rows, rows @ np.array([2.0, -1.0]) + 3)
    columns = [{"name": "a", "kind": "float"}, {"name": "b", "kind": "float"}]
    return model, onnx_bytes(model, columns, "regression")


def write_bundle(folder, model, request=REQUEST, runtime="onnx"):
    """Write a bundle as training does, and return how a deployment names it."""
    folder.mkdir(parents=True)
    name = "model.onnx" if runtime == "onnx" else "model.pkl"
    (folder / name).write_bytes(model)
    (folder / "request.json").write_text(json.dumps(request))
    (folder / "profile.json").write_text("{}")
    files = {path.name: sha256_bytes(path.read_bytes()) for path in folder.iterdir()}
    artifact = sha256_files(files)
    manifest = {"artifact": artifact, "files": files, "model": request["model"], "runtime": runtime}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return artifact


class Project:
    """A store with bundles and a deployment document."""

    def __init__(self, folder, models):
        self.folder = folder
        self.models = models
        self.path = folder / "deployment.json"
        self.deployments = FileDeployments(self.path)
        self.prepared = {}

    def add(self, version, model=None, request=REQUEST, runtime="onnx"):
        bundle = f"bundles/{version}"
        model = self.models[version] if model is None else model
        artifact = write_bundle(self.folder / bundle, model, request, runtime)
        self.prepared[version] = Deployed(
            version=version, bundle=bundle, artifact=artifact, runtime=runtime
        )
        return self.prepared[version]

    def deploy(self, generation, weights, champion=1, **changes):
        deployment = Deployment(
            model=changes.pop("model", "churn"),
            generation=generation,
            contract=CONTRACT,
            prepare=changes.pop("prepare", tuple(self.prepared.values())),
            weights={str(version): share for version, share in weights.items()},
            champion=champion,
            **changes,
        )
        self.deployments.publish(deployment)
        return deployment


@pytest.fixture
def project(tmp_path, models):
    return Project(tmp_path / "store", models)


class Client:
    """Calls an application without a socket, on an event loop of its own."""

    def __init__(self, app):
        self.app = app
        self.station = app._station
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(app.start())

    def until(self, condition, timeout_s=10.0):
        async def wait():
            async with asyncio.timeout(timeout_s):
                while not condition():  # noqa: ASYNC110 (threads and files change it, not a task)
                    await asyncio.sleep(0.005)

        self.loop.run_until_complete(wait())

    async def ask(self, method, path, body=b"", headers=None):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        answer = await self.app.respond(Request(method, path, headers or {}, body))
        content = answer.body
        if answer.content_type == b"application/json" and content.strip():
            content = msgspec.json.decode(content)
        elif answer.content_type != b"application/octet-stream":
            content = content.decode()
        headers = dict(answer.headers) | {b"content-type": answer.content_type}
        return Answer(answer.status, headers, content)

    def call(self, method, path, body=b"", headers=None):
        return self.loop.run_until_complete(self.ask(method, path, body, headers))

    def post(self, path, body, headers=None):
        return self.call("POST", path, body, headers)

    def get(self, path, headers=None):
        return self.call("GET", path, headers=headers)

    def close(self):
        self.loop.run_until_complete(asyncio.wait_for(self.app.stop(), 10))
        self.loop.close()


class Answer:
    def __init__(self, status, headers, content):
        self.status = status
        self.headers = headers
        self.content = content

    def __repr__(self):
        return f"{self.status} {self.content}"


@pytest.fixture
def client_of():
    """Open a client of an application."""
    with contextlib.ExitStack() as stack:

        def opened(app):
            client = Client(app)
            stack.callback(client.close)
            return client

        yield opened


@pytest.fixture
def open_client(project, client_of):
    """Open a client of an application that follows the project."""

    def opened(*, limits=None, ready=True):
        plan = GatewayPlan(deployment=project.path, limits=limits or Limits())
        client = client_of(build_app(plan, SystemClock()))
        if ready:
            client.until(lambda: client.station.follower.serving)
        return client

    return opened


@pytest.fixture
def client(project, open_client):
    """A client of version 1, with version 2 prepared without traffic; buffered log."""
    project.add(1)
    project.add(2)
    project.deploy(1, {1: 1.0})
    return open_client()


def said(value):
    """Return a value of a plan as Python that makes it, with what its text leaves out."""
    if isinstance(value, LogSettings):
        return f"LogSettings(url={value.url!r}, files={value.files!r})"
    return f"Path({str(value)!r})" if isinstance(value, Path) else repr(value)


class Process:
    """A gateway as a process of its own."""

    def __init__(self, project, **plan):
        plan = {"port": 0, "deployment": project.path} | plan
        words = ", ".join(f"{name}={said(value)}" for name, value in plan.items())
        command = (
            "from pathlib import Path; from setpoint.settings import LogSettings; "
            "from setpoint.gateway.limits import Limits; "
            "from setpoint.wiring.gateway import GatewayPlan, run_gateway; "
            "from setpoint.wiring.gateway_plan import Drain; "
            f"run_gateway(GatewayPlan({words}))"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        line = self.process.stdout.readline().decode()
        if "://" not in line:
            raise RuntimeError(self.process.stderr.read().decode())
        self.url = line.split()[-1]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def terminate(self):
        """Stop as an operator does, and return exit code and error output."""
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors.decode()

    def close(self):
        if self.process.poll() is None:
            self.kill()
        self.process.stdout.close()
        self.process.stderr.close()


@pytest.fixture
def start_gateway(project):
    """Start gateway processes that follow the project."""
    started = []

    def start(**plan):
        started.append(Process(project, **plan))
        return started[-1]

    yield start
    for process in started:
        process.close()


@pytest.fixture
def wait_until():
    def wait(condition, timeout_s=20.0):
        deadline = time.perf_counter() + timeout_s
        while not condition():
            assert time.perf_counter() < deadline, "waited in vain"
            time.sleep(0.01)

    return wait


@pytest.fixture
def put_runner(client):
    """Let version 1 of the client answer by another model."""
    with ThreadPoolExecutor(2) as executor:

        def put(runner):
            serving = client.station.follower.serving
            original = serving.versions[1]
            batcher = Batcher(original.schema, runner, executor, limits=client.station.limits)
            choice = serving.only._replace(version=dataclasses.replace(original, batcher=batcher))
            client.station.follower.serving = dataclasses.replace(serving, only=choice)

        yield put


@pytest.fixture(scope="session")
def row():
    return dict(ROW)


@pytest.fixture(scope="session")
def request_document():
    return json.loads(json.dumps(REQUEST))


@pytest.fixture(scope="session")
def bundle_writer():
    return write_bundle


@pytest.fixture(scope="session")
def translator():
    """Return what makes ONNX bytes of an estimator and its columns."""
    return onnx_bytes
