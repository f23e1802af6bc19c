"""Tests of clients that are slow, greedy or many, on raw sockets: each has a bound, and nobody else waits for them."""

import asyncio
import contextlib
import socket

import pytest
import uvloop

from setpoint.gateway.limits import Limits, LimitsInForce
from setpoint.gateway.wire import connection, http
from setpoint.gateway.wire.connection import Bounds
from setpoint.gateway.wire.exchange import Response
from setpoint.gateway.wire.http import HttpServer

GET = b"GET /x HTTP/1.1\r\nhost: x\r\n\r\n"
LARGE = bytes(300_000)
BODIES = {"/large": LARGE, "/huge": bytes(30_000_000)}


class Doors:
    """Answers a little, or a lot at `/large`; counts who asked."""

    def __init__(self):
        self.asked = 0
        self.go_on = asyncio.Event()

    async def __call__(self, request):
        self.asked += 1
        if request.path == "/slow":
            await self.go_on.wait()
        return Response(200, BODIES.get(request.path, b"ok"), b"text/plain")


class Wire:
    """A server on a spare port, whose sweeps come quickly, and raw connections to it."""

    def __init__(self, limits=None, **bounds):
        self.doors = Doors()
        self.server = HttpServer(self.doors, limits or Limits(), Bounds(**bounds))
        self._transports = []

    async def __aenter__(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.address = listener.getsockname()
        await self.server.open(listener)
        return self

    async def __aexit__(self, *_):
        self.doors.go_on.set()
        for writer in self._transports:
            writer.transport.abort()
        await self.server.drain(5)

    async def connect(self, limit=2**16):
        reader, writer = await asyncio.open_connection(*self.address, limit=limit)
        self._transports.append(writer)
        return reader, writer

    async def until(self, condition, timeout_s=10.0):
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110 (another task changes it)
                await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def _quick_sweeps(monkeypatch):
    monkeypatch.setattr(http, "_SWEEP_S", 0.02)
    monkeypatch.setattr(connection, "_LINGER_S", 0.1)


def play(scenario, limits=None, **bounds):
    async def whole():
        async with Wire(limits, **bounds) as wire, asyncio.timeout(20):
            return await scenario(wire)

    return uvloop.run(whole())  # as gateways do


async def trickle(writer, pieces, pause_s=0.01):
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"GET /", b"x"),
        (b"GET / HTTP/1.1\r\n", b"a: b\r\n"),
        (b"POST / HTTP/1.1\r\ncontent-length: 1000\r\n\r\n", b"x"),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
)
def test_request_that_trickles_is_cut_though_something_comes_all_the_time(start, piece):
    async def scenario(wire):
        reader, writer = await wire.connect()
        sending = asyncio.ensure_future(trickle(writer, [start] + [piece] * 500))
        answer = await reader.read(12)
        sending.cancel()
        await wire.until(lambda: not wire.server.connections)
        return answer, wire.doors.asked

    assert play(scenario, read_s=0.2) == (b"HTTP/1.1 408", 0)


def test_line_ends_without_a_request_do_not_keep_a_connection():
    async def scenario(wire):
        reader, writer = await wire.connect()
        sending = asyncio.ensure_future(trickle(writer, [b"\r\n"] * 500))
        with contextlib.suppress(ConnectionResetError):  # there was more to read
            assert await reader.read() == b""
        await wire.until(lambda: not wire.server.connections)
        return sending.cancel()

    assert play(scenario, idle_s=0.2)  # it was still sending


