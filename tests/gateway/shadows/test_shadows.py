"""Shadows: asked beside the requests, compared, logged and never returned; the first to go under load."""

import asyncio
import copy
import gc
import json
import threading
import time
import weakref

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from setpoint.adapters.log.shadow_file import shadow_file
from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.facts.deployment import Shadow
from setpoint.facts.prediction import live_id
from setpoint.gateway import follow
from setpoint.gateway.models.batching import ModelFailedError
from setpoint.gateway.shadows import shadows

IS_BUSY = shadows.Shadows._is_busy


@pytest.fixture(autouse=True)
def _at_ease(monkeypatch):
    """Machines of tests are busy with other things: how busy the gateway is has tests of its own."""
    monkeypatch.setattr(shadows.Shadows, "_is_busy", lambda _: False)


@pytest.fixture
def shadowed(client, project):
    """Open the client's gateway to a document with shadows; by default version 2 gets every request."""

    def deploy(*given, weights=None, **changes):
        generation = client.station.follower.generation + 1
        named = given or (Shadow(version=2),)
        project.deploy(generation, weights or {1: 1.0}, shadows=named, **changes)
        client.until(lambda: client.station.follower.generation == generation)
        return client

    return deploy


def counted(client, name, *labels):
    """Return what a counter of the shadows has under `churn` and further labels."""
    return getattr(client.station.shadows.metrics, name)._values.get(("churn", *labels), 0.0)


def asked(client, rows, version="2"):
    client.until(lambda: counted(client, "rows", version) == rows)


def lines(client, project):
    """Return what the shadows' log holds."""
    client.until(lambda: client.station.shadows._writer.pending == 0)
    log = SqliteLog(shadow_file(project.folder / "log.db"))
    found = log.window(0.0, 1e12).to_pylist()
    log.close()
    return found


def test_shadow_answers_a_copy_that_nobody_is_given(shadowed, project, row):
    client = shadowed()
    answer = client.post("/predict", row).content
    assert (answer["model_version"], answer["variant"], answer["prediction"]) == (
        "1",
        "champion",
        1,
    )
    asked(client, 1)
    (line,) = lines(client, project)
    assert (line["version"], line["variant"], line["prediction"]) == (2, "shadow", "No")
    assert live_id(line["id"]) == answer["prediction_id"]
    assert (line["generation"], line["error"]) == (2, "")
    assert line["feature.tenure"] == 3.0


def test_copy_is_dated_like_the_answer_it_is_of(shadowed, project, row):
    client = shadowed()
    client.post("/predict", row)
    asked(client, 1)
    client.until(lambda: client.station.writer.pending == 0)
    log = SqliteLog(project.folder / "log.db")
    (live,) = log.window(0.0, 1e12).to_pylist()
    log.close()
    assert lines(client, project)[0]["at"] == live["at"]


def test_prediction_log_has_the_live_answers_alone(shadowed, project, row):
    client = shadowed()
    for _ in range(3):
        client.post("/predict", row)
    asked(client, 3)
    client.until(lambda: client.station.writer.written == 3)
    log = SqliteLog(project.folder / "log.db")
    assert log.window(0.0, 1e12)["version"].to_pylist() == [1, 1, 1]
    assert (log.span()[2], set(log.arms(generation=0))) == (3, {1})
    log.close()


def test_answers_are_compared(shadowed, row):
    client = shadowed(Shadow(version=2))
    client.post("/v1/predict", [row, row | {"tenure": 110}])
    asked(client, 2)
    # The two models answer the opposite of each other.
    assert (counted(client, "compared", "2"), counted(client, "agreed", "2")) == (2, 0)
    text = client.get("/metrics").content
    arm = '{model="churn",version="2"'
    assert f"setpoint_shadow_probability_difference_count{arm}}} 2" in text
    assert f'setpoint_shadow_probability_difference_bucket{arm},le="0.5"}} 0' in text
    (largest,) = [line for line in text.splitlines() if "shadow_difference_max{" in line]
    assert 0.5 < float(largest.split()[-1]) <= 1.0


def test_version_that_answers_alike_agrees_with_itself(shadowed, project, row, models):
    project.add(3, models[1])
    client = shadowed(Shadow(version=3))
    for tenure in range(0, 120, 10):
        client.post("/predict", row | {"tenure": tenure})
    asked(client, 12, "3")
    assert counted(client, "agreed", "3") == counted(client, "compared", "3") == 12
    assert client.station.shadows.metrics._largest == {("churn", "3"): 0.0}


def test_several_shadows_answer_each_request(shadowed, project, row, models):
    project.add(3, models[1])
    client = shadowed(Shadow(version=2), Shadow(version=3))
    client.post("/predict", row)
    asked(client, 1, "2")
    asked(client, 1, "3")
    assert sorted(line["version"] for line in lines(client, project)) == [2, 3]


