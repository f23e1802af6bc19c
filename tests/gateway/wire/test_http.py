"""Tests of HTTP on the wire: order, bounds, half-read requests, clients that go, and draining."""

import asyncio
import contextlib
import re
import socket

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from setpoint.gateway.limits import Limits
from setpoint.gateway.wire import http
from setpoint.gateway.wire.connection import Bounds
from setpoint.gateway.wire.exchange import Response
from setpoint.gateway.wire.http import HttpServer

POST = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n%b\r\n%b"


def post(body=b"{}", headers=b""):
    return POST % (len(body), headers, body)


class Echo:
    """Answers method, path and body; waits at `/slow` until told."""

    def __init__(self):
        self.go_on = asyncio.Event()
        self.asked = []

    async def __call__(self, request):
        self.asked.append(request)
        if request.path == "/slow":
            await self.go_on.wait()
        said = f"{request.method} {request.path} ".encode() + request.body
        return Response(200, said, b"text/plain", [(b"x-more", b"1")])


class Wire:
    """A server on a spare port, and raw connections to it."""

    def __init__(self, **bounds):
        self.echo = Echo()
        self.server = HttpServer(
            self.echo, Limits(body=bounds.pop("body", Limits().body)), Bounds(**bounds)
        )
        self.writers = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()

    async def __aenter__(self):
        await self.server.open(self.listener)
        return self

    async def __aexit__(self, *_):
        self.echo.go_on.set()
        for writer in self.writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        await self.server.drain(5)

    async def connect(self):
        reader, writer = await asyncio.open_connection(*self.address)
        self.writers.append(writer)
        return reader, writer

    async def exchange(self, sent):
        """Send bytes, then nothing more, and return all that comes until the server closes."""
        reader, writer = await self.connect()
        writer.write(sent)
        writer.write_eof()
        async with asyncio.timeout(10):
            return await reader.read()


def play(scenario, **bounds):
    async def whole():
        async with Wire(**bounds) as wire:
            return await scenario(wire)

    return uvloop.run(whole())  # as gateways do


def exchange(sent, **bounds):
    return play(lambda wire: wire.exchange(sent), **bounds)


def bodies(answer):
    """Return status and body of each answer in a stream."""
    found = []
    while answer:
        head, _, answer = answer.partition(b"\r\n\r\n")
        length = int(re.search(rb"content-length: (\d+)", head)[1])
        found.append((int(head.split()[1]), answer[:length]))
        answer = answer[length:]
    return found


def test_request_and_answer_are_whole():
    answer = exchange(post(b'{"a": 1}'))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n")
    assert b"x-more: 1\r\n" in answer
    assert bodies(answer) == [(200, b'POST /predict {"a": 1}')]


def test_requests_sent_ahead_are_answered_in_order():
    sent = b"".join(post(str(number).encode()) for number in range(200))
    found = bodies(exchange(sent))
    assert found == [(200, f"POST /predict {number}".encode()) for number in range(200)]


def test_request_may_come_byte_by_byte():
    async def scenario(wire):
        reader, writer = await wire.connect()
        for byte in post(b"hello"):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        writer.write_eof()
        return await reader.read()

    assert bodies(play(scenario)) == [(200, b"POST /predict hello")]


def test_chunked_body_and_expectation_of_a_go_ahead():
    chunked = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    assert bodies(exchange(chunked)) == [(200, b"POST / abcde")]
    answer = exchange(post(b"xy", b"expect: 100-continue\r\n"))
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"/a%20b?x=1", "/a b"),
        (b"/a?b%00", "/a"),
        (b"http://host/v2?x", "/v2"),
        (b"/%ff", "/\ufffd"),
        (b"*", "*"),
    ],
)
def test_path_is_decoded_without_the_query(target, path):
    answer = exchange(b"OPTIONS " + target + b" HTTP/1.1\r\nhost: x\r\n\r\n")
    assert bodies(answer) == [(200, f"OPTIONS {path} ".encode())]


def test_head_has_the_length_and_no_body():
    answer = exchange(b"HEAD /x HTTP/1.1\r\nhost: x\r\n\r\n")
    assert b"content-length: 8\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    ],
)
def test_connection_closes_where_the_client_wants_it(request_):
    async def scenario(wire):
        reader, writer = await wire.connect()
        writer.write(request_)
        async with asyncio.timeout(5):
            return await reader.read()

    assert b"connection: close\r\n" in play(scenario)


def test_upgrade_is_passed_over_and_the_request_is_answered():
    upgrade = (
        b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQ\r\n"
    )
    assert bodies(exchange(post(b"1", upgrade) + post(b"2"))) == [
        (200, b"POST /predict 1"),
        (200, b"POST /predict 2"),
    ]


@pytest.mark.parametrize("size", [0, 1, 40_000])
@pytest.mark.parametrize("is_whole", [True, False])
def test_body_in_chunks_beside_an_upgrade_is_the_requests_own(size, is_whole):
    body = b"x" * size
    upgrade = b"connection: upgrade\r\nupgrade: h2c\r\n"
    chunk = b"%x\r\n%b\r\n" % (size, body) if size else b""
    sent = b"PUT /predict HTTP/1.1\r\n" + upgrade + b"transfer-encoding: chunked\r\n\r\n"
    sent += chunk + b"0\r\n\r\n" + post(b"2")

    async def scenario(wire):
        reader, writer = await wire.connect()
        for piece in [sent] if is_whole else [sent[:100], sent[100:111], sent[111:]]:
            writer.write(piece)
            await asyncio.sleep(0.02)
        writer.write_eof()
        return await reader.read()

    found = bodies(play(scenario, body=50_000))
    assert found == [(200, b"PUT /predict " + body), (200, b"POST /predict 2")]


