"""Every call without a socket: answered as REST answers, bit for bit, and refused with the same words."""

import json
import struct

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.gateway.conftest import fitted
from tests.gateway.door_inputs import NAMES, Reference, batches, is_sound, plain_rows

from setpoint.adapters.key_file import KeyFile
from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.clock import SystemClock
from setpoint.facts.api_key import ApiKey
from setpoint.gateway.grpc.calls import CALLS, find_call
from setpoint.gateway.grpc.messages import MESSAGES
from setpoint.gateway.wire.exchange import Request
from setpoint.gateway.wire.refusal import RefusedError
from setpoint.wiring.gateway import GatewayPlan, build_app

INFER = "/v2/models/churn/infer"
DATATYPES = {
    "tenure": ("INT64", "q", "int64_contents"),
    "charges": ("FP64", "d", "fp64_contents"),
    "paperless": ("BOOL", "?", "bool_contents"),
    "plan": ("BYTES", "", "bytes_contents"),
    "region": ("BYTES", "", "bytes_contents"),
}
ROWS = [
    {"tenure": 3, "charges": 70.5, "paperless": True, "plan": "monthly", "region": "north"},
    {"tenure": 100, "charges": 0.1 + 0.2, "paperless": False, "plan": "yearly", "region": "süd"},
    {"tenure": 50, "charges": 5e-324, "paperless": True, "plan": None, "region": "日本"},
]


def cell(name, row):
    value = row[name]
    return (value or "").encode() if DATATYPES[name][0] == "BYTES" else value


def packed(name, rows):
    values = [cell(name, row) for row in rows]
    if DATATYPES[name][0] == "BYTES":
        return b"".join(struct.pack("<I", len(one)) + one for one in values)
    return struct.pack(f"<{len(rows)}{DATATYPES[name][1]}", *values)


def raw_request(rows, **more):
    inputs = [
        {"name": name, "datatype": DATATYPES[name][0], "shape": [len(rows)]} for name in NAMES
    ]
    raw = [packed(name, rows) for name in NAMES]
    return {"model_name": "churn", "inputs": inputs, "raw_input_contents": raw} | more


def listed_request(rows, **more):
    inputs = [
        {
            "name": name,
            "datatype": DATATYPES[name][0],
            "shape": [len(rows), 1],
            "contents": {DATATYPES[name][2]: [cell(name, row) for row in rows]},
        }
        for name in NAMES
    ]
    return {"model_name": "churn", "inputs": inputs} | more


def data_of(message):
    """Return the outputs by name, as plain values."""
    found = {}
    for place, output in enumerate(message.outputs):
        if not message.raw_output_contents:
            _, data = output.contents.ListFields()[0]
            found[output.name] = list(data)
        elif output.datatype == "BYTES":
            found[output.name] = texts(message.raw_output_contents[place])
        else:
            found[output.name] = np.frombuffer(message.raw_output_contents[place], "<f8").tolist()
    return found


def texts(raw):
    found = []
    while raw:
        size = int.from_bytes(raw[:4], "little")
        found.append(raw[4 : 4 + size])
        raw = raw[4 + size :]
    return found


def rest(client, rows, **more):
    tensors = [
        {"name": name, "datatype": DATATYPES[name][0], "shape": [len(rows)], "data": [row[name] for row in rows]}
        for name in NAMES
    ]  # fmt: skip
    return client.post(INFER, {"inputs": tensors} | more)


def test_answers_are_those_of_rest_bit_for_bit(client, call):
    expected = {one["name"]: one["data"] for one in rest(client, ROWS).content["outputs"]}
    for form in (raw_request, listed_request):
        found = data_of(call(client, "ModelInfer", form(ROWS)).message)
        assert found["probability"] == expected["probability"]
        assert found["label"] == [label.encode() for label in expected["label"]]
        assert len(set(found["prediction_id"])) == len(ROWS)


