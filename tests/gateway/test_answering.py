"""Tests of what the log says of an answer, and of logs and models that fail."""

import numpy as np
import pytest

from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.errors import JournalError
from setpoint.facts.evidence import Scores


def logged(project):
    return SqliteLog(project.folder / "log.db").window(0.0, 1e12).to_pylist()


class Runner:
    """A model that answers by a function."""

    inline = True

    def __init__(self, run):
        self.run = run


def test_every_answer_is_in_the_log_with_where_it_came_from(client, project, row):
    flat = client.post("/predict", row, {b"x-request-id": b"r-7"}).content
    client.post("/predict", row, {b"x-setpoint-version": b"2"})
    client.post("/v1/predict", [[3, 70.5, True, None, "x"]] * 2)
    client.until(lambda: client.station.writer.written == 4)
    lines = logged(project)
    assert len(lines) == 4
    first = lines[0]
    assert first["id"] == flat["prediction_id"]
    assert (first["version"], first["generation"], first["variant"]) == (1, 1, "champion")
    assert (first["prediction"], first["probability"]) == ("Yes", flat["probability"])
    assert (first["feature.tenure"], first["feature.plan"], first["error"]) == (3.0, "monthly", "")
    assert 0 < first["latency_s"] < 10
    assert lines[2]["feature.plan"] is None
    arms = SqliteLog(project.folder / "log.db").arms(generation=1)
    assert {version: arm.requests for version, arm in arms.items()} == {1: 3}  # not the pinned one


def test_durable_answer_is_in_the_log_when_it_arrives(project, open_client, row):
    project.add(1)
    project.deploy(1, {1: 1.0}, log="durable")
    client = open_client()
    for number in range(1, 6):
        answer = client.post("/predict", row)
        assert answer.status == 200
        assert SqliteLog(project.folder / "log.db").span()[2] == number


def test_log_that_is_off_keeps_nothing(project, open_client, row):
    project.add(1)
    project.deploy(1, {1: 1.0}, log="off")
    client = open_client()
    assert client.post("/predict", row).status == 200
    assert client.station.writer.pending == client.station.writer.written == 0


def fail_the_log(client):
    def full(predictions):
        raise JournalError("cannot write the prediction log: database or disk is full")

    client.station.writer._log.append = full


def test_durable_answer_that_cannot_be_logged_is_503_and_not_given(project, open_client, row):
    project.add(1)
    project.deploy(1, {1: 1.0}, log="durable")
    client = open_client()
    fail_the_log(client)
    answer = client.post("/predict", row)
    assert answer.status == 503
    assert answer.headers[b"retry-after"] == b"1"
    assert "disk is full" in answer.content["error"]
    assert "prediction" not in answer.content
    assert client.get("/readyz").status == 503


def test_buffered_answers_go_on_while_the_log_fails_and_readiness_says_so(client, project, row):
    append = client.station.writer._log.append
    fail_the_log(client)
    assert client.post("/predict", row).status == 200
    client.until(lambda: client.station.writer.failures)
    ready = client.get("/readyz")
    assert ready.status == 503
    assert "disk is full (1 answers kept, 0 lost)" in ready.content["reasons"][0]
    metrics = client.get("/metrics").content
    assert "setpoint_log_pending 1" in metrics
    assert "setpoint_log_failures_total 1" in metrics
    client.station.writer._log.append = append
    client.until(lambda: client.station.writer.written == 1)
    assert client.get("/readyz").status == 200


def test_model_that_raises_is_a_500_on_record(client, put_runner, project, row):
    def broken(columns):
        raise RuntimeError("no weights")

    put_runner(Runner(broken))
    answer = client.post("/predict", row)
    assert answer.status == 500
    assert "version 1 gave no answer: RuntimeError: no weights" in answer.content["error"]
    client.until(lambda: client.station.writer.written == 1)
    (line,) = logged(project)
    assert (line["error"], line["prediction"]) == ("RuntimeError: no weights", None)
    assert line["id"].encode() == answer.headers[b"x-setpoint-prediction-id"]
    arm = SqliteLog(project.folder / "log.db").arms(generation=1)[1]
    assert (arm.requests, arm.errors) == (1, 1)
    metrics = client.get("/metrics").content
    assert 'model_prediction_errors_total{model="churn",version="1"} 1' in metrics


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_answer_that_is_no_number_is_never_given(client, put_runner, row, bad):
    empty = np.empty(0)
    put_runner(Runner(lambda _: Scores(empty, np.array([[0.5, bad]]), empty)))
    assert client.post("/predict", row).status == 500
