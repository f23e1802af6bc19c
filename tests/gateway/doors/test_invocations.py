"""MLflow's scoring protocol, beside MLflow's own scoring server and by MLflow's own client."""

import io
import json
import time
import warnings

import numpy as np
import pandas as pd
import pytest
import requests
from tests.gateway.conftest import fitted

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # MLflow warns of its own type hints
    import mlflow.pyfunc
    import mlflow.sklearn
    from mlflow.exceptions import MlflowException
    from mlflow.models import ModelSignature
    from mlflow.pyfunc import scoring_server
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient
    from mlflow.types import ColSpec, DataType, Schema

INVOKE = "/invocations"
NAMES = ["tenure", "charges", "paperless", "plan", "region"]
LIST = [3, 70.5, True, "monthly", "north"]
LATER = [100, 20.0, False, "yearly", "süd"]
RECORDS = [dict(zip(NAMES, row, strict=True)) for row in (LIST, LATER)]
COLUMNS = {name: [row[name] for row in RECORDS] for name in NAMES}
CSV = pd.DataFrame(RECORDS).to_csv(index=False)


@pytest.fixture(scope="session")
def mlflow_model(tmp_path_factory):
    """The model as MLflow's server loads it, fitted on the labels as they are in the data."""
    estimator = fitted()
    estimator.steps[-1][1].classes_ = np.array(["No", "Yes"], object)
    kinds = (DataType.long, DataType.double, DataType.boolean, DataType.string, DataType.string)
    signature = ModelSignature(
        inputs=Schema([ColSpec(kind, name) for kind, name in zip(kinds, NAMES, strict=True)])
    )
    folder = tmp_path_factory.mktemp("mlflow") / "model"
    mlflow.sklearn.save_model(
        estimator,
        folder,
        signature=signature,
        pip_requirements=["scikit-learn"],
        serialization_format="cloudpickle",
    )
    return mlflow.pyfunc.load_model(str(folder))


def ask_mlflow(model, body, kind="application/json"):
    """Return status and content as MLflow's server answers."""
    try:
        found = scoring_server.invocations(body, kind, model, model.metadata.get_input_schema())
    except MlflowException as refused:
        return refused.get_http_status_code(), json.loads(refused.serialize_as_json())
    content = json.loads(found.response) if found.status == 200 else found.response
    return found.status, content


def split(rows, columns=NAMES, **more):
    return {"dataframe_split": {"columns": columns, "data": rows, **more}}