def test_answer_comes_in_the_form_of_the_request(client, call):
    packed_answer = call(client, "ModelInfer", raw_request(ROWS)).message
    assert len(packed_answer.raw_output_contents) == len(packed_answer.outputs) == 3
    listed_answer = call(client, "ModelInfer", listed_request(ROWS)).message
    assert not listed_answer.raw_output_contents
    assert [list(one.shape) for one in listed_answer.outputs] == [[3], [3, 2], [3]]


def test_answer_says_who_answered_and_returns_the_id(client, call, project):
    answer = call(client, "ModelInfer", raw_request(ROWS[:1], id="my-1")).message
    said = {
        name: getattr(one, one.WhichOneof("parameter_choice"))
        for name, one in answer.parameters.items()
    }
    assert (answer.model_name, answer.model_version, answer.id) == ("churn", "1", "my-1")
    assert said["variant"] == "champion"
    assert said["generation"] == 1
    assert json.loads(answer.outputs[1].parameters["classes"].string_param) == ["No", "Yes"]
    unnamed = call(client, "ModelInfer", raw_request(ROWS[:1])).message
    assert unnamed.id == unnamed.parameters["prediction_id"].string_param != ""
    client.loop.run_until_complete(client.station.writer.record(()))
    log = SqliteLog(project.folder / "log.db")
    logged = log.window(0.0, 1e12)
    log.close()
    assert said["prediction_id"] in logged["id"].to_pylist()


def test_outputs_that_are_asked_for_and_none_else(client, call):
    asked = raw_request(ROWS, outputs=[{"name": "prediction_id"}, {"name": "label"}])
    answer = call(client, "ModelInfer", asked).message
    assert [one.name for one in answer.outputs] == ["prediction_id", "label"]
    refused = call(client, "ModelInfer", raw_request(ROWS, outputs=[{"name": "logits"}]))
    assert (refused.status, refused.error) == (
        422,
        "there is no output 'logits'; outputs are label, probability, prediction_id",
    )
    for parameter, said in (
        ("classification", "classification is not offered"),
        ("shared_memory_region", "lies in shared memory"),
    ):
        outputs = [{"name": "label", "parameters": {parameter: {"int64_param": 1}}}]
        refused = call(client, "ModelInfer", raw_request(ROWS, outputs=outputs))
        assert refused.status == 400
        assert said in refused.error


def test_version_is_chosen_by_message_and_by_header(client, call):
    for more, headers in (
        ({"model_version": "2"}, {}),
        ({}, {b"x-setpoint-version": b"2"}),
    ):
        answer = call(client, "ModelInfer", raw_request(ROWS, **more), headers).message
        assert answer.model_version == "2"
        assert data_of(answer)["label"] == [b"No", b"Yes", b"No"]


def test_unknown_models_and_versions_are_not_found(client, call):
    for name in ("ModelInfer", "ModelMetadata", "ModelReady", "ModelConfig"):
        key = "model_name" if name == "ModelInfer" else "name"
        version = "model_version" if name == "ModelInfer" else "version"
        for fields, said in (
            ({key: "other"}, "there is no model 'other' here; there is 'churn'"),
            ({}, "there is no model ''"),
            ({key: "churn", version: "9"}, "no version '9' prepared here; prepared: 1, 2"),
        ):
            answer = call(client, name, fields)
            assert answer.status == 404
            assert said in answer.error


def test_what_the_server_and_the_model_say_of_themselves(client, call):
    assert call(client, "ServerLive").message.live
    assert call(client, "ServerReady").message.ready
    assert call(client, "ModelReady", {"name": "churn", "version": "2"}).message.ready
    server = call(client, "ServerMetadata").message
    assert (server.name, server.version) == ("setpoint", client.station.release)
    told = call(client, "ModelMetadata", {"name": "churn"}).message
    expected = client.get("/v2/models/churn").content
    assert list(told.versions) == expected["versions"] == ["1", "2"]
    for tensors in ("inputs", "outputs"):
        assert [(one.name, one.datatype, list(one.shape)) for one in getattr(told, tensors)] == [
            (one["name"], one["datatype"], one["shape"]) for one in expected[tensors]
        ]
    config = call(client, "ModelConfig", {"name": "churn"}).message.config
    assert [one.data_type for one in config.input] == [9, 12, 1, 13, 13]
    index = call(client, "RepositoryIndex", {"ready": True}).message
    assert [(one.name, one.version, one.state) for one in index.models] == [
        ("churn", "1", "READY"),
        ("churn", "2", "READY"),
    ]