def test_same_requests_are_copied_at_every_replay(shadowed, project, row):
    client = shadowed(Shadow(version=2, fraction=0.3), sticky="customer_id", salt="s")
    for _ in range(2):
        for number in range(200):
            client.post("/predict", row | {"customer_id": f"C-{number}"})
    client.until(lambda: counted(client, "rows", "2") >= 2)
    client.until(lambda: not client.station.shadows._queue)
    client.until(lambda: client.station.shadows._turn is None)
    keys = [line["id"] for line in lines(client, project)]
    log = SqliteLog(project.folder / "log.db")
    of = {
        one: key
        for key, ids in log.of_keys([f"C-{number}" for number in range(200)]).items()
        for one in ids
    }
    log.close()
    customers = [of[live_id(identity)] for identity in keys]
    assert all(customers.count(customer) == 2 for customer in customers)
    assert 35 <= len(set(customers)) <= 90


def test_request_id_tells_where_there_is_no_sticky_value(shadowed, row):
    client = shadowed(Shadow(version=2, fraction=0.5))
    for _ in range(10):
        client.post("/predict", row, {b"x-request-id": b"always the same"})
    client.post(
        "/predict", row, {b"x-request-id": b"r-2"}
    )  # one of these is copied, or ten, or eleven
    client.loop.run_until_complete(asyncio.sleep(0.1))
    assert counted(client, "rows", "2") in (0, 1, 10, 11)


def test_testers_request_is_not_copied(shadowed, row):
    client = shadowed()
    client.post("/predict", row, {b"x-setpoint-version": b"1"})
    client.post("/predict", row)
    asked(client, 1)
    client.loop.run_until_complete(asyncio.sleep(0.05))
    assert counted(client, "rows", "2") == 1


def narrow(request_document, **changes):
    """Return a document whose tenure is at most 50."""
    document = copy.deepcopy(request_document)
    document["columns"][0]["max"] = 50
    return document | changes


def test_row_that_the_shadows_schema_refuses_is_its_error(
    shadowed, project, row, request_document, models
):
    project.add(3, models[1], request=narrow(request_document))
    client = shadowed(Shadow(version=3))
    assert client.post("/predict", row | {"tenure": 70}).status == 200
    assert client.post("/predict", row).status == 200
    asked(client, 2, "3")
    assert counted(client, "errors", "3", "refused") == 1
    assert counted(client, "compared", "3") == 1
    refused = next(line for line in lines(client, project) if line["error"])
    assert refused["prediction"] is None
    assert refused["error"].startswith("refused: row 0: column 'tenure'")


def test_column_that_only_the_shadow_knows_reaches_it(
    shadowed, project, row, request_document, translator
):
    columns = [{"name": name, "kind": "float", "nullable": False} for name in ("tenure", "score")]
    sample = np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 1.0], [100.0, 1.0]], dtype=np.float32)
    encode = ColumnTransformer([("numbers", "passthrough", [0, 1])])
    model = make_pipeline(encode, LogisticRegression(C=1e6)).fit(sample, [0, 0, 1, 1])
    document = copy.deepcopy(request_document) | {"columns": columns}
    project.add(3, translator(model, columns), request=document)
    client = shadowed(Shadow(version=3))
    for score in (0.0, 1.0):
        client.post("/predict", row | {"score": score})
    client.post("/predict", row)
    asked(client, 3, "3")
    assert counted(client, "errors", "3", "refused") == 1  # the last one has no score
    found = {line["feature.score"]: line["prediction"] for line in lines(client, project)}
    assert found == {0.0: "No", 1.0: "Yes", None: None}


def test_refusal_does_not_quote_what_the_log_may_not_keep(
    shadowed, project, row, request_document, models
):
    project.add(3, models[1], request=narrow(request_document))
    client = shadowed(Shadow(version=3), kept={"tenure": "drop", "customer_id": "drop"})
    client.post("/predict", row | {"tenure": 70})
    asked(client, 1, "3")
    (line,) = lines(client, project)
    assert line["error"] == "refused"
    assert "feature.tenure" not in line


class Failing:
    inline = True

    def __init__(self, runner, fails):
        self.runner, self.fails = runner, fails

    def run(self, rows):
        if self.fails(rows):
            raise ValueError("no such plan")
        return self.runner.run(rows)


def test_model_that_fails_is_an_error_of_the_shadow_row_by_row(shadowed, project, row):
    client = shadowed()
    version = client.station.follower.serving.versions[2]
    version.batcher.runner = Failing(
        version.batcher.runner, lambda rows: any(one[0] == 13 for one in rows)
    )

    async def together():
        await asyncio.gather(
            *(client.ask("POST", "/predict", row | {"tenure": tenure}) for tenure in (12, 13, 14))
        )

    client.loop.run_until_complete(together())
    asked(client, 3)
    assert counted(client, "errors", "2", "failed") == 1
    errors = sorted(line["error"] for line in lines(client, project))
    assert errors == ["", "", "ValueError: no such plan"]