TAKEN = {
    "split": split([LIST, LATER]),
    "split of one row": split([LIST]),
    "split with an index": split([LIST, LATER], index=[7, 8]),
    "split in another order": split([LIST[::-1], LATER[::-1]], NAMES[::-1]),
    "split with a further column": split([["x", *LIST]], ["else", *NAMES]),
    "split with whole floats": split([[3.0, *LIST[1:]]]),
    "split with a number as text is text": split([[*LIST[:4], "7"]]),
    "records": {"dataframe_records": RECORDS},
    "records with more": {"dataframe_records": [RECORDS[0] | {"else": [1]}]},
    "instances": {"instances": RECORDS},
    "instances by column": {"instances": COLUMNS},
    "inputs by column": {"inputs": COLUMNS},
    "inputs as records": {"inputs": RECORDS},
    "no params": {"inputs": COLUMNS, "params": {}},
    "null params": {"dataframe_records": RECORDS, "params": None},
    "something beside the rows": {"dataframe_records": RECORDS, "client_request_id": "x"},
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_mlflow_takes_is_answered_as_mlflow_answers_it(client, mlflow_model, name):
    body = json.dumps(TAKEN[name]).encode()
    status, content = ask_mlflow(mlflow_model, body)
    assert status == 200, content
    answer = client.post(INVOKE, body, {b"content-type": b"application/json"})
    assert answer.status == 200, answer
    assert answer.content == content
    assert answer.content["predictions"][0] == "Yes"


REFUSED = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": json.dumps([LIST]).encode(),
    "a number": b"3",
    "no form": b'{"rows": []}',
    "two forms": json.dumps({"instances": RECORDS, "inputs": RECORDS}).encode(),
    "split as a list": b'{"dataframe_split": [[3]]}',
    "split without data": json.dumps({"dataframe_split": {"columns": NAMES}}).encode(),
    "split with a further key": json.dumps(split([LIST], more=1)).encode(),
    "split without names": json.dumps({"dataframe_split": {"data": [LIST]}}).encode(),
    "split with too few names": json.dumps(split([LIST], NAMES[:4])).encode(),
    "split with a wide row": json.dumps(split([LIST, [*LIST, 1]])).encode(),
    "records as an object": json.dumps({"dataframe_records": RECORDS[0]}).encode(),
    "records as lists": json.dumps({"dataframe_records": [LIST]}).encode(),
    "a column is missing": json.dumps({"instances": [{"tenure": 3}]}).encode(),
    "columns of different length": json.dumps({"inputs": COLUMNS | {"plan": ["monthly"]}}).encode(),
    "flat values": b'{"inputs": [1, 2, 3]}',
    "text for a number": json.dumps(split([["x", *LIST[1:]]])).encode(),
    "null for a number": json.dumps(split([[None, *LIST[1:]]])).encode(),
    "not UTF-8": b'{"inputs": "\xff"}',
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_mlflow_refuses_is_refused_in_its_words(client, mlflow_model, name):
    status, content = ask_mlflow(mlflow_model, REFUSED[name])
    assert status == 400
    answer = client.post(INVOKE, REFUSED[name])
    assert answer.status == 400, answer
    assert {"error_code", "message"} <= answer.content.keys()
    assert answer.content["error_code"] == "BAD_REQUEST"
    assert content["error_code"] in ("BAD_REQUEST", "INVALID_PARAMETER_VALUE")
    assert answer.content["message"]
    assert answer.content["detail"][0]["reason"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (split([[121, *LIST[1:]]]), "row 0: column 'tenure': 121 is above the maximum 120"),
        (split([LIST, [3, None, *LIST[2:]]]), "row 1: column 'charges': got null"),
        (split([LIST, LIST[:3]]), "row 1: has 3 values, there are 5 columns"),
        (split([]), "needs data"),
        # MLflow takes these two: it cuts the fraction off, and stretches the rows.
        (split([[3.5, *LIST[1:]]]), "got number 3.5, needs a whole number"),
        (split([LIST], index=[1, 2]), "an index that is not of its 1 rows"),
        (split([LIST], [*NAMES[:4], "regoin"]), "did you mean it by 'regoin'"),
        (split([LIST], [*NAMES[:4], "plan"]), "column 'plan': is given twice"),
        ({"inputs": RECORDS, "params": {"temperature": 1}}, "takes no params"),
        ({"instances": [*RECORDS, LIST]}, "row 2: instances must be a list of objects"),
        ({"inputs": {}}, "has no columns"),
        ({"inputs": {"tenure": []}}, "has no rows"),
        ({"inputs": []}, "must be a list of rows"),
    ],
)
def test_refusal_says_what_and_where(client, body, reason):
    answer = client.post(INVOKE, body)
    assert answer.status == 400
    assert reason in answer.content["message"]


def test_lists_are_rows_in_the_order_of_the_columns(client):
    """MLflow takes them only for models whose columns have no names; NumPy users send nothing else."""
    for form in ("instances", "inputs"):
        answer = client.post(INVOKE, {form: [LIST, LATER]})
        assert answer.content == {"predictions": ["Yes", "No"]}


