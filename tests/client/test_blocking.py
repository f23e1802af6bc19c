"""The blocking face: from threads, from a running event loop, after a fork, and when it is forgotten."""

import asyncio
import gc
import inspect
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from setpoint.client import AsyncClient, Client, RequestRefusedError, UnreadableAnswerError
from setpoint.errors import UsageError


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "setpoint-client"]


def wait_for(condition):
    deadline = time.perf_counter() + 5
    while not condition():
        assert time.perf_counter() < deadline, "waited in vain"
        time.sleep(0.01)


def test_its_methods_are_those_of_the_other(script):
    def parts(kind):
        return {
            name: list(inspect.signature(member).parameters)
            for name, member in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_") or name == "__init__"
        }

    assert parts(Client) == parts(AsyncClient)


def test_every_call_waits_for_its_answer(script, row, answer):
    many = answer | {
        "prediction": [1],
        "label": ["Yes"],
        "probability": [0.7],
        "prediction_ids": ["p"],
    }
    steps = [
        (200, answer),
        (200, many),
        (200, {"recorded": 1, "known": 0}),
        (200, {"recorded": 1, "known": 0}),
        (200, {"ready": True}),
        (200, {"model": "m"}),
        (200, {"name": "m", "inputs": []}),
    ]
    script.play(*steps)
    with Client(script.url) as client:
        assert client.predict(row).prediction_id == "p-1"
        assert [one.label for one in client.predict_many([row])] == ["Yes"]
        assert client.outcome("p", "Yes").recorded == 1
        assert client.outcomes([("p", "Yes")]).recorded == 1
        assert client.ready()
        assert client.metadata().name == "m"
        assert len(threads()) == 1
    assert threads() == []


def test_threads_do_not_wait_for_each_other(script, row):
    with Client(script.url) as client, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: client.predict(row).version, range(64)))
    assert found == ["3"] * 64
    assert script.most_under_way > 1
    assert 1 < script.connections <= 8


def test_it_can_be_asked_where_an_event_loop_runs_as_in_a_notebook(script, row):
    async def cell():
        with Client(script.url) as client:
            return client.predict(row)

    assert asyncio.run(cell()).version == "3"


def test_errors_come_through(script, row):
    script.play((422, {"error": "no", "detail": []}))
    with Client(script.url) as client, pytest.raises(RequestRefusedError):
        client.predict(row)


def test_a_closed_client_says_so(script, row):
    client = Client(script.url)
    client.close()
    client.close()
    with pytest.raises(UsageError, match="closed"):
        client.predict(row)


def test_who_waits_is_told_that_the_client_was_closed(script, row):
    script.play("hang")
    client = Client(script.url)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.predict, row)
        wait_for(lambda: script.asked)
        client.close()
        with pytest.raises(UsageError, match="closed before"):
            waiting.result(5)


def test_an_interrupt_gives_the_call_up(script, row):
    script.play("hang", (200, {}))
    with Client(script.url, connections=1) as client:
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            client.predict(row)
        with pytest.raises(UnreadableAnswerError):  # so there is room for the next
            client.predict(row)


def test_a_client_that_never_asked_has_no_thread(script):
    with Client(script.url):
        assert threads() == []


def test_a_forgotten_client_takes_its_thread_along(script, row):
    client = Client(script.url)
    client.predict(row)
    assert len(threads()) == 1
    del client
    gc.collect()
    wait_for(lambda: threads() == [])


def test_a_forked_process_has_connections_of_its_own(script, row):
    with Client(script.url) as client:
        client.predict(row)
        child = os.fork()
        if child == 0:
            os._exit(0 if client.predict(row).version == "3" else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert client.predict(row).version == "3"
    assert script.connections == 2
