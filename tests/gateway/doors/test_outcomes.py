"""Tests of `/outcomes`: idempotent, all or none, never for an answer that was not given."""

import pytest

from setpoint.adapters.log.sqlite_log import SqliteLog


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


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        [1],
        {"prediction_id": "x"},
        {"outcomes": {}},
        "x",
        {"outcome": "Yes"},
        {"key": "C-1"},
        {"key": "", "outcome": "Yes"},
        {"key": "C-1", "prediction_id": "x", "outcome": "Yes"},
    ],
)
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


def by_key(key, value, **more):
    return {"key": key, "outcome": value, **more}


def ask(client, row, key):
    return client.post("/predict", row | {"customer_id": key}).content["prediction_id"]


def outcomes_of(project):
    lines = SqliteLog(project.folder / "log.db").window(0.0, 1e12).to_pylist()
    return {line["id"]: line["outcome"] for line in lines}


def test_by_key_means_the_one_answer_about_it_and_again_changes_nothing(client, project, row):
    first, second = ask(client, row, "C-1"), ask(client, row, 7)
    answer = client.post("/outcomes", [by_key("C-1", "Yes"), told(second, "No")])
    assert (answer.status, answer.content["recorded"]) == (200, 2)
    again = client.post("/outcomes", {"outcomes": [by_key("C-1", "Yes"), by_key(7, "No")]})
    assert (again.content["recorded"], again.content["known"]) == (0, 2)
    assert outcomes_of(project) == {first: "Yes", second: "No"}
    assert client.post("/outcomes", by_key("C-1", "No")).status == 409


def test_key_with_several_answers_is_409_unless_the_newest_is_meant(client, project, row):
    older, newer = ask(client, row, "C-1"), ask(client, row, "C-1")
    other = ask(client, row, "C-2")
    answer = client.post("/outcomes", [by_key("C-2", "Yes"), by_key("C-1", "Yes")])
    assert answer.status == 409
    assert "row 1: 2 predictions are about the key 'C-1'" in answer.content["error"]
    assert "latest: true" in answer.content["error"]
    assert set(outcomes_of(project).values()) == {None}
    assert client.post("/outcomes", by_key("C-1", "Yes", latest=True)).content["recorded"] == 1
    assert outcomes_of(project) == {older: None, newer: "Yes", other: None}


def test_key_that_nobody_asked_about_is_404_naming_it_and_records_none(client, project, row):
    ask(client, row, "C-1")
    answer = client.post("/outcomes", [by_key("C-1", "Yes"), by_key("nobody", "Yes")])
    assert answer.status == 404
    assert "no prediction about the key 'nobody'" in answer.content["error"]
    assert set(outcomes_of(project).values()) == {None}