def test_trailers_are_no_headers():
    async def scenario(wire):
        head = b"POST /predict HTTP/1.1\r\nx-request-id: a\r\ntransfer-encoding: chunked\r\n\r\n"
        trailers = b"x-request-id: b\r\nauthorization: Bearer b\r\nx-setpoint-version: 2\r\n"
        await wire.exchange(head + b"1\r\n1\r\n0\r\n" + trailers + b"\r\n")
        return wire.echo.asked

    (asked,) = play(scenario)
    assert (asked.headers, asked.body) == ({b"x-request-id": b"a"}, b"1")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost x\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01", 400),
        (b"POST / HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd", 400),
        (
            b"POST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\ncontent-length: 101\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\ncontent-length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n65\r\n" + b"x" * 0x65, 413),
        (b"GET /" + b"x" * 1000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nlong: " + b"x" * 1000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"h%d: x\r\n" % n for n in range(500)) + b"\r\n", 431),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_a_reason(sent, status):
    answer = exchange(sent, body=100, head=900)
    assert bodies(answer)[-1][0] == status
    assert b"connection: close\r\n" in answer
    assert b'"error":' in answer


def test_refused_client_reads_why_though_it_goes_on_sending():
    async def scenario(wire):
        reader, writer = await wire.connect()
        writer.write(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(50):
            writer.write(b"fff\r\n" + b"x" * 0xFFF + b"\r\n")
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            await asyncio.sleep(0)
        return await reader.read()

    assert bodies(play(scenario, body=10_000))[0][0] == 413


def test_client_that_goes_away_harms_nobody():
    async def scenario(wire):
        _, writer = await wire.connect()
        writer.write(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n" + post())
        while not wire.echo.asked:  # noqa: ASYNC110 (another task changes it)
            await asyncio.sleep(0.001)
        writer.transport.abort()
        await asyncio.sleep(0.01)
        wire.echo.go_on.set()
        return await wire.exchange(post(b"x"))

    assert bodies(play(scenario)) == [(200, b"POST /predict x")]


def test_request_that_does_not_arrive_is_408_and_an_idle_connection_closes(monkeypatch):
    monkeypatch.setattr(http, "_SWEEP_S", 0.01)

    async def scenario(wire):
        reader, writer = await wire.connect()
        writer.write(b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nab")
        idle, _ = await wire.connect()
        async with asyncio.timeout(10):
            return await reader.read(), await idle.read()

    late, idle = play(scenario, read_s=0.05, idle_s=0.1)
    assert bodies(late)[0][0] == 408
    assert idle == b""


def test_slow_answer_is_not_taken_for_an_idle_connection(monkeypatch):
    monkeypatch.setattr(http, "_SWEEP_S", 0.01)

    async def scenario(wire):
        asking = asyncio.ensure_future(wire.exchange(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n"))
        await asyncio.sleep(0.3)
        wire.echo.go_on.set()
        return await asking

    assert bodies(play(scenario, read_s=0.05, idle_s=0.1)) == [(200, b"GET /slow ")]


def test_one_connection_too_many_is_503():
    async def scenario(wire):
        held = [await wire.connect() for _ in range(2)]
        while len(wire.server.connections) < 2:  # noqa: ASYNC110 (another task changes it)
            await asyncio.sleep(0.001)
        reader, _ = await wire.connect()
        answer = await reader.read()
        held[0][1].close()
        while len(wire.server.connections) > 1:  # noqa: ASYNC110 (another task changes it)
            await asyncio.sleep(0.001)
        return answer, await wire.exchange(post())

    refused, taken = play(scenario, connections=2)
    assert bodies(refused)[0][0] == 503
    assert bodies(taken)[0][0] == 200


def test_draining_answers_what_has_arrived_and_closes_the_rest():
    async def scenario(wire):
        busy_reader, busy = await wire.connect()
        busy.write(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        idle, _ = await wire.connect()
        while not wire.echo.asked:  # noqa: ASYNC110 (another task changes it)
            await asyncio.sleep(0.001)
        draining = asyncio.ensure_future(wire.server.drain(10))
        assert await idle.read() == b""
        with pytest.raises(ConnectionRefusedError):
            await wire.connect()
        wire.echo.go_on.set()
        answer = await busy_reader.read()
        await draining
        return answer

    answer = play(scenario)
    assert bodies(answer) == [(200, b"GET /slow ")]
    assert b"connection: close\r\n" in answer


def test_draining_ends_though_a_request_does_not_which_is_told_so():
    async def scenario(wire):
        reader, writer = await wire.connect()
        writer.write(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        while not wire.echo.asked:  # noqa: ASYNC110 (another task changes it)
            await asyncio.sleep(0.001)
        await wire.server.drain(0.05)
        return await reader.read()

    ((status, body),) = bodies(play(scenario))
    assert status == 503
    assert b"the gateway stops" in body


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_whatsoever_break_the_server(noise, after_a_request):
    async def scenario(wire):
        await wire.exchange((post() if after_a_request else b"") + noise)
        return await wire.exchange(post(b"still"))

    assert bodies(play(scenario)) == [(200, b"POST /predict still")]