@pytest.mark.parametrize("values", [[3.0, 90], [[3.0], [90]]])
def test_one_column_may_come_without_brackets(
    project, open_client, request_document, translator, values
):
    from sklearn.linear_model import LogisticRegression

    estimator = LogisticRegression().fit([[0.0], [1.0], [20.0], [30.0]], [0, 0, 1, 1])
    columns = [{"name": "a", "kind": "float"}]
    request = request_document | {"columns": columns, "classes": ["0", "1"], "positive": "1"}
    project.add(1, translator(estimator, columns), request)
    project.deploy(1, {1: 1.0})
    client = open_client()
    for body in ({"instances": values}, {"inputs": values}, {"inputs": {"a": values}}):
        assert client.post(INVOKE, body).content == {"predictions": [0, 1]}


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (["0", "1"], [1]),
        (["-1", "1"], [1]),
        (["false", "true"], [True]),
        (["no", "yes"], ["yes"]),
        (["0.5", "1"], ["1"]),
        (["01", "1"], ["1"]),
    ],
)
def test_labels_have_the_type_that_the_model_was_fitted_on(
    project, open_client, request_document, classes, expected
):
    request = request_document | {"classes": classes, "positive": classes[1]}
    project.add(1, request=request)
    project.deploy(1, {1: 1.0})
    (found,) = open_client().post(INVOKE, {"inputs": RECORDS[:1]}).content["predictions"]
    assert [found] == expected
    assert type(found) is type(expected[0])


def test_regression_answers_numbers(project, open_client, request_document, regression_model):
    native, model = regression_model
    columns = [{"name": "a", "kind": "float"}, {"name": "b", "kind": "float"}]
    request = request_document | {"task": "regression", "classes": [], "columns": columns}
    project.add(1, model, request)
    project.deploy(1, {1: 1.0})
    answer = open_client().post(INVOKE, {"inputs": [[1.5, -2.0]]})
    assert answer.content["predictions"] == pytest.approx(native.predict([[1.5, -2.0]]), abs=1e-4)


CSVS = {
    "plain": CSV,
    "with an index": pd.DataFrame(RECORDS).to_csv(),
    "in another order": pd.DataFrame(RECORDS)[NAMES[::-1]].to_csv(index=False),
    "all quoted": pd.DataFrame(RECORDS).to_csv(index=False, quoting=1),
    "carriage returns and an empty line": CSV.replace("\n", "\r\n") + "\r\n",
    "a byte order mark": "\ufeff" + CSV,
    "quotes, commas and lines within": pd.DataFrame([RECORDS[0] | {"region": 'a,"b"\nc'}]).to_csv(
        index=False
    ),
    "texts that look missing": pd.DataFrame([RECORDS[0] | {"region": "NA"}]).to_csv(index=False),
    "a missing text": pd.DataFrame([RECORDS[0] | {"plan": None}]).to_csv(index=False),
    "exponents": CSV.replace("70.5", "7.05e1"),
    "truth in other letters": CSV.replace("True", "TRUE"),
    "a short last row": CSV.replace(",north", ""),
}


@pytest.mark.parametrize("name", CSVS)
def test_csv_is_read_as_mlflow_reads_it(client, mlflow_model, name):
    body = CSVS[name].encode()
    status, content = ask_mlflow(mlflow_model, body, "text/csv")
    assert status == 200, content
    answer = client.post(INVOKE, body, {b"content-type": b"text/csv; charset=utf-8"})
    assert answer.status == 200, answer
    assert answer.content == content


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        CSV.replace("70.5", "x"),
        CSV.replace("3,70.5", "3.5,70.5"),
        CSV.replace("70.5", ""),
        CSV.replace("tenure", "tenur"),
        CSV.replace(",north", ",north,x"),
    ],
)  # fmt: skip
def test_csv_that_does_not_fit_is_400(client, mlflow_model, text):
    if text.count("\n") > 1 and "70.5" in text:
        assert ask_mlflow(mlflow_model, text.encode(), "text/csv")[0] == 400
    answer = client.post(INVOKE, text.encode(), {b"content-type": b"text/csv"})
    assert answer.status == 400, answer
    assert answer.content["message"]


def test_csv_may_name_the_entity_beside_the_features(client):
    text = "customer_id," + CSV.replace("\n", "\nC-7,", 2)
    sent = client.post(INVOKE, text.encode(), {b"content-type": b"text/csv"})
    assert sent.status == 200, sent
    client.until(lambda: client.station.writer.pending == 0)
    told = client.post("/outcomes", {"key": "C-7", "outcome": "Yes", "latest": True})
    assert told.content["recorded"] == 1


