"""Tests of `/predict` and `/v1/predict`."""

import pytest
from sklearn.linear_model import LogisticRegression

NAMES = ("tenure", "charges", "paperless", "plan", "region")
LIST = [3, 70.5, True, "monthly", "north"]


def test_a_flat_row_is_answered_with_the_keys_that_scripts_read(client, row):
    answer = client.post("/predict", row)
    assert answer.status == 200
    content = answer.content
    assert content["prediction"] == 1  # three months of tenure: the fitted model says Yes
    assert content["label"] == "Yes"
    assert 0.5 <= content["probability"] <= 1
    assert content["status"] == "success"
    assert content["model_version"] == "1"
    assert content["variant"] == "champion"
    assert content["generation"] == 1
    assert len(content["contract"]) == 64
    assert len(content["prediction_id"]) == 36


@pytest.mark.parametrize(
    "body",
    [
        {"features": [LIST]},
        {"features": LIST},
        {"instances": [LIST]},
        [LIST],
        {"features": [dict(zip(NAMES, LIST, strict=True))]},
    ],
)
def test_every_shape_of_one_row_gets_the_same_answer(client, row, body):
    flat = client.post("/predict", row).content
    answer = client.post("/predict", body)
    assert answer.status == 200
    assert answer.content["prediction"] == [flat["prediction"]]
    assert 0 <= answer.content["prediction"][0] <= 1
    assert answer.content["probability"] == [flat["probability"]]


def test_v1_answers_lists_of_lists(client):
    answer = client.post("/v1/predict", {"features": [LIST, [100, 20.0, False, None, "?"]]})
    assert answer.status == 200
    assert answer.content["predictions"] == [1, 0]
    assert answer.content["model_version"] == "1"
    assert len(set(answer.content["prediction_ids"])) == 2


def test_large_batch_leaves_the_event_loop_and_answers_the_same(client, row):
    single = client.post("/predict", row).content["probability"]
    answer = client.post("/v1/predict", [LIST] * 100)
    assert answer.content["probabilities"] == pytest.approx([single] * 100, abs=1e-6)


def test_column_named_features_makes_the_body_a_flat_row(
    project, open_client, request_document, translator
):
    estimator = LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    columns = [{"name": "features", "kind": "float"}]
    model = translator(estimator, columns)
    request = request_document | {"columns": columns}
    project.add(1, model, request)
    project.deploy(1, {1: 1.0})
    assert open_client().post("/predict", {"features": 3.0}).content["prediction"] == 1


def test_classes_that_are_numbers_are_answered_as_numbers(project, open_client, request_document):
    project.add(1, request=request_document | {"classes": ["-1", "1"], "positive": "1"})
    project.deploy(1, {1: 1.0})
    answer = open_client().post("/predict", [LIST, [100, 20.0, False, None, "?"]])
    assert answer.content["prediction"] == [1, -1]


def test_threshold_of_the_contract_decides_not_one_half(
    project, open_client, request_document, row
):
    project.add(1, request=request_document | {"threshold": 1.0})
    project.deploy(1, {1: 1.0})
    content = open_client().post("/predict", row).content
    assert content["label"] == "No"
    assert 0.5 < content["probability"] < 1.0


def test_regression_answers_a_number_without_probability(
    project, open_client, request_document, regression_model
):
    native, model = regression_model
    request = request_document | {
        "task": "regression",
        "classes": [],
        "positive": "",
        "columns": [
            {"name": "a", "kind": "float", "nullable": False},
            {"name": "b", "kind": "float", "nullable": False},
        ],
    }
    project.add(1, model, request)
    project.deploy(1, {1: 1.0})
    content = open_client().post("/predict", {"a": 1.5, "b": -2.0}).content
    assert content["prediction"] == pytest.approx(float(native.predict([[1.5, -2.0]])[0]), abs=1e-4)
    assert content["probability"] is None
    assert "label" not in content


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ({"charges": "70.5"}, "charges", "got text '70.5', needs a number"),
        ({"charges": -1}, "charges", "-1 is below the minimum 0"),
        ({"charges": True}, "charges", "got true, needs a number"),
        ({"charges": 1e39}, "charges", "1e+39 is beyond the range of a 32-bit float"),
        ({"charges": None}, "charges", "got null, needs a number"),
        ({"charges": [1]}, "charges", "got a list, needs a number"),
        ({"tenure": 121}, "tenure", "121 is above the maximum 120"),
        ({"tenure": 3.5}, "tenure", "got number 3.5, needs a whole number"),
        ({"tenure": 10**30}, "tenure", "is above the maximum 120"),
        ({"paperless": "yes"}, "paperless", "got text 'yes', needs true or false"),
        ({"plan": "yeerly"}, "plan", "did you mean 'yearly'?"),
        ({"plan": 1.5}, "plan", "got number 1.5, needs text"),
        ({"region": {}}, "region", "got an object, needs text"),
        ({"region": "a\0b"}, "region", "text holds a NUL character"),
    ],
)
def test_broken_rule_is_422_naming_column_and_reason(client, row, change, column, reason):
    answer = client.post("/predict", row | change)
    assert answer.status == 422
    assert [flaw["column"] for flaw in answer.content["detail"]] == [column]
    assert reason in answer.content["detail"][0]["reason"]
    assert column in answer.content["error"]
    assert client.station.writer.written + client.station.writer.pending == 0