def test_request_that_the_answering_model_failed_on_is_not_compared(
    shadowed, client, row, monkeypatch
):
    shadowed()
    serving = client.station.follower.serving

    def fail(*_):
        raise ModelFailedError("broken")

    monkeypatch.setattr(serving.versions[1].batcher, "ask", fail)
    assert client.post("/predict", row).status == 500
    asked(client, 1)
    assert (counted(client, "compared", "2"), counted(client, "errors", "2", "failed")) == (0, 0)


def test_outcome_of_the_live_answer_is_known_and_the_shadows_id_is_nobodys(shadowed, project, row):
    client = shadowed()
    answer = client.post("/predict", row).content
    asked(client, 1)
    (line,) = lines(client, project)
    told = {"prediction_id": answer["prediction_id"], "outcome": "Yes"}
    assert client.post("/outcomes", told).status == 200
    assert client.post("/outcomes", told | {"prediction_id": line["id"]}).status == 404


def test_log_that_is_off_keeps_no_shadow_but_the_metrics_do(shadowed, project, row):
    client = shadowed(log="off")
    client.post("/predict", row)
    asked(client, 1)
    assert counted(client, "compared", "2") == 1
    assert not shadow_file(project.folder / "log.db").exists()


def test_gateway_without_shadows_makes_no_log_for_them(client, project, row):
    client.post("/predict", row)
    client.until(lambda: client.station.writer.written == 1)
    assert not shadow_file(project.folder / "log.db").exists()
    assert client.station.shadows._executor._threads == set()


class Held:
    """A model that answers when it is told to."""

    inline = True

    def __init__(self, runner):
        self.runner, self.free, self.began = runner, threading.Event(), threading.Event()

    def run(self, rows):
        self.began.set()
        assert self.free.wait(10)
        return self.runner.run(rows)


@pytest.fixture
def held(shadowed):
    """Let version 2, a shadow, answer when it is told to."""
    client = shadowed()
    version = client.station.follower.serving.versions[2]
    model = version.batcher.runner = Held(version.batcher.runner)
    del version
    yield model
    model.free.set()


def test_slow_shadow_holds_up_no_request(client, held, row):
    client.post("/predict", row)
    client.until(held.began.is_set)
    started = time.perf_counter()
    for _ in range(50):
        assert client.post("/predict", row).status == 200
    assert time.perf_counter() - started < 2.0
    assert counted(client, "rows", "2") == 0
    held.free.set()
    asked(client, 51)


def test_what_does_not_fit_into_the_queue_is_dropped_and_counted(client, held, row):
    client.station.shadows._most = 8
    client.post("/predict", row)
    client.until(held.began.is_set)
    for _ in range(20):
        client.post("/predict", row)
    client.until(lambda: counted(client, "dropped", "2", "full") == 12)
    held.free.set()
    asked(client, 9)
    assert 'setpoint_shadow_dropped_total{model="churn",version="2",reason="full"} 12' in (
        client.get("/metrics").content
    )


def test_request_larger_than_the_queue_is_copied_when_nothing_else_waits(shadowed, row):
    client = shadowed()
    client.station.shadows._most = 8
    client.post("/v1/predict", [row] * 30)
    asked(client, 30)


def test_removed_shadow_ends_quietly_and_leaves_no_trace(client, project, held, row, capfd):
    client.post("/predict", row)
    client.until(held.began.is_set)
    for _ in range(5):
        client.post("/predict", row)
    gone = weakref.ref(client.station.follower.serving.versions[2].schema)
    generation = client.station.follower.generation + 1
    project.deploy(generation, {1: 1.0}, prepare=(project.prepared[1],))
    client.until(lambda: client.station.follower.generation == generation)
    held.free.set()
    client.until(lambda: counted(client, "dropped", "2", "left") == 5)
    client.until(lambda: client.station.shadows._turn is None)
    held.runner = None
    gc.collect()
    assert gone() is None
    assert client.post("/predict", row).status == 200
    assert capfd.readouterr().err == ""


def test_stop_drops_what_waits_and_logs_what_was_said(client, project, held, row):
    client.post("/predict", row)
    client.until(held.began.is_set)
    for _ in range(5):
        client.post("/predict", row)
    client.until(lambda: len(client.station.shadows._queue) == 5)

    async def stop():
        stopping = asyncio.create_task(client.station.shadows.stop())
        await asyncio.sleep(0.02)
        held.free.set()
        await stopping

    client.loop.run_until_complete(stop())
    assert counted(client, "dropped", "2", "stopping") == 5
    log = SqliteLog(shadow_file(project.folder / "log.db"))
    assert log.span()[2] == 1
    log.close()


