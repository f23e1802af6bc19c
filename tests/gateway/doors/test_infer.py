"""Tests of inference with tensors: the quick ways answer like the slow ones, and binary like JSON."""

import json
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setpoint.gateway.doors import oip_answer
from setpoint.gateway.doors.tensors import Tensor, as_bytes, sound_tensors
from setpoint.gateway.rows.row_decoder import RowDecoder
from setpoint.gateway.rows.rows import TypedRows, checked
from setpoint.gateway.rows.schema import RequestDocument, Schema
from setpoint.gateway.wire.refusal import RefusedError

INFER = "/v2/models/churn/infer"
NUMBERS = {
    "a": {"name": "a", "kind": "float", "min": -5, "max": 5},
    "b": {"name": "b", "kind": "int", "min": 0, "nullable": False},
    "c": {"name": "c", "kind": "float"},
}


def serving_of(columns):
    document = {"model": "m", "task": "regression", "contract": "c", "columns": columns}
    schema = Schema(msgspec.convert(document, RequestDocument))
    return SimpleNamespace(
        decoder=RowDecoder(schema), champion=SimpleNamespace(schema=schema), extra=""
    )


def read(call, schema):
    """Return the checked rows with their types, or the refusal."""
    try:
        rows = [tuple(row) for row in checked(call(), schema)]
        return [[(type(value), value) for value in row] for row in rows]
    except RefusedError as refusal:
        return refusal.status, str(refusal)


cells = st.one_of(
    st.integers(-6, 6),
    st.integers(-6, 6).map(float),
    st.floats(-6, 6),
    st.sampled_from([None, 1e39, 2**53 + 1, 2**63, 2**64, 10**30, True, "3", [1.0]]),
)
plain = st.tuples(st.floats(-5, 5), st.integers(0, 9).map(float), st.floats(-9, 9)).map(list)
matrices = st.one_of(
    st.lists(plain, min_size=1, max_size=4),
    st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=3),
    st.lists(st.lists(cells, max_size=4), min_size=1, max_size=3),
)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(
    rows=matrices,
    form=st.sampled_from(["nested", "flat", "binary"]),
    datatype=st.sampled_from(["FP64", "FP32", "INT64"]),
    spaces=st.sampled_from(["", " "]),
    names=st.sampled_from([("a", "b", "c"), ("a", "c", "a2")]),
)
def test_matrix_reads_as_the_slow_way_reads_it(rows, form, datatype, spaces, names):
    columns = [NUMBERS[name[0]] | {"name": name} for name in names]
    serving = serving_of(columns)
    schema = serving.champion.schema
    shape = [len(rows), max(1, len(rows[0]))]
    data = rows if form == "nested" else [value for row in rows for value in row]
    parameters, behind, raw = None, None, msgspec.Raw(spaces.encode() + json.dumps(data).encode())
    if form == "binary":
        numbers = [value if isinstance(value, float | int) else np.nan for value in data]
        datatype = "FP32" if datatype == "FP32" else "FP64"
        with np.errstate(over="ignore"):
            behind = as_bytes(datatype, np.array(numbers, float))
        parameters, raw = {"binary_data_size": len(behind)}, msgspec.Raw()
    try:
        (matrix,) = sound_tensors([Tensor("x", shape, datatype, raw, parameters)], behind)
    except RefusedError:
        return
    quick = read(lambda: oip_answer._typed(matrix, serving) or oip_answer._matrix(matrix), schema)
    assert quick == read(lambda: oip_answer._matrix(matrix), schema)


@pytest.mark.parametrize("form", ["nested", "flat", "binary"])
@pytest.mark.parametrize("count", [1, 3])
def test_plain_matrix_takes_the_quick_way(form, count):
    serving = serving_of(list(NUMBERS.values()))
    rows = [[1.5, 2.0, -1.0]] * count
    data = rows if form == "nested" else [value for row in rows for value in row]
    raw, parameters, behind = msgspec.Raw(json.dumps(data).encode()), None, None
    if form == "binary":
        raw, behind = msgspec.Raw(), np.array(rows).tobytes()
        parameters = {"binary_data_size": len(behind)}
    tensor = Tensor("x", [count, 3], "FP64", raw, parameters)
    (matrix,) = sound_tensors([tensor], behind)
    found = oip_answer._typed(matrix, serving)
    assert isinstance(found, TypedRows)
    assert list(found.rows) == [(1.5, 2, -1.0)] * count


