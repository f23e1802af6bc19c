"""Tests of what a gateway takes on: deadlines, queues, and limits that the deployment document changes."""

import asyncio
import json
import threading

import numpy as np
import pytest

from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.errors import DeploymentError, UsageError
from setpoint.facts.deployment import ServingLimits
from setpoint.facts.evidence import Scores
from setpoint.gateway.limits import Limits, LimitsInForce

EMPTY = np.empty(0)
DOORS = {
    "/predict": lambda row: row,
    "/v1/predict": lambda row: {"instances": [row]},
    "/invocations": lambda row: {"dataframe_records": [row]},
    "/v2/models/churn/infer": lambda row: {
        "inputs": [
            {"name": name, "shape": [1], "datatype": kind, "data": [row[name]]}
            for name, kind in (
                ("tenure", "INT64"),
                ("charges", "FP64"),
                ("paperless", "BOOL"),
                ("plan", "BYTES"),
                ("region", "BYTES"),
            )
        ]
    },
}


class Held:
    """A native model that runs when it is let; counts the rows that it was given."""

    inline = False

    def __init__(self):
        self.gate = threading.Event()
        self.rows = 0

    def run(self, rows):
        assert self.gate.wait(20)
        self.rows += len(rows)
        return Scores(EMPTY, np.tile([0.25, 0.75], (len(rows), 1)), EMPTY)


@pytest.fixture
def held(client, put_runner):
    model = Held()
    put_runner(model)
    yield model
    model.gate.set()


def limit(client, **limits):
    client.station.limits.follow(ServingLimits(**limits))


def together(client, requests):
    """Answer requests at once, in order of their coming."""

    async def whole():
        return await asyncio.gather(*(client.ask("POST", *request) for request in requests))

    return client.loop.run_until_complete(whole())


def one_runs(client, requests):
    """Answer requests of which the first is being run when the others come."""

    async def whole():
        first = asyncio.ensure_future(client.ask("POST", *requests[0]))
        await asyncio.sleep(0.01)
        others = [client.ask("POST", *request) for request in requests[1:]]
        return await asyncio.gather(first, *others)

    return client.loop.run_until_complete(whole())


def logged(project):
    return SqliteLog(project.folder / "log.db").window(0.0, 1e12).to_pylist()


def said(answer):
    return answer.content.get("error") or answer.content["message"]


@pytest.mark.parametrize("path", DOORS)
def test_request_that_waits_too_long_is_504_at_every_door_and_says_what_waits(
    client, held, project, row, path
):
    limit(client, deadline_s=0.05)
    first, second = one_runs(client, [(path, DOORS[path](row))] * 2)
    assert (first.status, second.status) == (504, 504)
    assert "version 1 gave no answer: deadline: no answer within 0.05 s" in said(first)
    assert "1 rows are being run since 0." in said(second)
    if path == "/invocations":
        assert first.content["error_code"] == "DEADLINE_EXCEEDED"
    held.gate.set()
    client.until(lambda: client.station.writer.written == 2)
    assert [line["error"][:34] for line in logged(project)] == [
        "deadline: no answer within 0.05 s;"
    ] * 2
    assert [line["prediction"] for line in logged(project)] == [None, None]
    ids = {line["id"].encode() for line in logged(project)}
    assert ids == {answer.headers[b"x-setpoint-prediction-id"] for answer in (first, second)}


def test_request_whose_time_is_over_is_never_run(client, held, row):
    limit(client, deadline_s=0.05)
    asked = [("/predict", row)] * 5
    assert {answer.status for answer in one_runs(client, asked)} == {504}
    held.gate.set()
    limit(client, deadline_s=10.0)
    assert client.post("/predict", row).status == 200
    assert held.rows == 2  # what was running then, and this one; those that waited were passed over
    assert client.station.follower.serving.only.version.batcher.waiting_rows == 0


@pytest.mark.parametrize(
    ("path", "headers", "parameters"),
    [
        ("/predict", {b"grpc-timeout": b"40m"}, None),
        ("/v1/predict", {b"grpc-timeout": b"40000u"}, None),
        ("/invocations", {b"x-envoy-expected-rq-timeout-ms": b"40"}, None),
        ("/v2/models/churn/infer", {b"grpc-timeout": b"40m"}, None),
        ("/v2/models/churn/infer", {}, {"timeout": 40_000}),
        ("/v2/models/churn/infer", {b"grpc-timeout": b"1H"}, {"timeout": 40_000}),
    ],
)
def test_client_may_wait_for_less_but_not_for_longer_than_the_gateway(
    client, held, row, path, headers, parameters
):
    body = DOORS[path](row) | ({"parameters": parameters} if parameters else {})
    answer = client.post(path, body, headers)
    assert answer.status == 504
    assert "no answer within 0.04 s" in said(answer)
    limit(client, deadline_s=0.02)
    patient = {b"grpc-timeout": b"1H"}
    assert "no answer within 0.02 s" in said(client.post(path, DOORS[path](row), patient))