@pytest.mark.parametrize(
    "text",
    [
        ",".join(f"c{place}" for place in range(100_000)) + "\n" + "1\n" * 1000,
        "a," * 300_000 + "\n1",
        "a\n" + "1\n" * 400_000,
        '"' * 900_001,
    ],
)
def test_csv_of_strange_proportions_is_refused_soon(client, text):
    started = time.perf_counter()
    answer = client.post(INVOKE, text.encode(), {b"content-type": b"text/csv"})
    assert answer.status in (400, 413), answer
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/json; charset=latin-1", "text/csv; header=no", "application/xml"],
)
def test_other_media_types_are_415_as_in_mlflow(client, mlflow_model, kind):
    body = json.dumps(TAKEN["split"]).encode()
    assert ask_mlflow(mlflow_model, body, kind)[0] == 415
    answer = client.post(INVOKE, body, {b"content-type": kind.encode()})
    assert answer.status == 415
    assert answer.content["message"]


def test_nan_is_null_outside_of_texts_only(client):
    row = dict(RECORDS[0], plan=float("nan"), region='"NaN" \\ NaN')
    answer = client.post(INVOKE, {"dataframe_records": [row]})
    assert answer.status == 200
    answer = client.post(INVOKE, {"dataframe_records": [row | {"charges": float("nan")}]})
    assert "column 'charges': got null" in answer.content["message"]
    assert client.post(INVOKE, b'{"inputs": [NaN').status == 400
    assert client.post(INVOKE, b'{"inputs": NaN, "' + b'\\"' * 200_000).status == 400


def test_answer_says_in_its_headers_where_it_comes_from(client):
    answer = client.post(INVOKE, {"inputs": RECORDS}, {b"x-setpoint-version": b"2"})
    assert answer.headers[b"x-setpoint-version"] == b"2"
    assert answer.headers[b"x-setpoint-variant"] == b"challenger"
    first, second = answer.headers[b"x-setpoint-prediction-id"].decode().split(",")
    client.until(lambda: client.station.writer.pending == 0)
    told = [{"prediction_id": one, "outcome": "Yes"} for one in (first, second)]
    assert client.post("/outcomes", told).content["recorded"] == 2
    answer = client.post(INVOKE, {"inputs": RECORDS}, {b"x-setpoint-version": b"9"})
    assert answer.status == 404
    assert answer.content["error_code"] == "RESOURCE_DOES_NOT_EXIST"


def test_too_many_rows_are_413(client):
    answer = client.post(INVOKE, {"inputs": [LIST] * 1001})
    assert answer.status == 413
    assert "1001 rows" in answer.content["message"]


def test_ping_and_version(client, open_client):
    assert client.get("/ping").status == 200
    assert client.get("/version").content == client.station.release


def test_ping_without_a_model_is_503(open_client):
    client = open_client(ready=False)
    assert client.get("/ping").status == 503
    answer = client.post(INVOKE, {"inputs": RECORDS})
    assert answer.status == 503
    assert answer.content["error_code"] == "TEMPORARILY_UNAVAILABLE"


def test_mlflows_own_client(project, start_gateway, mlflow_model):
    project.add(1)
    project.deploy(1, {1: 1.0})
    host, port = start_gateway().url.removeprefix("http://").split(":")
    client = ScoringServerClient(host, int(port))
    client.wait_server_ready(timeout=20)
    frame = pd.DataFrame(RECORDS)
    frame.loc[1, "plan"] = np.nan
    found = client.invoke(frame).get_predictions("ndarray")
    assert found.tolist() == mlflow_model.predict(frame).tolist()
    assert client.invoke([LIST, LATER]).get_predictions()[0].tolist() == ["Yes", "No"]
    assert client.get_version()
    with pytest.raises(Exception, match=r"error code 400.*121 is above the maximum"):
        client.invoke(frame.assign(tenure=121))
    buffer = io.StringIO()
    frame.to_csv(buffer, index=False)
    answer = requests.post(
        f"http://{host}:{port}/invocations",
        data=buffer.getvalue().encode(),
        headers={"Content-Type": "text/csv"},
        timeout=10,
    )
    assert answer.json()["predictions"] == found.tolist()
