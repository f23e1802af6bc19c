"""Tests of `/outcomes`: idempotent, all or none, never for an answer that was not given."""

import pytest

from setpoint.adapters.sqlite_log import SqliteLog


@pytest.fixture
def ids(client, row):
    return [client.post("/predict", row).content["prediction_id"] for _ in range(3)]


def told(name, value):
    return {"prediction_id": name, "outcome": value}


def test_one_or_many_and_again(client, project, ids):
    assert client.post("/outcomes", told(ids[0], "Yes")).content["recorded"] == 1
    many = [told(name, "Yes") for name in ids]
    answer = client.post("/outcomes", many)
    assert (answer.content["recorded"], answer.content["known"]) == (2, 1)
    again = client.post("/outcomes", {"outcomes": many})
    assert (again.content["recorded"], again.content["known"]) == (0, 3)
    lines = SqliteLog(project.folder / "log.db").window(0.0, 1e12).to_pylist()
    assert [line["outcome"] for line in lines] == ["Yes"] * 3
    assert all(line["outcome_at"] >= line["at"] for line in lines)


def test_unknown_id_is_404_naming_it_and_records_none(client, ids):
    answer = client.post("/outcomes", [told(ids[0], "Yes"), told("nobody", "Yes")])
    assert answer.status == 404
    assert "no prediction 'nobody' is in the log" in answer.content["error"]
    assert client.post("/outcomes", told(ids[0], "No")).content["recorded"] == 1


def test_contradiction_is_409_and_the_first_stays(client, ids):
    client.post("/outcomes", told(ids[0], "Yes"))
    answer = client.post("/outcomes", [told(ids[1], "No"), told(ids[0], "No")])
    assert answer.status == 409
    assert "already known as 'Yes', got 'No'" in answer.content["error"]
    assert client.post("/outcomes", told(ids[1], "Yes")).content["recorded"] == 1


@pytest.mark.parametrize("value", ["maybe", "", 1, True, 0.5])
def test_value_that_is_no_class_is_422(client, ids, value):
    answer = client.post("/outcomes", told(ids[0], value))
    assert answer.status == 422
    assert "is not one of 'No', 'Yes'" in answer.content["error"]


@pytest.mark.parametrize("body", [[], {}, [1], {"prediction_id": "x"}, {"outcomes": {}}, "x"])
def test_body_that_is_no_outcome_is_422(client, body):
    assert client.post("/outcomes", body).status == 422


def test_number_stands_for_the_class_written_like_it(project, open_client, request_document, row):
    project.add(1, request=request_document | {"classes": ["0", "1"], "positive": "1"})
    project.deploy(1, {1: 1.0})
    client = open_client()
    name = client.post("/predict", row).content["prediction_id"]
    assert client.post("/outcomes", told(name, 1)).content["recorded"] == 1
    assert client.post("/outcomes", told(name, "1")).content["known"] == 1
    assert client.post("/outcomes", told(name, 1.0)).content["known"] == 1