def test_before_a_model_is_loaded_nothing_is_ready_and_nothing_answered(open_client, call):
    client = open_client(ready=False)
    assert call(client, "ServerLive").message.live
    assert not call(client, "ServerReady").message.ready
    assert not call(client, "ModelReady", {"name": "churn"}).message.ready
    assert not call(client, "RepositoryIndex").message.models
    for name, key in (("ModelInfer", "model_name"), ("ModelMetadata", "name")):
        answer = call(client, name, {key: "churn"})
        assert answer.status == 503
        assert "no model is loaded yet" in answer.error


def health(client, service):
    message = MESSAGES["HealthCheckRequest"](service=service).SerializeToString()
    request = Request("GET", "/grpc.health.v1.Health/Check", {}, message)
    response = client.loop.run_until_complete(client.app.respond(request, find_call))
    if response.status != 200:
        return response.status
    return MESSAGES["HealthCheckResponse"].FromString(response.body).status


def test_health_as_kubernetes_asks(client, open_client, project):
    assert health(client, "") == 1
    assert health(client, "inference.GRPCInferenceService") == 1
    assert health(client, "other.Service") == 404
    project.path.unlink()
    assert health(open_client(ready=False), "") == 2


def test_keys_are_asked_for_as_in_rest(project, client_of, tmp_path, call):
    project.add(1)
    project.deploy(1, {1: 1.0})
    path = tmp_path / "keys.json"
    reading = KeyFile(path).add(ApiKey(name="dashboard", digest="", verbs=("read",)))
    client = client_of(build_app(GatewayPlan(project.path, keys=path), SystemClock()))
    client.until(lambda: client.station.follower.serving)
    key = {b"authorization": f"Bearer {reading}".encode()}
    assert call(client, "ServerReady").message.ready  # a probe has no key
    assert health(client, "") == 1
    assert call(client, "ModelMetadata", {"name": "churn"}).status == 401
    assert call(client, "ModelMetadata", {"name": "churn"}, key).status == 200
    answer = call(client, "ModelInfer", raw_request(ROWS), key)
    assert answer.status == 403
    assert "not predict" in answer.error


def test_every_call_is_counted_under_its_own_route(client, call):
    call(client, "ModelInfer", raw_request(ROWS))
    call(client, "ModelInfer", raw_request(ROWS, model_version="9"))
    text = client.get("/metrics").content
    route = 'http_route="/inference.GRPCInferenceService/ModelInfer"'
    for status in ("200", "404"):
        assert any(
            route in line and f'"{status}"' in line and "_count" in line
            for line in text.splitlines()
        )
    assert 'model_predictions_total{model="churn",version="1"} 3' in text


def test_too_many_rows_are_refused(client, call):
    rows = client.station.limits.rows + 1
    answer = call(client, "ModelInfer", raw_request(ROWS[:1] * rows))
    assert answer.status == 413
    assert f"{rows} rows, a request may have up to" in answer.error


def test_calls_that_there_are_not():
    with pytest.raises(RefusedError, match="there is no '/x") as caught:
        find_call("/x.Y/Z")
    assert caught.value.status == 404


QUIET = settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def tensors(draw):
    """Tensors with their bytes: most of them sound, some with a byte, a shape, a datatype or a name changed."""
    rows = draw(st.lists(plain_rows, min_size=1, max_size=4))
    found = [
        [name, DATATYPES[name][0], [len(rows)], packed(name, rows)]
        for name in draw(st.permutations(NAMES))
    ]
    for _ in range(draw(st.integers(0, 2))):
        tensor = found[draw(st.integers(0, len(found) - 1))]
        part = draw(st.integers(0, 3))
        if part == 0:
            tensor[0] = draw(st.sampled_from([*NAMES, "customer_id", "", "?" * 80, "süd"]))
        elif part == 1:
            kinds = ["BOOL", "INT8", "UINT64", "INT64", "FP16", "FP32", "FP64", "BYTES", "BF16", ""]
            tensor[1] = draw(st.sampled_from(kinds))
        elif part == 2:
            sizes = st.sampled_from([-(2**63), -1, 0, 1, 2, 3, 4, 1001, 2**63 - 1])
            tensor[2] = draw(st.lists(sizes, max_size=3))
        else:
            start = draw(st.integers(0, len(tensor[3])))
            tensor[3] = (
                tensor[3][:start]
                + draw(st.binary(max_size=9))
                + tensor[3][start + draw(st.integers(0, 8)) :]
            )
    return found  # fmt: skip