def test_shadow_that_cannot_be_loaded_is_named_and_the_document_takes_force(
    client, project, row, monkeypatch
):
    monkeypatch.setattr(follow, "_RETRY_S", 0.1)
    project.add(3, project.models[2])
    path = project.folder / project.prepared[3].bundle / "model.onnx"
    sound = path.read_bytes()
    path.write_bytes(sound[:-1])
    project.deploy(2, {2: 1.0}, champion=2, shadows=(Shadow(version=3),))
    client.until(lambda: client.station.follower.generation == 2)
    assert client.post("/predict", row).content["model_version"] == "2"
    client.until(lambda: 3 in client.station.follower.failures)
    path.write_bytes(sound)  # it was only late
    client.until(lambda: client.station.follower.serving.shadows)
    client.post("/predict", row)
    asked(client, 1, "3")


def test_first_document_with_a_broken_challenger_lets_the_champion_answer_without_shadows(
    project, open_client, row
):
    for version in (1, 2):
        project.add(version)
    project.add(3, project.models[2])
    (project.folder / project.prepared[2].bundle / "model.onnx").write_bytes(b"")
    project.deploy(1, {1: 0.5, 2: 0.5}, shadows=(Shadow(version=3),))
    client = open_client()
    answer = client.post("/predict", row).content
    assert (answer["generation"], answer["model_version"]) == (0, "1")


def test_metrics_of_shadows_are_told_apart_by_version_and_hold_no_other_label(shadowed, row):
    client = shadowed()
    client.post("/predict", row)
    asked(client, 1)
    text = client.get("/metrics").content
    assert 'setpoint_shadow_rows_total{model="churn",version="2"} 1' in text
    assert 'setpoint_version_weight{model="churn",version="2"' in text
    assert 'model_predictions_total{model="churn",version="2"}' not in text


def test_json_of_the_answer_is_byte_for_byte_that_without_shadows(client, shadowed, row):
    def told():
        content = client.post("/predict", row).content
        return json.dumps({**content, "prediction_id": "", "generation": 0})

    before = told()
    shadowed()
    assert told() == before


class Watched:
    """The time and the processor time that a test wants."""

    def __init__(self):
        self.passed = self.used = 0.0

    def stopwatch(self):
        return self.passed


@pytest.fixture
def pausing(client, shadowed):
    """Shadows at the beginning of a pause, on a clock of the test's."""
    shadowed()
    found = client.station.shadows
    found._clock, watched = Watched(), Watched()
    found._used = lambda: watched.used
    found._since = (0.0, 0.0)
    return found, found._clock, watched


@pytest.mark.parametrize(
    ("passed", "used", "busy"),
    [
        (0.005, 0.000, False),
        (0.005, 0.0034, False),
        (0.005, 0.0036, True),  # requests had the processor most of the time
        (0.0076, 0.001, True),  # and here the event loop came late
    ],
)
def test_shadows_wait_while_requests_need_the_processor(pausing, passed, used, busy):
    found, clock, watched = pausing
    clock.passed, watched.used = passed, used
    assert IS_BUSY(found) is busy


def test_shadows_wait_while_rows_wait_for_an_answering_model(client, pausing):
    found, clock, _ = pausing
    clock.passed = 0.005
    assert not IS_BUSY(found)
    serving = client.station.follower.serving
    serving.versions[2].batcher.waiting_rows = 9  # of the shadow itself: nobody waits for that
    assert not IS_BUSY(found)
    serving.versions[1].batcher.waiting_rows = 1
    assert IS_BUSY(found)


def test_shadows_of_a_busy_gateway_are_dropped_first_and_come_back(
    client, shadowed, row, monkeypatch
):
    shadowed()
    client.station.shadows._most = 5
    monkeypatch.setattr(shadows.Shadows, "_is_busy", lambda _: True)
    for _ in range(20):
        assert client.post("/predict", row).status == 200
    client.until(lambda: counted(client, "dropped", "2", "full") == 15)
    assert counted(client, "rows", "2") == 0
    monkeypatch.setattr(shadows.Shadows, "_is_busy", lambda _: False)
    asked(client, 5)
    client.post("/predict", row)
    asked(client, 6)


def test_log_of_shadows_that_cannot_be_written_takes_no_gateway_out_of_rotation(
    client, project, row, shadowed
):
    blocked = shadow_file(project.folder / "log.db")
    blocked.mkdir()
    shadowed()
    client.post("/predict", row)
    asked(client, 1)
    client.until(lambda: client.station.shadows._writer.failures)
    assert client.get("/readyz").status == 200
    assert client.post("/predict", row).status == 200
    blocked.rmdir()
    asked(client, 2)
    client.until(lambda: client.station.shadows._writer.written == 2)
    assert len(lines(client, project)) == 2