def tensors(rows=1):
    given = {
        "tenure": ("INT64", 3),
        "charges": ("FP32", 70.5),
        "paperless": ("BOOL", True),
        "plan": ("BYTES", "monthly"),
        "region": ("BYTES", "north"),
    }
    return [
        {"name": name, "shape": [rows, 1], "datatype": datatype, "data": [value] * rows}
        for name, (datatype, value) in given.items()
    ]


def in_binary(body):
    """Return a body with its tensors as bytes behind the JSON, and the header that says where."""
    behind = b""
    for tensor in body["inputs"]:
        part = as_bytes(tensor["datatype"], tensor.pop("data"))
        tensor["parameters"] = {"binary_data_size": len(part)}
        behind += part
    text = json.dumps(body).encode()
    return text + behind, {b"inference-header-content-length": b"%d" % len(text)}


def read_answer(answer):
    """Return the JSON of an answer with binary tensors, and each tensor's bytes."""
    size = int(answer.headers[b"inference-header-content-length"])
    content, rest = json.loads(answer.content[:size]), answer.content[size:]
    found = {}
    for output in content["outputs"]:
        length = output["parameters"]["binary_data_size"]
        found[output["name"]], rest = rest[:length], rest[length:]
    assert rest == b""
    return content, found


def test_binary_inputs_are_answered_like_json(client):
    plain = client.post(INFER, {"id": "a", "inputs": tensors(3)})
    binary = client.post(INFER, *in_binary({"id": "a", "inputs": tensors(3)}))
    assert binary.status == 200
    assert binary.content["outputs"][:2] == plain.content["outputs"][:2]


def test_outputs_are_binary_where_the_request_says_so(client):
    plain = client.post(INFER, {"inputs": tensors()}).content["outputs"]
    answer = client.post(INFER, {"inputs": tensors(), "parameters": {"binary_data_output": True}})
    content, found = read_answer(answer)
    assert answer.headers[b"content-type"] == b"application/octet-stream"
    assert found["label"] == b"\x03\x00\x00\x00Yes"
    assert np.frombuffer(found["probability"], "<f8").tolist() == plain[1]["data"]
    assert content["outputs"][1]["parameters"]["classes"] == '["No","Yes"]'
    assert all("data" not in output for output in content["outputs"])


def test_one_output_may_be_binary_and_another_not(client):
    asked = [
        {"name": "probability", "parameters": {"binary_data": False}},
        {"name": "label"},
        {"name": "prediction_id", "parameters": {"binary_data": False}},
    ]
    parameters = {"binary_data_output": True}
    body = {"inputs": tensors(), "outputs": asked, "parameters": parameters}
    answer = client.post(INFER, body)
    size = int(answer.headers[b"inference-header-content-length"])
    content = json.loads(answer.content[:size])
    assert [output["name"] for output in content["outputs"]] == [
        "probability",
        "label",
        "prediction_id",
    ]
    assert len(content["outputs"][0]["data"]) == 2
    assert content["outputs"][1]["parameters"]["binary_data_size"] == 7
    assert len(answer.content) == size + 7


def test_only_the_outputs_that_are_named_come_back(client):
    body = {"inputs": tensors(2), "outputs": [{"name": "prediction_id"}]}
    (output,) = client.post(INFER, body).content["outputs"]
    assert output["name"] == "prediction_id"
    assert len(set(output["data"])) == 2


@pytest.mark.parametrize("identity", ["", "r-1", "ü" * 300])
def test_id_is_returned_as_it_was_given(client, identity):
    assert client.post(INFER, {"id": identity, "inputs": tensors()}).content["id"] == identity


@pytest.mark.parametrize("header", [b"-1", b"99999", b"x", b"", b"1" * 40, b"\xb2"])
def test_header_that_says_no_place_in_the_body_is_400(client, header):
    headers = {b"inference-header-content-length": header}
    answer = client.post(INFER, {"inputs": tensors()}, headers)
    assert answer.status == 400
    assert "Inference-Header-Content-Length" in answer.content["error"]


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"classification": 1}, "classification is not offered"),
        ({"shared_memory_region": "r"}, "lies in shared memory"),
    ],
)
def test_output_that_is_wanted_in_a_way_not_offered_is_400(client, parameters, reason):
    asked = [{"name": "probability", "parameters": parameters}]
    answer = client.post(INFER, {"inputs": tensors(), "outputs": asked})
    assert answer.status == 400
    assert reason in answer.content["error"]


def test_parameters_that_mean_nothing_here_are_passed_over(client):
    body = {"inputs": tensors(), "parameters": {"priority": 1, "mine": "x"}, "outputs": []}
    assert client.post(INFER, body).status == 200
    assert client.post(INFER, body | {"parameters": None, "outputs": None}).status == 200
