"""A gateway that follows a document at a URL: bundles fetched, releases, outages, bad documents, secrets."""

import contextlib
import json
import pickle
import shutil
import threading
import time

import msgspec
import pytest
from tests.adapters.web_server import serving
from tests.gateway.command import running

from setpoint.facts.deployment import Deployment

TOKEN = "s3cret-token"  # noqa: S105 (a test's)


@pytest.fixture
def server(project):
    """A server of the project's document and bundles, as a bucket behind a token is."""
    with serving() as found:
        found.token = TOKEN

        def page(path):
            def answer(handler):
                if handler.headers.get("Authorization") != f"Bearer {found.token}":
                    return 401, {}, b"who are you?"
                file = project.folder / path.lstrip("/")
                if not file.is_file():
                    return 404, {}, b""
                tag = f'"{file.stat().st_mtime_ns}"'
                if handler.headers.get("If-None-Match") == tag:
                    return 304, {"ETag": tag}, b""
                return 200, {"ETag": tag}, file.read_bytes()

            return answer

        found.rest = page
        yield found


@pytest.fixture
def here(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "elsewhere"


def start(server, here, *words, env=None):
    words = ("--deployment", f"{server.url}/deployment.json", "--poll", "0.1", *words)
    return running(
        *words, cwd=here, env={"SETPOINT_DEPLOYMENT_TOKEN": TOKEN} if env is None else env
    )


def version(gateway, row):
    return gateway.ask("/predict", row)[2].get("model_version")


def test_document_and_bundles_are_fetched_and_releases_followed(project, server, here, row):
    project.add(1)
    project.add(2)
    project.deploy(1, {1: 1.0}, prepare=(project.prepared[1],), log="durable")
    with start(server, here) as gateway:
        gateway.until_ready()
        assert version(gateway, row) == "1"
        assert (here / ".setpoint" / "remote" / "log.db").is_file()
        project.deploy(2, {2: 1.0}, champion=2)
        gateway.until(lambda: version(gateway, row) == "2")
        kept = sorted(path.name for path in (here / ".setpoint" / "remote" / "bundles").iterdir())
        assert kept == sorted(one.artifact for one in project.prepared.values())
        assert gateway.metric("setpoint_deployment_unreachable_seconds") == 0
        code, errors = gateway.stop()
    assert code == 0
    assert TOKEN not in errors
    asked = [path for path in server.paths() if path != "/deployment.json"]
    assert len(asked) == len(set(asked))


def test_paths_of_the_machine_that_published_are_looked_for_beside_the_document(
    project, server, here, row
):
    deployed = project.add(1)
    absolute = project.folder / "bundles" / deployed.artifact
    shutil.move(project.folder / "bundles" / "1", absolute)
    gone = msgspec.structs.replace(deployed, bundle=f"/of/another/machine/bundles/{absolute.name}")
    project.deploy(1, {1: 1.0}, prepare=(gone,))
    with start(server, here) as gateway:
        gateway.until_ready()
        assert version(gateway, row) == "1"


def test_outage_changes_nothing_and_is_told_for_how_long(project, server, here, row):
    project.add(1)
    project.deploy(1, {1: 1.0})
    with start(server, here) as gateway:
        gateway.until_ready()
        server.token = "changed"  # noqa: S105 (a test's)
        gateway.until(lambda: gateway.metric("setpoint_deployment_unreachable_seconds") > 0.2)
        status, _, ready = gateway.ask("/readyz")
        assert (status, version(gateway, row)) == (200, "1")
        (warning,) = ready["warnings"]
        assert f"{server.url}/deployment.json cannot be fetched since" in warning
        assert "it answers 401" in warning
        assert gateway.metric("setpoint_deployment_refused") == 1
        server.token = TOKEN
        gateway.until(lambda: gateway.metric("setpoint_deployment_unreachable_seconds") == 0)
        assert gateway.ask("/readyz")[2]["warnings"] == []
        _, errors = gateway.stop()
    assert errors.count("cannot be fetched") == 1
    assert "in force" in errors


def test_bad_documents_and_bundles_are_refused_and_the_last_good_ones_stay(
    project, server, here, row
):
    project.add(1)
    project.add(2)
    project.deploy(1, {1: 1.0}, prepare=(project.prepared[1],))
    with start(server, here) as gateway:
        gateway.until_ready()

        def refused(words):
            return gateway.until(lambda: words in " ".join(gateway.ask("/readyz")[2]["warnings"]))

        project.path.write_text("{")
        refused("is not a deployment document")
        (project.folder / "bundles" / "2" / "model.onnx").write_bytes(b"altered")
        project.deploy(2, {2: 1.0}, champion=2)
        refused("does not have the digest that the manifest names")
        found = msgspec.json.decode(project.path.read_bytes(), type=Deployment)
        outside = msgspec.structs.replace(project.prepared[2], bundle="../../etc")
        found = msgspec.structs.replace(found, generation=3, prepare=(outside,))
        project.path.write_bytes(msgspec.json.encode(found))
        refused("is no path beneath the document's folder")
        assert version(gateway, row) == "1"


def test_gateway_starts_before_its_document_and_waits(project, server, here, row):
    with start(server, here) as gateway:
        status, _, ready = gateway.ask("/readyz")
        assert (status, ready["ready"]) == (503, False)
        gateway.until(lambda: len(server.paths()) > 1)  # its first look is over
        project.add(1)
        project.deploy(1, {1: 1.0})
        gateway.until_ready()
        assert version(gateway, row) == "1"
        assert f"waiting for {server.url}/deployment.json" in gateway.stop()[1]


def test_server_that_was_never_there_is_named_by_readiness(here):
    with serving() as gone:
        pass
    with start(gone, here) as gateway:
        found = gateway.until(lambda: _with(gateway, "nobody listens there"))
        assert found["ready"] is False


def _with(gateway, words):
    found = gateway.ask("/readyz")[2]
    return found if words in " ".join(found["reasons"]) else None


def test_pickle_is_loaded_where_the_document_says_native(project, server, here):
    project.add(1, pickle.dumps("no model"), runtime="native")
    project.deploy(1, {1: 1.0})
    with start(server, here) as gateway:
        gateway.until(lambda: _with(gateway, "version 1"))
        assert not _with(gateway, "loads none")


def test_workers_share_what_one_fetched(project, server, here, row):
    project.add(1)
    project.deploy(1, {1: 1.0})
    with start(server, here, "--workers", "2") as gateway:
        gateway.until(lambda: all(gateway.status("/readyz") == 200 for _ in range(8)))
        assert all(version(gateway, row) == "1" for _ in range(8))
        kept = list((here / ".setpoint" / "remote" / "bundles").iterdir())
        assert [path.name for path in kept] == [project.prepared[1].artifact]
        assert gateway.stop()[0] == 0


def test_document_says_json_whatever_the_server_calls_it(project, server, here, row):
    project.add(1)
    deployment = project.deploy(1, {1: 1.0})
    server.pages["/deployment.json"] = (
        200,
        {"Content-Type": "text/html"},
        json.dumps(msgspec.to_builtins(deployment)).encode(),
    )
    with start(server, here) as gateway:
        gateway.until_ready()
        assert version(gateway, row) == "1"


def dripping(server, page):
    """Let a page come so slowly that nobody can wait for it, and return an event that is set when it begins."""
    begun = threading.Event()

    def drip(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        begun.set()
        with contextlib.suppress(OSError):
            for _ in range(150):
                handler.wfile.write(b"x")
                time.sleep(0.1)

    server.pages[page] = drip
    return begun


def test_slow_bundle_does_not_hold_up_the_document_that_takes_it_back(project, server, here, row):
    first = project.add(1)
    project.deploy(1, {1: 1.0})
    with start(server, here) as gateway:
        gateway.until_ready()
        begun = dripping(server, "/bundles/2/model.onnx")
        project.add(2)
        project.deploy(2, {1: 0.5, 2: 0.5})
        assert begun.wait(10)
        project.deploy(3, {1: 1.0}, prepare=(first,))
        gateway.until(lambda: gateway.ask("/readyz")[2]["generation"] == 3, timeout_s=5.0)
        assert version(gateway, row) == "1"


def test_gateway_ends_at_once_though_a_bundle_is_on_its_way(project, server, here):
    project.add(1)
    project.deploy(1, {1: 1.0})
    begun = dripping(server, "/bundles/1/model.onnx")
    with start(server, here) as gateway:
        assert begun.wait(10)
        started = time.perf_counter()
        assert gateway.stop()[0] == 0
        assert time.perf_counter() - started < 3.0
