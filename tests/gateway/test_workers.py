"""Several workers on one port as real processes: shared load, one that dies, all that end."""

import asyncio
import json
import os
import signal
import urllib.request

import psutil

from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.client import AsyncClient, Retries
from setpoint.clock import SystemClock
from setpoint.load.back_to_back import send_rows

WORKERS = 2


def children(pid):
    return [child.pid for child in psutil.Process(pid).children()]


def get(url, path):
    with urllib.request.urlopen(url + path, timeout=5) as answer:  # noqa: S310 (our own gateway)
        return answer.read().decode()


def is_ready(url):
    try:
        return json.loads(get(url, "/readyz"))["ready"]
    except OSError:
        return False


def predictions(url):
    lines = get(url, "/metrics").splitlines()
    found = [line for line in lines if line.startswith("model_predictions_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in found)


def logged_ids(project):
    log = SqliteLog(project.folder / "log.db")
    found = log.window(0.0, 1e12)["id"].to_pylist()
    log.close()
    return found


def send(url, rows):
    async def whole():
        async with AsyncClient(url, retries=Retries(most=0)) as client:
            return await send_rows(client, rows, clock=SystemClock(), concurrency=16)

    return asyncio.run(whole())


def test_workers_share_the_port_the_log_and_the_metrics(project, start_gateway, row, wait_until):
    project.add(1)
    project.deploy(1, {1: 1.0}, log="buffered")
    gateway = start_gateway(workers=WORKERS)
    wait_until(lambda: all(is_ready(gateway.url) for _ in range(8)))
    sent = send(gateway.url, [row] * 600)
    assert {one.status for one in sent} == {200}
    assert len({one.answer.prediction_id for one in sent}) == len(sent)
    wait_until(lambda: all(predictions(gateway.url) == len(sent) for _ in range(4)))
    assert gateway.terminate() == (0, "")
    assert sorted(logged_ids(project)) == sorted(one.answer.prediction_id for one in sent)


def test_worker_that_is_killed_is_replaced_and_loses_nothing_it_acknowledged(
    project, start_gateway, row, wait_until
):
    project.add(1)
    project.deploy(1, {1: 1.0}, log="durable")
    gateway = start_gateway(workers=WORKERS)
    wait_until(lambda: all(is_ready(gateway.url) for _ in range(8)))
    first = children(gateway.process.pid)

    def rows():
        for number in range(900):
            if number == 300:
                os.kill(first[0], signal.SIGKILL)
            yield row

    sent = send(gateway.url, rows())
    given = {one.answer.prediction_id for one in sent if one.answer}
    assert len(given) > 600
    assert 503 not in {
        one.status for one in sent
    }  # the new worker takes no request before it can answer
    wait_until(lambda: len(children(gateway.process.pid)) == WORKERS)
    assert first[0] not in children(gateway.process.pid)
    wait_until(lambda: all(is_ready(gateway.url) for _ in range(8)))
    code, errors = gateway.terminate()
    assert code == 0
    assert f"worker {first[0]} ended with signal 9" in errors
    assert given <= set(logged_ids(project))


def test_workers_without_a_document_say_so(project, start_gateway, wait_until):
    project.folder.mkdir()
    gateway = start_gateway(workers=WORKERS)
    assert get(gateway.url, "/healthz")
    assert not is_ready(gateway.url)
    project.add(1)
    project.deploy(1, {1: 1.0})
    wait_until(lambda: all(is_ready(gateway.url) for _ in range(8)))


def test_workers_end_with_their_parent(project, start_gateway, wait_until):
    project.add(1)
    project.deploy(1, {1: 1.0})
    gateway = start_gateway(workers=WORKERS)
    wait_until(lambda: is_ready(gateway.url))
    workers = children(gateway.process.pid)
    gateway.kill()
    wait_until(lambda: not any(map(psutil.pid_exists, workers)))