@QUIET
@given(sent=tensors(), surplus=st.sampled_from([0, 0, 0, -1, 1]))
def test_raw_tensors_are_answered_and_refused_as_in_rest(client, call, sent, surplus):
    inputs = [
        {"name": name, "datatype": datatype, "shape": shape} for name, datatype, shape, _ in sent
    ]
    raw = [data for *_, data in sent]
    if surplus:
        raw = raw[:-1] if surplus < 0 else [*raw, b""]
        asked = {"model_name": "churn", "inputs": inputs, "raw_input_contents": raw}
        found = call(client, "ModelInfer", asked)
        assert found.status == 400
        assert "raw_input_contents of" in found.error
        return
    found = call(
        client, "ModelInfer", {"model_name": "churn", "inputs": inputs, "raw_input_contents": raw}
    )
    for tensor, data in zip(inputs, raw, strict=True):
        tensor["parameters"] = {"binary_data_size": len(data)}
    head = json.dumps({"inputs": inputs}).encode()
    headers = {b"inference-header-content-length": str(len(head)).encode()}
    expected = client.post(INFER, head + b"".join(raw), headers)
    assert found.status == expected.status
    assert found.status < 500
    if found.status == 200:
        outputs = {one["name"]: one["data"] for one in expected.content["outputs"]}
        assert data_of(found.message)["probability"] == outputs["probability"]
    else:
        assert found.error == expected.content["error"] != ""


@pytest.fixture(scope="session")
def reference():
    return Reference(fitted())


def sendable(rows):
    """Return whether lists of the columns' own types can hold these rows."""
    kinds = {"tenure": (int,), "charges": (int, float), "paperless": (bool,)}
    return all(
        type(row[name]) in kinds.get(name, (str, type(None))) for row in rows for name in NAMES
    ) and all(abs(row["tenure"]) < 2**63 and abs(row["charges"]) < 1e300 for row in rows)


@QUIET
@given(rows=batches.filter(sendable))
def test_lists_are_answered_rightly_or_refused_with_a_reason(client, call, reference, rows):
    found = call(client, "ModelInfer", listed_request(rows))
    if not all(map(is_sound, rows)):
        assert found.status == 422
        assert "column '" in found.error
        return
    expected = [reference.probability(row) for row in rows]
    answers = data_of(found.message)["probability"][1::2]
    assert answers == pytest.approx(expected, abs=1e-3)


@st.composite
def messages(draw):
    """Bytes that are a message, nearly one, or none at all."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=200))
    rows = draw(st.lists(plain_rows, min_size=1, max_size=2))
    form = draw(st.sampled_from([raw_request, listed_request]))
    sound = MESSAGES["ModelInferRequest"](**form(rows)).SerializeToString()
    start = draw(st.integers(0, len(sound)))
    end = draw(st.integers(start, min(len(sound), start + 6)))
    return sound[:start] + draw(st.binary(max_size=6)) + sound[end:]


@QUIET
@given(name=st.sampled_from(sorted(CALLS)), message=messages())
def test_whatever_the_bytes_are_there_is_an_answer_or_a_reason(client, name, message):
    for path in (name, "/inference.GRPCInferenceService/ModelInfer"):
        request = Request(CALLS[path][0], path, {}, message)
        response = client.loop.run_until_complete(client.app.respond(request, find_call))
        assert response.status < 500
        if response.status != 200:
            assert msgspec.json.decode(response.body)["detail"][0]["reason"]
