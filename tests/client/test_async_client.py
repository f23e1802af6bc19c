"""Answers, refusals, repetitions and deadlines against a server that plays a script."""

import asyncio
import time

import pytest

from setpoint.client import (
    Answer,
    AsyncClient,
    DeadlineError,
    Flaw,
    GatewayFailedError,
    OverloadedError,
    RequestRefusedError,
    Retries,
    UnreachableError,
    UnreadableAnswerError,
)
from setpoint.errors import UsageError

QUICK = Retries(most=3, first_s=0.001)


def client_of(script, **changes):
    return AsyncClient(script.url, **{"retries": QUICK, **changes})


def told(script, call, **changes):
    """Return what a call to a client of its own comes to."""

    async def whole():
        async with client_of(script, **changes) as client:
            return await call(client)

    return asyncio.run(whole())


def test_a_row_is_answered(script, row):
    found = told(script, lambda client: client.predict(row))
    assert found == Answer(
        prediction=1,
        label="Yes",
        probability=0.75,
        prediction_id="p-1",
        version="3",
        variant="champion",
        contract="c0ffee",
        generation=4,
    )
    assert type(found.prediction) is int
    (asked,) = script.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/predict", row)
    assert len(asked.headers["x-request-id"]) == 32
    assert "authorization" not in asked.headers


def test_key_pinned_version_own_id_and_path_of_an_ingress_are_sent(script, row):
    async def whole():
        url = script.url + "/models/churn/"
        async with AsyncClient(url, "s3cret") as client:
            await client.predict(row, version="2", request_id="r-1")

    asyncio.run(whole())
    (asked,) = script.asked
    assert asked.path == "/models/churn/predict"
    assert asked.headers["authorization"] == "bearer s3cret"
    assert asked.headers["x-setpoint-version"] == "2"
    assert asked.headers["x-request-id"] == "r-1"


@pytest.mark.parametrize("text", ["a\r\nx: y", "ä", "a\x00"])
def test_text_that_would_end_a_header_is_refused(script, row, text):
    with pytest.raises(UsageError, match="printable"):
        told(script, lambda client: client.predict(row, request_id=text))
    with pytest.raises(UsageError, match="printable"):
        AsyncClient(script.url, text)
    assert script.asked == []


def test_key_is_not_in_the_text_of_a_client(script):
    assert "s3cret" not in repr(AsyncClient(script.url, "s3cret"))


def test_connection_is_kept_and_used_again(script, row):
    async def call(client):
        for _ in range(5):
            await client.predict(row)

    told(script, call)
    assert script.connections == 1


def test_connection_that_the_server_closes_is_opened_anew(script, row, answer):
    script.play((200, answer, {"connection": "close"}))

    async def call(client):
        for _ in range(3):
            await client.predict(row)

    told(script, call, retries=Retries(most=0))
    assert script.connections == 3


def test_no_more_connections_than_allowed(script, row):
    async def call(client):
        await asyncio.gather(*(client.predict(row) for _ in range(30)))

    told(script, call, connections=4)
    assert len(script.asked) == 30
    assert script.connections <= 4
    assert script.most_under_way == 4


def test_one_client_serves_one_event_loop_after_the_other(script, row):
    client = client_of(script)

    async def one():
        await client.predict(row)
        await client.close()

    asyncio.run(one())
    asyncio.run(one())
    assert script.connections == 2


def test_refusal_carries_status_and_flaws(script, row):
    detail = [{"column": "tenure", "row": 0, "reason": "is missing"}, {"reason": "no"}]
    script.play((422, {"status": "error", "error": "row 0: column 'tenure': …", "detail": detail}))
    with pytest.raises(RequestRefusedError, match="422: row 0: column 'tenure'") as caught:
        told(script, lambda client: client.predict(row, request_id="r-1"))
    assert caught.value.status == 422
    assert caught.value.request_id == "r-1"
    assert caught.value.flaws == (
        Flaw(column="tenure", row=0, reason="is missing"),
        Flaw(reason="no"),
    )
    assert [str(flaw) for flaw in caught.value.flaws] == [
        "row 0: column 'tenure': is missing",
        "no",
    ]
    assert len(script.asked) == 1  # what was refused once is refused again


