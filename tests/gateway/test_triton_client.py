"""Triton's own client, unchanged, against a gateway process."""

import asyncio

import numpy as np
import pytest
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from tritonclient.utils import InferenceServerException

ROWS = 3


@pytest.fixture
def address(project, start_gateway, wait_until):
    """Host and port of a gateway that serves versions 1 and 2."""
    project.add(1)
    project.add(2)
    project.deploy(1, {1: 1.0})
    address = start_gateway().url.removeprefix("http://")
    with triton.InferenceServerClient(address) as client:
        wait_until(client.is_server_ready)
    return address


def inputs_of(*, binary, shape=(ROWS, 1)):
    """Every column as a tensor, as NumPy arrays have them."""
    columns = {
        "tenure": ("INT64", np.array([3, 100, 50], np.int64)),
        "charges": ("FP32", np.array([70.5, 20.0, 33.3], np.float32)),
        "paperless": ("BOOL", np.array([True, False, True])),
        "plan": ("BYTES", np.array(["monthly", "yearly", ""], object)),
        "region": ("BYTES", np.array([b"north", "süd".encode(), b"?"], object)),
    }
    made = []
    for name, (datatype, values) in columns.items():
        made.append(triton.InferInput(name, list(shape), datatype))
        made[-1].set_data_from_numpy(values.reshape(shape), binary_data=binary)
    return made


def arrays(result, names=("label", "probability", "prediction_id")):
    return {name: result.as_numpy(name) for name in names}


def test_every_way_of_sending_and_asking_gets_the_same_answer(address, open_client):
    sent = [
        {"tenure": 3, "charges": float(np.float32(70.5)), "paperless": True, "plan": "monthly", "region": "north"},
        {"tenure": 100, "charges": 20.0, "paperless": False, "plan": "yearly", "region": "süd"},
        {"tenure": 50, "charges": float(np.float32(33.3)), "paperless": True, "plan": None, "region": "?"},
    ]  # fmt: skip
    expected = open_client().post("/predict", sent).content["probability"]
    with triton.InferenceServerClient(address) as remote:
        for binary_in in (True, False):
            for shape in ((ROWS, 1), (ROWS,)):
                for binary_out in (None, True, False):
                    asked = None
                    if binary_out is not None:
                        names = ("probability", "label", "prediction_id")
                        asked = [
                            triton.InferRequestedOutput(name, binary_data=binary_out)
                            for name in names
                        ]
                    result = remote.infer(
                        "churn",
                        inputs_of(binary=binary_in, shape=shape),
                        outputs=asked,
                        request_id="r-1",
                    )
                    found = arrays(result)
                    assert found["probability"].shape == (ROWS, 2)
                    assert found["probability"][:, 1].tolist() == pytest.approx(expected, abs=1e-6)
                    labels = [
                        label.decode() if isinstance(label, bytes) else label
                        for label in found["label"].tolist()
                    ]
                    assert labels == ["Yes" if value >= 0.5 else "No" for value in expected]
                    assert len(set(found["prediction_id"].tolist())) == ROWS
                    assert result.get_response()["id"] == "r-1"


def test_versions_metadata_and_configuration(address):
    with triton.InferenceServerClient(address) as remote:
        assert remote.is_server_live()
        assert remote.is_server_ready()
        assert remote.is_model_ready("churn")
        assert remote.is_model_ready("churn", "2")
        assert not remote.is_model_ready("churn", "9")
        assert not remote.is_model_ready("other")
        assert "binary_tensor_data" in remote.get_server_metadata()["extensions"]
        metadata = remote.get_model_metadata("churn")
        assert [one["name"] for one in metadata["inputs"]][:2] == ["tenure", "charges"]
        assert remote.get_model_config("churn")["input"][0]["data_type"] == "TYPE_INT64"
        index = remote.get_model_repository_index()
        assert [one["version"] for one in index] == ["1", "2"]
        result = remote.infer("churn", inputs_of(binary=True), model_version="2")
        assert result.get_response()["model_version"] == "2"
        assert result.as_numpy("label").tolist()[:2] == [b"No", b"Yes"]


def test_refusals_reach_the_client_with_status_and_reason(address):
    wrong = inputs_of(binary=True)
    wrong[0].set_data_from_numpy(np.array([[3], [121], [5]], np.int64))
    with triton.InferenceServerClient(address) as remote:
        with pytest.raises(InferenceServerException, match="121 is above the maximum") as refused:
            remote.infer("churn", wrong)
        assert refused.value.status() == "422"
        with pytest.raises(InferenceServerException, match="no version '9' prepared") as refused:
            remote.infer("churn", inputs_of(binary=True), model_version="9")
        assert refused.value.status() == "404"
        with pytest.raises(InferenceServerException, match="there is no model 'other'"):
            remote.infer("other", inputs_of(binary=True))
        with pytest.raises(InferenceServerException, match="is missing"):
            remote.infer("churn", inputs_of(binary=True)[1:])
        asked = [triton.InferRequestedOutput("label", class_count=2)]
        with pytest.raises(InferenceServerException, match="classification is not offered"):
            remote.infer("churn", inputs_of(binary=True), outputs=asked)


def test_many_requests_at_once_and_the_asynchronous_clients(address):
    with triton.InferenceServerClient(address, concurrency=8) as remote:
        first = remote.infer("churn", inputs_of(binary=True)).as_numpy("probability")
        asked = [remote.async_infer("churn", inputs_of(binary=True)) for _ in range(40)]
        for one in asked:
            assert np.array_equal(one.get_result().as_numpy("probability"), first)

    async def ask():
        async with triton_aio.InferenceServerClient(address) as remote:
            result = await remote.infer("churn", inputs_of(binary=True))
            return result.as_numpy("probability")

    assert np.array_equal(asyncio.run(ask()), first)


def test_one_matrix_of_numbers(
    project, start_gateway, wait_until, request_document, regression_model
):
    native, model = regression_model
    columns = [{"name": "a", "kind": "float"}, {"name": "b", "kind": "float"}]
    request = request_document | {"task": "regression", "classes": [], "columns": columns}
    project.add(1, model, request)
    project.deploy(1, {1: 1.0})
    rows = np.array([[1.0, 2.0], [3.0, -4.0], [0.5, 0.25]])
    with triton.InferenceServerClient(start_gateway().url.removeprefix("http://")) as remote:
        wait_until(remote.is_server_ready)
        for kind, datatype in ((np.float64, "FP64"), (np.float32, "FP32"), (np.float16, "FP16")):
            for binary in (True, False):
                given = triton.InferInput("input-0", list(rows.shape), datatype)
                given.set_data_from_numpy(rows.astype(kind), binary_data=binary)
                found = remote.infer("churn", [given]).as_numpy("prediction")
                assert found.tolist() == pytest.approx(native.predict(rows).tolist(), abs=1e-4)
