"""Tests of API keys: who gets in, for what, until when; and that a change needs no restart."""

import asyncio
import json

import msgspec
import pytest

from setpoint.adapters.key_file import KeyFile
from setpoint.clock import ManualClock, SystemClock
from setpoint.errors import UsageError
from setpoint.facts.api_key import ApiKey
from setpoint.gateway.access.access import PROBES, Access
from setpoint.gateway.access.keys import Keys, read_keys
from setpoint.gateway.wire.exchange import Request
from setpoint.gateway.wire.refusal import RefusedError
from setpoint.wiring.gateway import GatewayPlan, build_app


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys.json"


def add(path, name="ann", **fields):
    return KeyFile(path).add(ApiKey(name=name, digest="", **fields))


def access(path, clock=None):
    return Access(clock or ManualClock(), keys=Keys(path))


def ask(path_, key="", method="POST", header=b"authorization", prefix="Bearer "):
    headers = {header: f"{prefix}{key}".encode()} if key else {}
    return Request(method, path_, headers)


def refused(keys, request, model="churn"):
    with pytest.raises(RefusedError) as error:
        keys.require(request, model)
    return error.value


def test_key_lets_in_by_either_header_and_is_kept_nowhere(path):
    key = add(path)
    keys = access(path)
    keys.require(ask("/predict", key), "churn")
    keys.require(ask("/predict", key, prefix="bearer "), "churn")
    keys.require(ask("/predict", key, header=b"x-api-key", prefix=""), "churn")
    assert key not in path.read_text()
    assert key.removeprefix("sp_") not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_no_key_and_unknown_keys_are_401_and_say_how(path):
    add(path)
    keys = access(path)
    for request in (ask("/predict"), ask("/predict", "sp_wrong"), ask("/predict", "x", prefix="")):
        error = refused(keys, request)
        assert error.status == 401
        assert (b"www-authenticate", b"Bearer") in error.headers
    assert "send an API key as Authorization: Bearer" in str(refused(keys, ask("/predict")))


def test_probes_need_no_key(path):
    add(path)
    for probe in PROBES:
        access(path).require(ask(probe, method="GET"), "churn")


@pytest.mark.parametrize(
    ("verb", "method", "path_"),
    [
        ("predict", "POST", "/v2/models/churn/infer"),
        ("outcomes", "POST", "/outcomes"),
        ("read", "GET", "/v2/models/churn"),
        ("metrics", "GET", "/metrics"),
    ],
)
def test_verb_that_the_key_does_not_allow_is_403_and_named(path, verb, method, path_):
    others = tuple({"predict", "outcomes", "read", "metrics"} - {verb})
    right, wrong = add(path, "right", verbs=(verb,)), add(path, "wrong", verbs=others)
    keys = access(path)
    keys.require(ask(path_, right, method), "churn")
    error = refused(keys, ask(path_, wrong, method))
    assert error.status == 403
    assert f"not {verb}" in str(error)


def test_key_of_one_model_opens_no_other(path):
    key = add(path, models=("churn",))
    keys = access(path)
    keys.require(ask("/predict", key), "churn")
    assert refused(keys, ask("/predict", key), "fraud").status == 403


def test_key_expires(path):
    key = add(path, expires=100.0)
    clock = ManualClock(99.0)
    keys = access(path, clock)
    keys.require(ask("/predict", key), "churn")
    clock.put(100.0)
    error = refused(keys, ask("/predict", key))
    assert (error.status, "expired" in str(error)) == (401, True)


def test_names_are_unique_and_unknown_ones_are_told(path):
    add(path)
    with pytest.raises(UsageError, match="a key named 'ann' already"):
        add(path)
    with pytest.raises(UsageError, match="no key named 'bob'; there are: ann"):
        KeyFile(path).revoke("bob")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"keys": [{"name": "a"}]}', b'{"key": []}', b"\xff"]
)
def test_file_that_is_none_is_an_error(path, content):
    path.write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read"):
        read_keys(path)
    with pytest.raises(UsageError, match="cannot be read"):
        KeyFile(path).keys()


def test_gateway_takes_rotated_keys_without_a_restart(project, row, path, client_of, capsys):
    project.add(1)
    project.deploy(1, {1: 1.0})
    old = add(path, "old")
    plan = GatewayPlan(deployment=project.path, keys=path)
    client = client_of(build_app(plan, SystemClock()))
    client.until(lambda: client.station.follower.serving)

    def status(key):
        headers = {b"authorization": f"Bearer {key}".encode()} if key else {}
        return client.post("/predict", row, headers).status

    def until(condition):
        for _ in range(1000):
            if condition():
                return
            client.loop.run_until_complete(asyncio.sleep(0.01))
        pytest.fail("waited in vain")

    assert (status(old), status("")) == (200, 401)
    new = add(path, "new")
    until(lambda: status(new) == 200)
    assert status(old) == 200
    KeyFile(path).revoke("old")
    until(lambda: status(old) == 401)
    path.write_text("{")
    until(lambda: "stay in force" in capsys.readouterr().err)
    assert status(new) == 200
    assert client.get("/healthz").status == 200
    assert client.get("/metrics").status == 401


def test_keys_of_the_command_line(tmp_path):
    from typer.testing import CliRunner

    from setpoint.cli import app

    runner = CliRunner()
    file = str(tmp_path / "keys.json")
    made = runner.invoke(app, ["keys", "add", "ann", "--verb", "metrics", "--file", file, "--json"])
    key = json.loads(made.stdout)["key"]
    access(tmp_path / "keys.json", SystemClock()).require(ask("/metrics", key, "GET"), "churn")
    listed = runner.invoke(app, ["keys", "list", "--file", file])
    assert listed.stdout == "ann: metrics\n"
    assert msgspec.json.decode(
        runner.invoke(app, ["keys", "list", "--file", file, "--json"]).stdout
    )
    assert (
        runner.invoke(app, ["keys", "add", "bob", "--verb", "all", "--file", file]).exit_code == 2
    )
    assert runner.invoke(app, ["keys", "revoke", "bob", "--file", file]).exit_code == 2
    assert runner.invoke(app, ["keys", "revoke", "ann", "--file", file]).exit_code == 0
    assert "has no keys" in runner.invoke(app, ["keys", "list", "--file", file]).stdout
