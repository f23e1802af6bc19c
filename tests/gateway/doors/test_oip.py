"""Tests of the Open Inference Protocol, version 2."""

import json

import pytest

INFER = "/v2/models/churn/infer"


def tensors(rows=1):
    given = {
        "tenure": ("INT64", 3),
        "charges": ("FP64", 70.5),
        "paperless": ("BOOL", True),
        "plan": ("BYTES", "monthly"),
        "region": ("BYTES", "north"),
    }
    return [
        {"name": name, "shape": [rows], "datatype": datatype, "data": [value] * rows}
        for name, (datatype, value) in given.items()
    ]


def outputs(answer):
    return {output["name"]: output for output in answer.content["outputs"]}


def test_named_tensors_are_answered_with_label_and_probability(client, row):
    answer = client.post(INFER, {"id": "r-1", "inputs": tensors()})
    assert answer.status == 200
    assert answer.content["id"] == "r-1"
    assert answer.content["model_name"] == "churn"
    assert answer.content["model_version"] == "1"
    assert set(answer.content["parameters"]) == {
        "variant",
        "contract",
        "generation",
        "prediction_id",
    }
    found = outputs(answer)
    assert found["label"]["data"] == ["Yes"]
    assert found["probability"]["shape"] == [1, 2]
    assert json.loads(found["probability"]["parameters"]["classes"]) == ["No", "Yes"]
    flat = client.post("/predict", row).content["probability"]
    assert found["probability"]["data"][1] == flat


def test_id_is_returned_when_none_was_given(client):
    answer = client.post(INFER, {"inputs": tensors()})
    assert answer.content["id"] == answer.content["parameters"]["prediction_id"]


def test_many_rows_have_their_prediction_ids_in_a_tensor(client):
    found = outputs(client.post(INFER, {"inputs": tensors(3)}))
    assert set(found) == {"label", "probability", "prediction_id"}
    assert len(set(found["prediction_id"]["data"])) == 3


@pytest.mark.parametrize("nested", [False, True])
def test_one_tensor_of_rows_in_column_order_flat_or_nested(client, nested):
    rows = [[3, 70.5, 1, 0, 0], [100, 20, 0, 0, 0]]
    data = rows if nested else [value for row in rows for value in row]
    tensor = {"name": "input-0", "shape": [2, 5], "datatype": "FP64", "data": data}
    answer = client.post(INFER, {"inputs": [tensor]})
    # Numbers where categories are needed: the refusal shows that columns were told apart.
    assert answer.status == 422
    assert [flaw["column"] for flaw in answer.content["detail"]] == ["plan"]


def test_one_tensor_of_rows_is_answered(project, open_client, request_document, regression_model):
    native, model = regression_model
    columns = [{"name": "a", "kind": "float"}, {"name": "b", "kind": "float"}]
    request = request_document | {"task": "regression", "classes": [], "columns": columns}
    project.add(1, model, request)
    project.deploy(1, {1: 1.0})
    rows = [[1.0, 2.0], [3.0, -4.0], [0.5, 0.25]]
    client = open_client()
    for data in (rows, [value for row in rows for value in row]):
        tensor = {"name": "x", "shape": [3, 2], "datatype": "FP32", "data": data}
        found = outputs(client.post(INFER, {"inputs": [tensor]}))
        assert found["prediction"]["data"] == pytest.approx(native.predict(rows).tolist(), abs=1e-4)


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"shape": [2]}, 422, "its data have 1 elements"),
        ({"shape": [0]}, 422, "needs [rows] or [rows, columns]"),
        ({"shape": [-1]}, 422, "needs [rows] or [rows, columns]"),
        ({"shape": [1, 1, 1]}, 422, "needs [rows] or [rows, columns]"),
        ({"shape": [10**18]}, 413, "a request may have up to 1000"),
        ({"shape": [1, 10**18]}, 422, "needs [1]"),
        ({"shape": "1"}, 400, "shape"),
        ({"datatype": "FP128"}, 422, "datatype 'FP128' is not one of BOOL"),
        ({"datatype": "BYTES"}, 422, "holds a int, its datatype is BYTES"),
        ({"data": [[3], [4]]}, 422, "elements"),
        ({"data": [[[3]]]}, 422, "holds a list"),
        ({"data": 3}, 400, "data is no list"),
        ({"data": "3"}, 400, "data is no list"),
        ({"data": {}}, 400, "data is no list"),
        ({"datatype": "INT8", "data": [300]}, 422, "holds 300, its datatype is INT8"),
        ({"datatype": "UINT64", "data": [-1]}, 422, "holds -1, its datatype is UINT64"),
        ({"data": [True]}, 422, "holds a bool, its datatype is INT64"),
        ({"name": "tenur"}, 422, "is missing; did you mean it by 'tenur'?"),
        ({"name": "plan"}, 422, "is given twice"),
    ],
)
def test_malformed_tensor_is_refused_with_the_reason(client, change, status, reason):
    inputs = tensors()
    inputs[0] |= change
    answer = client.post(INFER, {"inputs": inputs})
    assert answer.status == status, answer
    assert reason in answer.content["error"]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"inputs": []}', b'{"inputs": [{}]}'])
