"""Tests of the application: routes, limits, and that no body whatsoever makes it fail."""

import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from setpoint.gateway.app import ROUTES, find_route
from setpoint.gateway.wire.refusal import RefusedError


def encode(body):
    """Return JSON; what UTF-8 cannot say (lone surrogates) becomes an escape."""
    return json.dumps(body).encode()


POSTS = ["/predict", "/v1/predict", "/invocations", "/outcomes", "/v2/models/churn/infer"]


@pytest.mark.parametrize("path", sorted(ROUTES))
def test_wrong_method_is_405_and_says_the_right_one(client, path):
    right = ROUTES[path][0]
    answer = client.call("DELETE", path)
    assert answer.status == 405
    assert answer.headers[b"allow"] == right.encode()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/predict/",
        "/v2/models/",
        "/v2/models/a/b",
        "/v2/models//infer",
        "/v2/models/a/versions",
        "/v2/models/a/versions//infer",
        "/v2/models/a/infer/x",
    ],
)
def test_unknown_path_is_404(path):
    with pytest.raises(RefusedError) as refused:
        find_route(path)
    assert refused.value.status == 404


def test_head_is_a_get_without_a_body(client):
    assert client.call("HEAD", "/healthz").status == 200


def test_compressed_body_is_415(client, row):
    assert client.post("/predict", row, {b"content-encoding": b"gzip"}).status == 415


def test_without_any_deployment_requests_are_503_with_the_reason(open_client, row):
    client = open_client(ready=False)
    client.until(lambda: client.station.follower.refused)
    answer = client.post("/predict", row)
    assert answer.status == 503
    assert "there is no deployment document yet" in answer.content["error"]
    assert client.get("/healthz").status == 200
    assert client.get("/health").content == {"status": "unhealthy", "model_loaded": False}
    ready = client.get("/readyz")
    assert ready.status == 503
    assert ready.content["reasons"]


def test_health_as_scripts_read_it(client):
    content = client.get("/health").content
    assert content["status"] == "healthy"
    assert content["model_loaded"] is True


NASTY = [
    b"", b" ", b"{", b"[" * 100_000, b"[" * 3000 + b"]" * 3000, b'{"a":' * 3000 + b"1" + b"}" * 3000,
    b"NaN", b"Infinity", b'{"tenure": NaN}', b'{"tenure": -Infinity}', b'{"tenure": 1e400}',
    b'{"tenure": ' + b"9" * 10_000 + b"}", b'{"tenure": 1.' + b"9" * 10_000 + b"}", b'{"tenure": 1e-400}',
    b'"\\ud800"', b'{"region": "\\udfff"}', b'{"\\ud800": 1}', b"\xff\xfe", b"\xed\xa0\x80", b'{"region": "\xff"}',
    b"\xef\xbb\xbf{}", b"null", b"true", b"1", b'"a"', b"[[]]", b"[[[[]]]]", b"[{}]", b"[null]", b"{}",
    b'{"features": null}', b'{"features": [[null, null, null, null, null]]}', b'{"instances": {}}',
    b'{"outcomes": null}', b'{"outcomes": [null]}', b'{"prediction_id": 1, "outcome": 1}',
    b'{"prediction_id": "x", "outcome": []}', b'{"prediction_id": "x", "outcome": "Yes"}',
    b'{"inputs": [{"name": "", "shape": [18446744073709551615], "datatype": "", "data": []}]}',
    b'{"inputs": [{"name": "x", "shape": [1, 18446744073709551615], "datatype": "FP64", "data": [[]]}]}',
    b'{"id": 1, "inputs": []}', b'{"inputs": {}}', b"a" * 1000,
]  # fmt: skip


@pytest.mark.parametrize("path", POSTS)
def test_nasty_body_is_a_4xx_that_says_why(client, path):
    for body in NASTY:
        answer = client.post(path, body)
        assert 400 <= answer.status < 500, (body, answer)
        assert answer.content.get("error") or answer.content["message"]
        assert answer.content["detail"]


numbers = st.one_of(
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.floats(allow_nan=False, allow_infinity=False),
)
scalars = st.one_of(
    st.none(), st.booleans(), numbers, st.text(), st.sampled_from(["monthly", "Yes", "\0", ""])
)
names = st.sampled_from(
    ["tenure", "charges", "paperless", "plan", "region", "customer_id", "features", "instances",
     "inputs", "name", "shape", "datatype", "data", "id", "outcomes", "prediction_id", "outcome"]
)  # fmt: skip
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6), st.dictionaries(st.one_of(names, st.text()), inner, max_size=8)
    ),
    max_leaves=25,
)
columns = ["tenure", "charges", "paperless", "plan", "region"]
nearly = st.fixed_dictionaries({name: st.one_of(scalars, trees) for name in columns})
tensor = st.fixed_dictionaries(
    {
        "name": names,
        "shape": st.lists(st.one_of(st.integers(0, 3), st.integers()), max_size=3),
        "datatype": st.sampled_from(["FP64", "INT64", "BOOL", "BYTES", "x"]),
        "data": st.lists(trees, max_size=6),
    }
)
infer = st.fixed_dictionaries({"inputs": st.lists(tensor, max_size=6)})
bodies = st.one_of(trees, nearly, st.lists(nearly, max_size=3), infer)


@pytest.mark.parametrize("path", POSTS)
@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=st.one_of(bodies.map(encode), st.binary(max_size=60)))
def test_no_body_makes_the_gateway_fail(client, path, body):
    answer = client.post(path, body)
    assert answer.status < 500, (body, answer)
    if answer.status != 200:
        assert answer.content.get("error") or answer.content["message"]


@pytest.mark.parametrize("path", [path for path in POSTS if path != "/invocations"])
@pytest.mark.parametrize("body", [b"", b" \n"])
def test_empty_body_is_told_as_such(client, path, body):
    answer = client.call("POST", path, body)
    assert answer.status == 400
    assert "the body is empty" in answer.content["error"]


@pytest.mark.parametrize(
    ("body", "name", "byte"),
    [
        (b'{"tenure": NaN}', "NaN", 11),
        (b'{"tenure": 1, "charges":-Infinity}', "-Infinity", 24),
        (b"[[Infinity]]", "Infinity", 2),
        (b"NaN", "NaN", 0),
    ],
)
def test_number_that_json_does_not_have_is_told_with_its_place(client, body, name, byte):
    answer = client.call("POST", "/v1/predict", body)
    assert answer.status == 400
    assert answer.content["error"] == f"{name} is not JSON (byte {byte}); send null"


def test_failure_of_the_gateway_itself_is_a_500_that_says_so(client, row, monkeypatch, capsys):
    async def broken(*args, **kwargs):
        raise RuntimeError("boom")

    monkeypatch.setattr(type(client.station.answering), "answer", broken)
    answer = client.post("/predict", row)
    assert answer.status == 500
    assert "boom" not in msgspec.json.encode(answer.content).decode()
    assert "boom" in capsys.readouterr().err
