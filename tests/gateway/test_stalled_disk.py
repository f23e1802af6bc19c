"""Real clients against a gateway whose durable log cannot be written for a while: each is told in time."""

import http.client
import json
import time
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import apsw
import numpy as np
import pytest
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
from tritonclient.utils import InferenceServerException

from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.facts.deployment import ServingLimits

COLUMNS = {
    "tenure": ("INT64", np.array([3], np.int64)),
    "charges": ("FP64", np.array([70.5])),
    "paperless": ("BOOL", np.array([True])),
    "plan": ("BYTES", np.array(["monthly"], object)),
    "region": ("BYTES", np.array(["north"], object)),
}
WISH_US = 200_000


@pytest.fixture
def gateway(project, start_gateway, wait_until):
    """A gateway process with a durable log and a door for gRPC."""
    project.add(1)
    project.deploy(1, {1: 1.0}, log="durable", limits=ServingLimits(deadline_s=0.6))
    gateway = start_gateway(grpc_port=0)
    wait_until(lambda: ask(gateway, "GET", "/readyz")[0] == 200)
    return gateway


def ask(gateway, method, path, body=None, headers=None):
    """Return status, content and seconds."""
    place = urlsplit(gateway.url)
    link = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
    started = time.perf_counter()
    with closing(link):
        link.request(method, path, json.dumps(body) if body else None, headers or {})
        answer = link.getresponse()
        content = answer.read()
    return answer.status, content.decode(), time.perf_counter() - started


def grpc_address(gateway):
    line = gateway.process.stdout.readline().decode()
    return line.split()[-1].removeprefix("grpc://")


@contextmanager
def stalled(project):
    """Hold the log's write lock, as a backup or a disk that hangs does."""
    with closing(apsw.Connection(str(project.folder / "log.db"))) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def inputs_of(module):
    made = []
    for name, (datatype, values) in COLUMNS.items():
        made.append(module.InferInput(name, [1], datatype))
        made[-1].set_data_from_numpy(values)
    return made


def test_every_client_is_told_in_time_and_the_log_goes_on_afterwards(gateway, project, row):
    with stalled(project):
        status, said, took = ask(gateway, "POST", "/predict", row)
        assert status == 504
        assert "not in the log within 0.6 s" in said
        assert 0.5 < took < 3.0
        status, said, took = ask(
            gateway, "POST", "/invocations", {"instances": [row]}, {"grpc-timeout": "200m"}
        )
        assert (status, json.loads(said)["error_code"]) == (504, "DEADLINE_EXCEEDED")
        assert 0.15 < took < 0.55
        with (
            triton_http.InferenceServerClient(gateway.url.removeprefix("http://")) as client,
            pytest.raises(InferenceServerException, match=r"not in the log within 0\.2 s"),
        ):
            client.infer("churn", inputs_of(triton_http), timeout=WISH_US)
        with triton_grpc.InferenceServerClient(grpc_address(gateway)) as client:
            for wish in ({"timeout": WISH_US}, {"client_timeout": WISH_US / 1e6}, {}):
                with pytest.raises(InferenceServerException) as refused:
                    client.infer("churn", inputs_of(triton_grpc), **wish)
                assert refused.value.status() == "StatusCode.DEADLINE_EXCEEDED"
        assert ask(gateway, "GET", "/healthz")[0] == 200
    deadline = time.perf_counter() + 10
    while ask(gateway, "POST", "/predict", row)[0] != 200:
        assert time.perf_counter() < deadline
    assert ask(gateway, "GET", "/readyz")[0] == 200
    assert gateway.terminate()[0] == 0
    log = SqliteLog(project.folder / "log.db")
    found = log.window(0.0, 1e12)
    log.close()
    assert len(found) >= 1
    assert set(found["error"].to_pylist()) == {""}  # the model did answer, though nobody was told
