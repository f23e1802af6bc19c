"""Tests of the plan of a gateway process."""

import pickle
import socket

import pytest

from setpoint.clock import SystemClock
from setpoint.digest import sha256_bytes, sha256_files
from setpoint.errors import BundleError, UnknownPredictionError, UsageError
from setpoint.facts.prediction import Outcome
from setpoint.wiring.gateway import NoLog, _listen, build_app
from setpoint.wiring.gateway_plan import GatewayPlan
from setpoint.wiring.gateway_sources import sources

CLOCK = SystemClock()
REQUEST = (
    b'{"model": "m", "task": "regression", "contract": "c", '
    b'"columns": [{"name": "x", "kind": "float"}]}'
)


@pytest.fixture
def bundle(tmp_path):
    def written(runtime):
        folder = tmp_path / "bundle"
        folder.mkdir()
        (folder / "request.json").write_bytes(REQUEST)
        (folder / "model.pkl").write_bytes(pickle.dumps(1))
        files = {path.name: sha256_bytes(path.read_bytes()) for path in folder.iterdir()}
        (folder / "manifest.json").write_text(
            f'{{"artifact": "{sha256_files(files)}", "runtime": "{runtime}"}}'
        )
        return folder

    return written


@pytest.mark.parametrize("both", [False, True])
def test_document_and_bundle_are_one_or_the_other(tmp_path, both):
    plan = GatewayPlan(deployment=tmp_path, bundle=tmp_path) if both else GatewayPlan()
    with pytest.raises(UsageError, match="one of them"):
        build_app(plan, SystemClock())


def test_log_stands_beside_the_document_unless_named(tmp_path):
    path = tmp_path / "store" / "deployment.json"
    found = sources(GatewayPlan(deployment=path), CLOCK)
    assert (found.base, found.log.tables) == (path.parent, path.parent / "log.db")
    named = GatewayPlan(deployment=path, log=tmp_path / "other.db")
    assert sources(named, CLOCK).log.tables == tmp_path / "other.db"


def test_lone_bundle_gets_all_traffic_and_logs_only_where_told(bundle, tmp_path):
    folder = bundle("onnx")
    found = sources(GatewayPlan(bundle=folder), CLOCK)
    deployment = found.documents.current()
    deployment.require_sound()
    assert (deployment.model, deployment.weights, deployment.log) == ("m", {"1": 1.0}, "off")
    assert found.log is None
    logged = sources(GatewayPlan(bundle=folder, log=tmp_path / "log.db"), CLOCK)
    assert (logged.documents.current().log, logged.log.tables) == ("durable", tmp_path / "log.db")


def test_lone_pickle_needs_trust(bundle):
    folder = bundle("native")
    with pytest.raises(BundleError, match="serve it with --native if you trust who wrote it"):
        sources(GatewayPlan(bundle=folder), CLOCK)
    found = sources(GatewayPlan(bundle=folder, native=True), CLOCK)
    assert found.documents.current().prepare[0].runtime == "native"


@pytest.mark.parametrize("inside", [None, "manifest.json"])
def test_folder_that_is_no_bundle_is_refused(tmp_path, inside):
    if inside:
        (tmp_path / inside).write_text('{"artifact": "a"}')
    with pytest.raises(BundleError, match="is not a bundle"):
        build_app(GatewayPlan(bundle=tmp_path), SystemClock())


def test_taken_port_says_so():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"127.0.0.1:{port}: Address already in use.*; choose"):
            _listen(GatewayPlan(port=port))


def test_gateway_without_a_log_knows_no_prediction():
    with pytest.raises(UnknownPredictionError):
        NoLog().record([Outcome(prediction="p", value=1.0, at=0.0)])