def test_client_that_reads_nothing_is_answered_no_more_and_cut_at_last():
    async def scenario(wire):
        reader, writer = await wire.connect(limit=1)
        reader._transport.pause_reading()
        writer.write(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n" * 100)
        await wire.until(lambda: wire.doors.asked > 1)
        (held,) = wire.server.connections
        await wire.until(lambda: held._stalled)
        asked = wire.doors.asked
        unsent = held._transport.get_write_buffer_size()
        await wire.until(lambda: not wire.server.connections)
        return asked, wire.doors.asked, unsent

    asked, at_last, unsent = play(scenario, write_s=0.3)
    assert asked == at_last < 30  # the system takes some megabytes itself
    assert unsent <= 2 * len(LARGE) + 1_000


def test_client_that_reads_slowly_gets_everything(monkeypatch):
    monkeypatch.setattr(connection, "_READ_BYTES_S", 1)

    async def scenario(wire):
        reader, writer = await wire.connect()
        writer.write(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n" * 20)
        writer.write_eof()
        got = 0
        while data := await reader.read(50_000):
            got += len(data)
            await asyncio.sleep(0.005)
        return got

    got = play(scenario, write_s=0.1)
    assert got > 20 * len(LARGE)


def test_answer_that_waits_in_a_closing_connection_is_cut_too():
    async def scenario(wire):
        reader, writer = await wire.connect(limit=1)
        reader._transport.pause_reading()
        writer.write(b"GET /huge HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        await wire.until(lambda: wire.doors.asked)
        (held,) = wire.server.connections
        await wire.until(held._transport.is_closing)
        assert held._transport.get_write_buffer_size() > 0
        await wire.until(lambda: not wire.server.connections)

    play(scenario, write_s=0.2)


def test_flood_of_requests_ahead_is_parsed_as_far_as_it_is_answered():
    count = 20_000

    async def scenario(wire):
        reader, writer = await wire.connect()
        writer.write(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n" + GET * count)
        await wire.until(lambda: wire.doors.asked == 1)
        await asyncio.sleep(0.1)
        (flooded,) = wire.server.connections
        ahead, kept = len(flooded._ahead), len(flooded._rest)
        wire.doors.go_on.set()
        writer.write_eof()
        answers = await reader.read(-1)
        return ahead, kept, answers.count(b"HTTP/1.1 200")

    ahead, kept, answers = play(scenario)
    assert ahead <= 16 + 16_384 // len(GET) + 1
    assert kept <= 300_000  # what the event loop reads at once
    assert answers == count + 1


def test_requests_ahead_of_one_client_do_not_keep_another_waiting():
    async def scenario(wire):
        _, flooding = await wire.connect()
        flooding.write(GET * 5_000)
        reader, writer = await wire.connect()
        writer.write(GET)
        await reader.readuntil(b"ok")
        return wire.doors.asked

    assert play(scenario) < 2_000


def test_large_bodies_of_all_connections_together_are_bounded():
    async def scenario(wire):
        head = b"POST / HTTP/1.1\r\ncontent-length: 90000\r\n\r\n"
        clients = [await wire.connect() for _ in range(10)]
        for _, writer in clients:
            writer.write(head + bytes(80_000))
        await wire.until(lambda: wire.server.held >= 400_000 - 80_000)
        answers = await asyncio.gather(
            *(asyncio.wait_for(reader.read(12), 0.5) for reader, _ in clients),
            return_exceptions=True,
        )
        held = wire.server.held
        waiting = [
            client
            for client, answer in zip(clients, answers, strict=True)
            if isinstance(answer, TimeoutError)
        ]
        for (
            reader,
            writer,
        ) in waiting:  # the first may be one too many with its end; the others have room then
            writer.write(bytes(10_000))
            answers.append(await reader.read(12))
        return held, [answer for answer in answers if isinstance(answer, bytes)]

    held, answers = play(scenario, Limits(body=100_000), held=400_000)
    assert held <= 400_000
    assert len(answers) == 10
    assert answers.count(b"HTTP/1.1 200") >= 4
    assert answers.count(b"HTTP/1.1 503") >= 5


def test_bytes_that_are_held_are_let_go_however_a_request_ends():
    async def scenario(wire):
        body = b"content-length: 50000\r\n\r\n" + bytes(50_000)
        reader, writer = await wire.connect()
        writer.write((b"POST /x HTTP/1.1\r\n" + body) * 3)  # answered, one after the other
        for _ in range(3):
            await reader.readuntil(b"ok")
        _, gone = await wire.connect()
        gone.write(b"POST /x HTTP/1.1\r\ncontent-length: 50000\r\n\r\n" + bytes(40_000))
        await wire.until(lambda: wire.server.held >= 40_000)
        gone.transport.abort()
        _, ahead = await wire.connect()
        ahead.write((b"POST /slow HTTP/1.1\r\n" + body) + (b"POST /x HTTP/1.1\r\n" + body) * 3)
        await wire.until(lambda: wire.server.held >= 150_000)
        ahead.transport.abort()
        wire.doors.go_on.set()
        _, refused = await wire.connect()
        refused.write(b"POST /x HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n")
        refused.write((b"fff\r\n" + bytes(0xFFF) + b"\r\n") * 30)
        _, upgrade = await wire.connect()
        upgrade.write(b"POST /x HTTP/1.1\r\nconnection: upgrade\r\nupgrade: h2c\r\n" + body)
        await wire.until(lambda: wire.server.held == 0)
        await asyncio.sleep(0.05)
        return wire.server.held

    assert play(scenario, Limits(body=100_000)) == 0


def test_body_that_the_document_forbids_is_refused_from_the_next_request_on():
    limits = LimitsInForce(Limits(body=5_000))

    async def scenario(wire):
        reader, writer = await wire.connect()
        writer.write(b"POST /x HTTP/1.1\r\ncontent-length: 3000\r\n\r\n" + bytes(3_000))
        await reader.readuntil(b"ok")
        limits.body = 2_000
        writer.write(b"POST /x HTTP/1.1\r\ncontent-length: 3000\r\n\r\n" + bytes(3_000))
        return await reader.read()

    answer = play(scenario, limits)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"larger than 2000 bytes" in answer


def test_where_most_connections_are_taken_idle_ones_close_soon():
    async def scenario(wire):
        idle = [await wire.connect() for _ in range(7)]
        await asyncio.sleep(0.3)
        kept = len(wire.server.connections)
        idle += [await wire.connect() for _ in range(2)]
        await wire.until(lambda: len(wire.server.connections) < 8)
        reader, writer = await wire.connect()
        writer.write(GET)
        await reader.readuntil(b"ok")
        return kept

    assert play(scenario, connections=10, crowded_s=0.1) == 7


def test_one_connection_too_many_is_told_when_to_come_again():
    async def scenario(wire):
        held = [await wire.connect() for _ in range(2)]
        await wire.until(lambda: len(wire.server.connections) == 2)
        reader, _ = await wire.connect()
        answer = await reader.read()
        del held
        return answer

    answer = play(scenario, connections=2)
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 1\r\n" in answer


def test_while_it_drains_slowly_new_connections_are_answered_and_closed():
    async def scenario(wire):
        kept_reader, kept = await wire.connect()
        kept.write(GET)
        await kept_reader.readuntil(b"ok")
        wire.server.begin_to_drain()
        kept.write(GET)
        reader, writer = await wire.connect()
        writer.write(GET)
        return await kept_reader.read(), await reader.read()

    for answer in play(scenario):
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"connection: close\r\n" in answer


def test_connections_that_came_while_it_drained_slowly_are_waited_for():
    async def scenario(wire):
        first = await wire.connect()
        await wire.until(lambda: wire.server.connections)
        wire.server.begin_to_drain()
        first[1].close()
        await wire.until(lambda: not wire.server.connections)
        reader, writer = await wire.connect()
        writer.write(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        await wire.until(lambda: wire.doors.asked)
        draining = asyncio.ensure_future(wire.server.drain(10))
        await asyncio.sleep(0.1)
        assert not draining.done()
        wire.doors.go_on.set()
        answer = await reader.read()
        await draining
        return answer

    assert play(scenario).startswith(b"HTTP/1.1 200")
