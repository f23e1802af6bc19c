"""Real processes on real sockets: switches under load, kill -9, a clean end."""

import asyncio
import json
import select
import socket
from urllib.parse import urlsplit

import pytest

from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.client import AsyncClient, Retries
from setpoint.clock import SystemClock
from setpoint.load.back_to_back import send_rows


def logged_ids(project):
    log = SqliteLog(project.folder / "log.db")
    found = log.window(0.0, 1e12)
    log.close()
    return dict(zip(found["id"].to_pylist(), found["generation"].to_pylist(), strict=True))


def once(gateway):
    """A client that sends nothing twice."""
    return AsyncClient(gateway.url, retries=Retries(most=0))


async def send(client, rows):
    return await send_rows(client, rows, clock=SystemClock(), concurrency=8)


async def ready(client):
    for _ in range(500):
        if await client.ready():
            return
        await asyncio.sleep(0.02)
    pytest.fail("the gateway did not get ready")


def test_switches_of_version_under_load_lose_no_request(project, start_gateway, row):
    project.add(1)
    project.add(2)
    project.deploy(1, {1: 1.0})
    gateway = start_gateway()
    generations = 6

    async def switch():
        for generation in range(2, generations + 1):
            await asyncio.sleep(0.15)
            new = 1 + generation % 2
            project.deploy(generation, {new: 1.0}, champion=new)

    def rows(switching):
        number = 0
        while number < 400 or not switching.done():
            yield row | {"customer_id": number}
            number += 1
        yield from [row] * 50

    async def load():
        async with once(gateway) as client:
            await ready(client)
            switching = asyncio.create_task(switch())
            sent = await send(client, rows(switching))
            # A request after the last document's poll must see it.
            await asyncio.sleep(0.3)
            return sent + await send(client, [row])

    found = asyncio.run(load())
    assert {one.status for one in found} == {200}
    sent = [one.answer for one in found]
    assert {one.generation for one in sent} == set(range(1, generations + 1))
    for one in sent:
        expected = 1 if one.generation == 1 else 1 + one.generation % 2
        assert one.version == str(expected)
        assert one.prediction == (1 if expected == 1 else 0)  # the two models answer the opposite
    by_end = sorted(sent, key=lambda one: one.prediction_id)
    assert [one.generation for one in by_end] == sorted(one.generation for one in by_end)
    code, errors = gateway.terminate()
    assert (code, errors) == (0, "")
    logged = logged_ids(project)
    assert {one.prediction_id: one.generation for one in sent}.items() <= logged.items()


def test_kill_9_under_load_loses_no_acknowledged_answer(project, start_gateway, row):
    project.add(1)
    project.deploy(1, {1: 1.0}, log="durable")
    acknowledged = set()
    for kill in range(4):
        gateway = start_gateway()

        def rows(gateway=gateway, after=60 + 70 * kill):
            for number in range(5000):
                if number == after:
                    gateway.kill()
                if number > after + 10:
                    return
                yield row

        async def load(gateway=gateway, rows=rows):
            async with once(gateway) as client:
                await ready(client)
                return await send(client, rows())

        sent = asyncio.run(load())
        given = {one.answer.prediction_id for one in sent if one.answer}
        assert len(given) >= 50
        assert any(one.status == 0 for one in sent)  # it was killed in the middle
        acknowledged |= given
    assert acknowledged <= logged_ids(project).keys()


def test_sigterm_finishes_requests_and_writes_the_buffered_log(project, start_gateway, row):
    project.add(1)
    project.deploy(1, {1: 1.0}, log="buffered")
    gateway = start_gateway()

    async def load():
        async with once(gateway) as client:
            await ready(client)
            sending = asyncio.create_task(send(client, [row] * 2000))
            await asyncio.sleep(0.2)
            gateway.process.terminate()
            return await sending

    sent = asyncio.run(load())
    _, errors = gateway.process.communicate(timeout=20)
    assert (gateway.process.returncode, errors) == (0, b"")
    given = {one.answer.prediction_id for one in sent if one.answer}
    assert len(given) >= 20
    assert given <= logged_ids(project).keys()
    # A request is answered whole or never taken: what fails is refused at the door, not dropped half-way.
    assert {one.status for one in sent} <= {200, 0}


def exchange(url, request):
    """Send raw bytes and return the answer, whether or not the server reads all of them."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(65536)
        head, _, body = answer.partition(b"\r\n\r\n")
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += connection.recv(65536)
    return head + body


def test_doors_on_the_wire(project, start_gateway, row, wait_until):
    project.add(1)
    project.deploy(1, {1: 1.0})
    gateway = start_gateway()

    def get(path):
        return exchange(gateway.url, f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())

    wait_until(lambda: b" 200 " in get("/readyz").split(b"\r\n")[0])
    assert b'"live":true' in get("/v2/health/live")
    large = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\n"
    assert b" 413 " in exchange(gateway.url, large).split(b"\r\n")[0]
    chunk = b"fffff\r\n" + b"x" * 0xFFFFF + b"\r\n"
    chunked = b"POST /predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" + chunk * 2
    assert b" 413 " in exchange(gateway.url, chunked).split(b"\r\n")[0]
    body = json.dumps(row).encode()
    head = f"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    assert b'"prediction":1' in exchange(gateway.url, head + body)
    assert gateway.terminate() == (0, "")


def test_why_nothing_is_in_force_is_told_once_and_when_that_ends(project, start_gateway):
    process = start_gateway().process

    def said():
        assert select.select([process.stderr], [], [], 20)[0], "it said nothing"
        return process.stderr.readline().decode()

    waiting = f"setpoint gateway: waiting for {project.path}; setpoint run makes it\n"
    assert said() == waiting
    project.add(1)
    project.deploy(1, {1: 1.0})
    in_force = "setpoint gateway: the deployment document is in force\n"
    assert said() == in_force
    project.path.write_text("{")
    assert said().startswith("setpoint gateway: the deployment document is refused: ")
    project.deploy(2, {1: 1.0})
    assert said() == in_force