@pytest.mark.parametrize(
    ("status", "error", "times"),
    [
        (404, RequestRefusedError, 1),
        (500, GatewayFailedError, 1),
        (504, GatewayFailedError, 1),
        (502, GatewayFailedError, 4),
        (503, OverloadedError, 4),
        (429, OverloadedError, 4),
        (302, UnreadableAnswerError, 1),
    ],
)
def test_what_passes_by_itself_is_asked_again_and_nothing_else(script, row, status, error, times):
    script.play((status, b"<html>a proxy's page</html>"))
    with pytest.raises(error, match=f"{status}: <html>a proxy's page") as caught:
        told(script, lambda client: client.predict(row))
    assert caught.value.status == status
    assert caught.value.flaws == ()
    assert len(script.asked) == times


@pytest.mark.parametrize("failure", ["drop", (503, {"error": "loading"}), (429, {"error": "many"})])
def test_repetitions_carry_the_id_of_the_first_attempt(script, row, answer, failure):
    script.play(failure, failure, (200, answer))
    assert told(script, lambda client: client.predict(row)).prediction_id == "p-1"
    assert len(script.asked) == 3
    assert len({asked.headers["x-request-id"] for asked in script.asked}) == 1


def test_two_requests_never_share_an_id(script, row):
    async def call(client):
        await asyncio.gather(*(client.predict(row) for _ in range(20)))

    told(script, call)
    assert len({asked.headers["x-request-id"] for asked in script.asked}) == 20


def test_retry_after_is_waited(script, row, answer):
    script.play((503, {"error": "loading"}, {"Retry-After": "1"}), (200, answer))
    started = time.perf_counter()
    told(script, lambda client: client.predict(row))
    assert time.perf_counter() - started >= 1.0


def test_retry_after_beyond_the_deadline_is_not_waited_for(script, row):
    script.play((429, {"error": "many"}, {"Retry-After": "60"}))
    started = time.perf_counter()
    with pytest.raises(OverloadedError) as caught:
        told(script, lambda client: client.predict(row), timeout_s=5)
    assert time.perf_counter() - started < 3
    assert caught.value.retry_after_s == 60
    assert len(script.asked) == 1


def test_deadline_holds_over_all_attempts(script, row):
    script.play("drop", "hang")
    started = time.perf_counter()
    with pytest.raises(DeadlineError, match=r"within 0.3 s; before: .*closed the connection"):
        told(script, lambda client: client.predict(row), timeout_s=0.3)
    assert 0.3 <= time.perf_counter() - started < 2
    assert len(script.asked) == 2


def test_late_answer_is_not_taken_for_the_next_one(script, row, answer):
    script.play("hang", (200, answer | {"prediction_id": "p-2"}))

    async def call(client):
        with pytest.raises(DeadlineError):
            await client.predict(row)
        return await client.predict(row)

    assert told(script, call, timeout_s=0.2).prediction_id == "p-2"
    assert script.connections == 2


def test_a_cancelled_call_gives_its_connection_up(script, row):
    script.play("hang", (200, {}))

    async def call(client):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.predict(row), 0.1)
        with pytest.raises(UnreadableAnswerError):
            await client.predict(row)

    told(script, call, connections=1)
    assert script.connections == 2


def test_nobody_there(row):
    async def call():
        async with AsyncClient("http://127.0.0.1:9", retries=QUICK) as client:
            await client.predict(row)

    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:9: "):
        asyncio.run(call())


@pytest.mark.parametrize("text", [b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"\0" * 100_000])
def test_something_else_on_the_port(script, row, text):
    script.play(text)
    with pytest.raises(UnreadableAnswerError):
        told(script, lambda client: client.predict(row))


@pytest.mark.parametrize("content", [b"{", b"{}", b"[]", b"\xff", b'{"prediction": {}}'])
def test_an_answer_of_another_server_is_told_from_ours(script, row, content):
    script.play((200, content))
    with pytest.raises(UnreadableAnswerError, match="none of a gateway") as caught:
        told(script, lambda client: client.predict(row))
    assert caught.value.status == 200


def many(asked):
    rows = asked.body
    return 200, {
        "prediction": [row["n"] for row in rows],
        "probability": None,
        "prediction_ids": [f"p-{row['n']}" for row in rows],
        "model_version": "3",
        "variant": "champion",
        "contract": "c",
        "generation": 4,
    }