def test_quick_answer_needs_no_patience_but_a_readable_header(client, row):
    assert client.post("/predict", row, {b"grpc-timeout": b"1u"}).status == 200
    refused = client.post("/predict", row, {b"grpc-timeout": b"soon"})
    assert refused.status == 400
    assert "header grpc-timeout is 'soon'" in said(refused)


def test_stalled_disk_is_504_and_not_an_answer(project, open_client, row):
    project.add(1)
    project.deploy(1, {1: 1.0}, log="durable", limits=ServingLimits(deadline_s=0.1))
    client = open_client()
    go_on = threading.Event()
    append = client.station.writer._log.append
    client.station.writer._log.append = lambda lines: (go_on.wait(20), append(lines))
    answers = together(client, [("/predict", row)] * 2)
    outcome = client.post("/outcomes", {"prediction_id": "p", "outcome": "Yes"})
    go_on.set()
    assert {answer.status for answer in answers} == {504}
    assert "the answer is not in the log within 0.1 s, so it is not given" in said(answers[0])
    assert "prediction" not in answers[0].content
    assert outcome.status == 504
    assert "tell them again" in said(outcome)
    client.until(lambda: client.station.writer.written == 2)
    assert client.post("/predict", row).status == 200


def test_log_that_stalls_for_long_makes_the_gateway_unready(client, row, monkeypatch):
    go_on = threading.Event()
    append = client.station.writer._log.append
    client.station.writer._log.append = lambda lines: (go_on.wait(20), append(lines))
    client.post("/predict", row)
    client.until(lambda: client.station.writer._busy)
    assert client.get("/readyz").status == 200
    monkeypatch.setattr("setpoint.gateway.log_writer._STALLED_S", 0.0)
    stalled = client.get("/readyz")
    go_on.set()
    assert stalled.status == 503
    assert "a write to the log has not ended for 0 s (1 answers wait)" in stalled.content["reasons"]
    client.until(lambda: client.station.writer.written)
    assert client.get("/readyz").status == 200


@pytest.mark.parametrize("path", DOORS)
def test_full_queue_is_429_at_every_door_with_the_time_to_come_again(client, held, row, path):
    limit(client, queue=3)
    asked = (path, DOORS[path](row))

    async def scenario():
        running = asyncio.ensure_future(client.ask("POST", *asked))
        await asyncio.sleep(0.05)
        waiting = [asyncio.ensure_future(client.ask("POST", *asked)) for _ in range(3)]
        await asyncio.sleep(0)
        refused = await client.ask("POST", *asked)
        held.gate.set()
        return refused, await asyncio.gather(running, *waiting)

    refused, answers = client.loop.run_until_complete(scenario())
    assert refused.status == 429
    assert "version 1 is busy: 3 rows wait already, 3 may; try again in 1 s" in said(refused)
    assert refused.headers[b"retry-after"] == b"1"
    if path == "/invocations":
        assert refused.content["error_code"] == "REQUEST_LIMIT_EXCEEDED"
    assert {answer.status for answer in answers} == {200}


class Slow:
    """A native model in which every row costs time."""

    inline = False

    def __init__(self, row_s):
        self.row_s = row_s
        self.runs = []
        self.never = threading.Event()

    def run(self, rows):
        self.runs.append(len(rows))
        self.never.wait(self.row_s * len(rows))
        return Scores(EMPTY, np.tile([0.25, 0.75], (len(rows), 1)), EMPTY)


def test_request_that_could_not_be_answered_in_time_is_told_so_at_once(client, put_runner, row):
    model = Slow(0.02)
    put_runner(model)
    limit(client, deadline_s=0.5)
    for rows in (1, 3, 1, 2):  # from which the pace is known
        client.post("/predict", [row] * rows)
    clock = client.station.clock
    started = clock.stopwatch()
    ended = []

    async def ask():
        answer = await client.ask("POST", "/predict", row)
        ended.append((answer.status, clock.stopwatch() - started, answer.headers))

    async def scenario():
        await asyncio.gather(*(ask() for _ in range(100)))

    client.loop.run_until_complete(scenario())
    given = [took for status, took, _ in ended if status == 200]
    refused = [(took, headers) for status, took, headers in ended if status == 429]
    assert len(given) + len(refused) == 100  # whoever was let in was answered
    assert 10 <= len(given) <= 25  # half a second, at fifty rows a second
    assert max(took for took, _ in refused) < 0.2  # at once, not when their time is over
    assert {headers[b"retry-after"] for _, headers in refused} == {b"1"}
    assert max(model.runs) <= 6  # a tenth of a second each, so that nobody waits for long meanwhile