def test_every_column_that_is_wrong_is_named_with_its_row(client):
    answer = client.post("/predict", [LIST, [-1, "x", True, "monthly", None]])
    assert answer.status == 422
    assert [(flaw["column"], flaw["row"]) for flaw in answer.content["detail"]] == [
        ("tenure", 1),
        ("charges", 1),
    ]


def test_missing_column_that_may_not_be_null_is_named(client, row):
    lacking = {name: value for name, value in row.items() if name != "tenure"}
    answer = client.post("/predict", lacking)
    assert answer.status == 422
    assert answer.content["detail"] == [
        {"reason": "is missing", "column": "tenure", "row": 0, "rule": "missing"}
    ]


def test_null_and_empty_text_are_the_same_and_a_column_left_out_is_neither(client, row):
    null = client.post("/predict", row | {"plan": None})
    empty = client.post("/predict", row | {"plan": ""})
    assert null.status == empty.status == 200
    assert null.content["probability"] == empty.content["probability"]
    lacking = {name: value for name, value in row.items() if name not in ("plan", "tenure")}
    left_out = client.post("/predict", lacking)
    assert left_out.status == 422
    assert [(flaw["column"], flaw["reason"]) for flaw in left_out.content["detail"]] == [
        ("tenure", "is missing"),
        ("plan", "is missing; send null where it is not known"),
    ]


def test_misspelt_nullable_column_is_refused_not_taken_for_null(client, row):
    misspelt = {name: value for name, value in row.items() if name != "plan"} | {"plann": "yearly"}
    answer = client.post("/predict", misspelt)
    assert answer.status == 422
    assert "did you mean it by 'plann'" in answer.content["error"]


def test_column_of_another_version_is_passed_over_when_none_is_missing(client, row):
    assert client.post("/predict", row | {"column_of_v3": 1}).status == 200


def test_unseen_category_is_taken_where_the_contract_lists_no_values(client, row):
    assert client.post("/predict", row | {"region": "atlantis"}).status == 200


@pytest.mark.parametrize(
    "body", [[], {"features": []}, {}, [[]], [1, [2]], 7, "text", None, {"features": 3}, [[LIST]]]
)
def test_shape_that_is_no_row_is_422(client, body):
    answer = client.post("/predict", body)
    assert answer.status == 422
    assert answer.content["error"]


def test_row_of_another_width_says_the_order(client):
    answer = client.post("/predict", [[1, 2]])
    assert "has 2 values, needs 5, in this order: tenure, charges" in answer.content["error"]


def test_too_many_rows_are_413(client):
    assert client.post("/predict", [LIST] * 1001).status == 413
    assert client.post("/predict", [LIST] * 1000).status == 200


def test_tester_pins_a_prepared_version_without_being_counted_by_a_canary(client, row):
    content = client.post("/predict", row, {b"x-setpoint-version": b"2"}).content
    assert content["model_version"] == "2"
    assert content["variant"] == "challenger"
    assert content["prediction"] == 0


@pytest.mark.parametrize("version", [b"3", b"", b" ", b"champion", b"1.0", b"\xff"])
def test_pinning_a_version_that_is_not_prepared_is_404(client, row, version):
    answer = client.post("/predict", row, {b"x-setpoint-version": version})
    assert answer.status == (404 if version.strip() else 200)