@pytest.mark.parametrize("count", [0, 1, 500, 501, 1203])
def test_many_rows_are_answered_in_order_by_as_many_requests_as_they_need(script, count):
    script.play(many)
    rows = ({"n": n} for n in range(count))
    found = told(script, lambda client: client.predict_many(rows, request_id="r"))
    assert [one.prediction for one in found] == list(range(count))
    assert [one.prediction_id for one in found] == [f"p-{n}" for n in range(count)]
    names = ["r", *(f"r-{n}" for n in range(1, 9))]
    assert [asked.headers["x-request-id"] for asked in script.asked] == names[: -(-count // 500)]


def test_large_rows_are_spread_over_requests_that_a_gateway_takes(script):
    script.play(many)
    rows = [{"n": n, "text": "x" * 100_000} for n in range(20)]
    assert len(told(script, lambda client: client.predict_many(rows))) == 20
    assert all(int(asked.headers["content-length"]) < 1_000_000 for asked in script.asked)


def test_failure_in_the_middle_of_many_rows_names_the_row_and_keeps_the_answers(script):
    refused = {"error": "no", "detail": [{"row": 7, "column": "n", "reason": "no"}]}
    script.play(many, (422, refused))
    with pytest.raises(RequestRefusedError) as caught:
        told(script, lambda client: client.predict_many({"n": n} for n in range(700)))
    assert caught.value.flaws == (Flaw(row=507, column="n", reason="no"),)
    assert [one.prediction for one in caught.value.answers] == list(range(500))


def test_fewer_answers_than_rows_are_no_answer(script):
    script.play(
        lambda asked: ((200, {**many(asked)[1], "prediction": [1], "prediction_ids": ["p"]}))
    )
    with pytest.raises(UnreadableAnswerError, match="2 rows were sent, 1 were answered"):
        told(script, lambda client: client.predict_many([{"n": 1}, {"n": 2}]))


def test_outcomes_are_told_in_portions_and_counted(script):
    script.play(lambda asked: (200, {"recorded": len(asked.body) - 1, "known": 1}))
    given = {f"p-{n}": "Yes" for n in range(501)}
    found = told(script, lambda client: client.outcomes(given))
    assert (found.recorded, found.known) == (499, 2)
    assert [len(asked.body) for asked in script.asked] == [500, 1]
    assert script.asked[0].path == "/outcomes"
    assert script.asked[1].body == [{"prediction_id": "p-500", "outcome": "Yes"}]


def test_one_outcome_is_told(script):
    script.play((200, {"recorded": 1, "known": 0}))
    assert told(script, lambda client: client.outcome("p", value=True)).recorded == 1
    assert script.asked[0].body == [{"prediction_id": "p", "outcome": True}]


def test_readiness_is_an_answer_either_way(script):
    not_ready = {"ready": False, "reasons": ["no model is loaded: loading"], "warnings": []}
    script.play((503, not_ready), (200, {"ready": True, "generation": 4, "weights": {"3": 1.0}}))

    async def call(client):
        return await client.ready(), await client.ready()

    first, second = told(script, call)
    assert not first
    assert first.reasons == ["no model is loaded: loading"]
    assert second
    assert (second.generation, second.weights) == (4, {"3": 1.0})
    assert len(script.asked) == 2  # "not ready" was no reason to ask again


def test_metadata_of_the_model_that_is_served(script):
    model = {
        "name": "churn 2",
        "versions": ["3"],
        "platform": "setpoint_onnx",
        "inputs": [
            {
                "name": "tenure",
                "datatype": "INT64",
                "shape": [-1],
                "parameters": {"kind": "int", "min": 0, "nullable": False},
            }
        ],
        "parameters": {"key": "customer_id"},
    }
    script.play((200, {"model": "churn 2", "status": "healthy"}), (200, model))
    found = told(script, lambda client: client.metadata())
    assert [asked.path for asked in script.asked] == ["/health", "/v2/models/churn%202"]
    assert found.name == "churn 2"
    assert found.inputs[0].parameters == {"kind": "int", "min": 0, "nullable": False}


@pytest.mark.parametrize(
    "changes", [{"timeout_s": 0}, {"connections": 0}, {"retries": Retries(most=-1)}]
)
def test_settings_that_make_no_sense_are_refused(changes):
    with pytest.raises(UsageError):
        AsyncClient("http://x", **changes)


def test_chance_is_the_callers(script, row, answer, entropy):
    script.play((503, {"error": "loading"}), (200, answer))
    told(script, lambda client: client.predict(row), entropy=entropy)
    assert [asked.headers["x-request-id"] for asked in script.asked] == ["0" * 32] * 2