def test_body_that_is_no_inference_request_is_400(client, body):
    assert client.post(INFER, body).status == 400


def test_unknown_output_is_refused(client):
    answer = client.post(INFER, {"inputs": tensors(), "outputs": [{"name": "logits"}]})
    assert answer.status == 422
    assert "outputs are label, probability" in answer.content["error"]


def test_metadata_names_inputs_outputs_and_versions(client):
    content = client.get("/v2/models/churn").content
    assert content["versions"] == ["1", "2"]
    assert content["platform"] == "setpoint_onnx"
    assert content["inputs"][0] == {
        "name": "tenure",
        "datatype": "INT64",
        "shape": [-1],
        "parameters": {"kind": "int", "nullable": False, "min": 0.0, "max": 120.0},
    }
    plan = content["inputs"][3]["parameters"]
    assert json.loads(plan["values"]) == ["monthly", "yearly"]
    assert content["parameters"]["key"] == "customer_id"
    assert [entry["datatype"] for entry in content["inputs"][1:]] == [
        "FP64",
        "BOOL",
        "BYTES",
        "BYTES",
    ]
    assert content["outputs"][1]["shape"] == [-1, 2]


def test_triton_reads_configuration_and_index(client):
    config = client.get("/v2/models/churn/config").content
    assert config["input"][0] == {"name": "tenure", "data_type": "TYPE_INT64", "dims": [-1]}
    assert config["input"][-1]["data_type"] == "TYPE_STRING"
    assert [one["name"] for one in config["output"]] == ["label", "probability"]
    index = client.post("/v2/repository/index", b"").content
    assert [(one["name"], one["version"], one["state"]) for one in index] == [
        ("churn", "1", "READY"),
        ("churn", "2", "READY"),
    ]


def test_kserve_lists_the_model(client):
    assert client.get("/v2/models").content == {"models": ["churn"]}


def test_nothing_is_listed_before_a_model_is_loaded(open_client):
    client = open_client(ready=False)
    assert client.get("/v2/models").content == {"models": []}
    assert client.post("/v2/repository/index", b"").content == []


def test_server_and_health(client):
    server = client.get("/v2").content
    assert server["name"] == "setpoint"
    assert "binary_tensor_data" in server["extensions"]
    assert client.get("/v2/health/live").content == {"live": True}
    assert client.get("/v2/health/ready").content["ready"] is True
    assert client.get("/v2/models/churn/ready").content == {"name": "churn", "ready": True}
    assert client.get("/v2/models/churn/versions/2/ready").status == 200


@pytest.mark.parametrize(
    "path",
    ["/v2/models/other", "/v2/models/churn/versions/9", "/v2/models/churn/versions/9/ready"],
)
def test_unknown_model_or_version_is_404(client, path):
    assert client.get(path).status == 404


def test_version_in_the_path_answers_outside_the_draw(client):
    answer = client.post("/v2/models/churn/versions/2/infer", {"inputs": tensors()})
    assert answer.content["model_version"] == "2"
    assert outputs(answer)["label"]["data"] == ["No"]
    unknown = client.post("/v2/models/churn/versions/3/infer", {"inputs": tensors()})
    assert unknown.status == 404
    assert "prepared: 1, 2" in unknown.content["error"]