def test_retry_after_grows_with_what_waits(client, put_runner, row):
    put_runner(Slow(0.01))
    for rows in (1, 3, 1, 2):
        client.post("/predict", [row] * rows)
    batcher = client.station.follower.serving.only.version.batcher
    limit(client, queue=250)

    async def scenario():
        values = [(1, 1.0, True, "monthly", "x")]
        futures = [batcher.ask(values * 1)]
        await asyncio.sleep(0)
        futures += [batcher.ask(values * 50) for _ in range(5)]
        refused = await client.ask("POST", "/predict", row)
        for future in futures:
            future.cancel()
        return refused

    refused = client.loop.run_until_complete(scenario())
    assert refused.status == 429
    assert int(refused.headers[b"retry-after"]) in (3, 4)  # 250 rows at a hundred a second


def test_lone_request_larger_than_the_queue_is_answered(client, put_runner, row):
    put_runner(Slow(0.0))
    limit(client, queue=1)
    assert client.post("/predict", [row] * 20).status == 200


def test_rows_whose_time_is_over_take_no_place_in_the_queue(client, held, row):
    limit(client, queue=2, deadline_s=0.05)
    assert {answer.status for answer in one_runs(client, [("/predict", row)] * 3)} == {504}
    again = together(client, [("/predict", row)] * 2)
    assert {answer.status for answer in again} == {504}  # not 429: nobody waits


def test_one_request_too_many_is_429_at_every_door(client, held, row):
    limit(client, requests=1)
    paths = list(DOORS)

    async def scenario():
        first = asyncio.ensure_future(client.ask("POST", "/predict", row))
        await asyncio.sleep(0)
        refused = [await client.ask("POST", path, DOORS[path](row)) for path in paths]
        probes = [(await client.ask("GET", path)).status for path in ("/readyz", "/metrics")]
        held.gate.set()
        return await first, refused, probes

    first, refused, probes = client.loop.run_until_complete(scenario())
    assert (first.status, probes) == (200, [200, 200])
    for path, answer in zip(paths, refused, strict=True):
        assert answer.status == 429
        assert answer.headers[b"retry-after"] == b"1"
        assert ("error_code" in answer.content) == (path == "/invocations")
        assert "1 requests are being answered" in said(answer)


def test_limits_of_the_document_hold_while_it_is_in_force(project, open_client, row):
    project.add(1)
    project.deploy(1, {1: 1.0})
    client = open_client(limits=Limits(rows=5))
    assert client.post("/predict", [row] * 6).status == 413
    project.deploy(2, {1: 1.0}, limits=ServingLimits(rows=2, deadline_s=1.5))
    client.until(lambda: client.station.follower.generation == 2)
    refused = client.post("/predict", [row] * 3)
    assert refused.status == 413
    assert "3 rows, a request may have up to 2" in said(refused)
    assert client.station.limits.deadline_s == 1.5
    schemas = client.get("/openapi.json").content["components"]["schemas"]
    assert schemas["Objects"]["maxItems"] == 2
    project.deploy(3, {1: 1.0})
    client.until(lambda: client.station.follower.generation == 3)
    assert client.post("/predict", [row] * 5).status == 200
    assert client.station.limits.deadline_s == 30.0


@pytest.mark.parametrize(
    ("limits", "said_"),
    [
        ({"body": 0}, "limits body to 0, not 1000 to 1073741824"),
        ({"rows": -1}, "limits rows to -1"),
        ({"requests": 10**9}, "limits requests to 1000000000"),
        ({"queue": 0}, "limits queue to 0"),
        ({"deadline_s": 0.0}, "limits deadline_s to 0.0"),
        ({"deadline_s": 1e9}, "limits deadline_s to 1000000000.0"),
        ({"deadline_s": float("nan")}, "limits deadline_s to nan"),
    ],
)
def test_absurd_limits_never_take_force(project, open_client, row, limits, said_):
    project.add(1)
    project.deploy(1, {1: 1.0})
    client = open_client()
    deployment = project.deployments.current()
    bad = {**json.loads(project.path.read_text()), "generation": 2, "limits": limits}
    with pytest.raises(DeploymentError, match=said_.split()[1]):
        ServingLimits(**limits).require_sound("deployment 2")
    if limits.get("deadline_s") == limits.get("deadline_s"):  # NaN is no JSON at all
        project.path.write_text(json.dumps(bad))
        client.until(lambda: client.station.follower.refused)
        assert said_ in client.get("/readyz").content["warnings"][0]
    assert client.station.follower.serving.deployment == deployment
    assert client.post("/predict", row).status == 200
    with pytest.raises(UsageError, match="the gateway limits"):
        Limits(**limits).require_sound()


def test_document_without_limits_leaves_the_process_its_own():
    in_force = LimitsInForce(Limits(body=5_000, queue=7))
    in_force.follow(ServingLimits(queue=3))
    assert (in_force.body, in_force.queue) == (5_000, 3)
    in_force.follow(ServingLimits())
    assert (in_force.body, in_force.queue) == (5_000, 7)
