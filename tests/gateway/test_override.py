"""The testers' header: a way past the draw that no release counts, under a name that the document gives."""

import socket

import pytest

from setpoint.adapters.log.sqlite_log import SqliteLog

MATRIX = {
    "inputs": [
        {"name": "tenure", "shape": [1], "datatype": "INT64", "data": [3]},
        {"name": "charges", "shape": [1], "datatype": "FP64", "data": [70.5]},
        {"name": "paperless", "shape": [1], "datatype": "BOOL", "data": [True]},
        {"name": "plan", "shape": [1], "datatype": "BYTES", "data": ["monthly"]},
        {"name": "region", "shape": [1], "datatype": "BYTES", "data": ["north"]},
    ]
}
DOORS = {
    "/predict": (lambda row: row, lambda answer: answer.content["model_version"]),
    "/v1/predict": (lambda row: [row], lambda answer: answer.content["model_version"]),
    "/invocations": (
        lambda row: {"instances": [row]},
        lambda answer: answer.headers[b"x-setpoint-version"].decode(),
    ),
    "/v2/models/churn/infer": (lambda _: MATRIX, lambda answer: answer.content["model_version"]),
}


def ask(client, door, row, headers):
    body, version = DOORS[door]
    answer = client.post(door, body(row), headers)
    assert answer.status == 200, answer
    return version(answer)


def redeploy(client, project, **changes):
    project.deploy(2, {1: 1.0}, **changes)
    client.until(lambda: client.station.follower.generation == 2)


@pytest.mark.parametrize("door", DOORS)
def test_tester_reaches_a_version_without_traffic_through_every_door(client, row, door):
    assert ask(client, door, row, {}) == "1"
    assert ask(client, door, row, {b"x-setpoint-version": b"2"}) == "2"


@pytest.mark.parametrize("door", DOORS)
def test_document_names_the_header(client, project, row, door):
    redeploy(client, project, override="x-canary")
    assert ask(client, door, row, {b"x-canary": b"2"}) == "2"
    assert ask(client, door, row, {b"x-setpoint-version": b"2"}) == "1"


@pytest.mark.parametrize("door", DOORS)
def test_where_nobody_may_the_header_is_passed_over(client, project, row, door):
    redeploy(client, project, override="")
    assert ask(client, door, row, {b"x-setpoint-version": b"2", b"": b"2"}) == "1"


def test_path_of_the_protocol_names_a_version_whatever_the_header_may(client, project):
    redeploy(client, project, override="")
    answer = client.post("/v2/models/churn/versions/2/infer", MATRIX)
    assert answer.content["model_version"] == "2"


def test_version_that_is_not_prepared_is_not_found(client, row):
    answer = client.post("/predict", row, {b"x-setpoint-version": b"9"})
    assert (answer.status, "no version '9' prepared" in answer.content["error"]) == (404, True)


def test_outcomes_do_not_know_the_header(client, row):
    given = client.post("/predict", row).content["prediction_id"]
    body = {"prediction_id": given, "outcome": "Yes"}
    assert client.post("/outcomes", body, {b"x-setpoint-version": b"9"}).status == 200


def test_testers_answers_are_logged_and_count_for_no_release(client, project, row):
    redeploy(client, project, override="x-canary")
    for _ in range(3):
        client.post("/predict", row, {b"x-canary": b"2"})
    for _ in range(4):
        client.post("/predict", row)
    client.until(lambda: client.station.writer.written == 7)
    log = SqliteLog(project.folder / "log.db")
    assert {version: arm.requests for version, arm in log.arms(generation=2).items()} == {1: 4}
    assert log.window(0.0, 1e12, version=2).num_rows == 3
    log.close()


def test_page_of_the_doors_names_the_header_as_long_as_testers_may_use_it(client, project):
    def named():
        paths = client.get("/openapi.json").content["paths"]
        doors = ("/predict", "/v1/predict", "/invocations", "/v2/models/churn/infer", "/outcomes")
        return [
            [parameter["name"] for parameter in paths[door]["post"].get("parameters", ())]
            for door in doors
        ]

    assert named() == [["x-setpoint-version"]] * 4 + [[]]
    redeploy(client, project, override="")
    assert named() == [[]] * 5


def test_header_comes_over_the_wire_in_any_case(project, start_gateway, row, wait_until):
    project.add(1)
    project.add(2)
    project.deploy(1, {1: 1.0}, override="x-canary")
    gateway = start_gateway()
    host, port = gateway.url.removeprefix("http://").split(":")

    def ask_raw():
        body = str(row).replace("'", '"').replace("True", "true").encode()
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            head = f"POST /predict HTTP/1.1\r\nX-Canary: 2\r\ncontent-length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            return connection.recv(65536)

    wait_until(lambda: b"503" not in ask_raw()[:20])
    assert b'"model_version":"2"' in ask_raw()
