"""Tests of the traffic sender against a small server of its own."""

import asyncio
import json

import pytest

from setpoint.adapters.http_traffic import HttpTraffic
from setpoint.clock import SystemClock
from setpoint.errors import UsageError


class Server:
    """Answers `n` with its double; closes the connection at `n` = -1, without an answer at -2."""

    def __init__(self):
        self.connections = 0
        self.paths = []

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.paths.append(head.split()[1].decode())
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                given = json.loads(await reader.readexactly(length))
                if isinstance(given, list):
                    status, content = self.tell(given)
                elif given["n"] == -2:
                    break
                else:
                    status = 200
                    content = {"model_version": "3", "prediction": 2 * given["n"], "generation": 4}
                body = json.dumps(content).encode()
                close = "connection: close\r\n" if content.get("prediction") == -2 else ""
                answer = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{close}\r\n"
                writer.write(answer.encode() + body)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    @staticmethod
    def tell(outcomes):
        if any(one["outcome"] == "bad" for one in outcomes):
            return 422, {"error": "no class"}
        return 200, {"recorded": len(outcomes)}


def against_server(scenario):
    async def whole():
        server = Server()
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        async with listening:
            port = listening.sockets[0].getsockname()[1]
            await scenario(HttpTraffic(f"http://127.0.0.1:{port}", SystemClock()), server)
        await asyncio.sleep(0.01)  # lets the server see that its clients are gone

    asyncio.run(whole())


def test_answers_come_in_the_order_of_the_rows_over_kept_connections():
    async def scenario(traffic, server):
        sent = await traffic.send(({"n": n} for n in range(100)), concurrency=4, path="/x")
        assert [(one.number, one.prediction) for one in sent] == [(n, 2 * n) for n in range(100)]
        assert {(one.status, one.version, one.generation) for one in sent} == {(200, "3", 4)}
        assert all(one.latency_s > 0 for one in sent)
        assert server.connections <= 4
        assert set(server.paths) == {"/x"}

    against_server(scenario)


def test_broken_connection_is_reported_and_the_rest_goes_on():
    async def scenario(traffic, server):
        sent = await traffic.send([{"n": 1}, {"n": -2}, {"n": 2}])
        assert [one.status for one in sent] == [200, 0, 200]
        assert "IncompleteReadError" in sent[1].error

    against_server(scenario)


def test_connection_that_the_server_closes_is_opened_anew():
    async def scenario(traffic, server):
        sent = await traffic.send([{"n": -1}, {"n": 2}])
        assert [one.status for one in sent] == [200, 200]
        assert server.connections == 2

    against_server(scenario)


def test_nobody_there_is_reported_not_raised():
    sent = asyncio.run(HttpTraffic("http://127.0.0.1:9", SystemClock()).send([{"n": 1}]))
    assert [one.status for one in sent] == [0]


def test_pace_is_kept():
    async def scenario(traffic, server):
        started = SystemClock().stopwatch()
        await traffic.send([{"n": 1}] * 21, per_second=100)
        assert SystemClock().stopwatch() - started >= 0.2

    against_server(scenario)


def test_outcomes_are_told_in_batches_and_a_refusal_is_raised():
    async def scenario(traffic, server):
        outcomes = {f"p-{number}": "Yes" for number in range(25)}
        assert await traffic.tell(outcomes, batch=10) == 25
        assert server.paths == ["/outcomes"] * 3
        with pytest.raises(UsageError, match="with 422: no class"):
            await traffic.tell({"p": "bad"})

    against_server(scenario)


@pytest.mark.parametrize("url", ["127.0.0.1:80", "https://x", "http://"])
def test_address_that_is_none_is_refused(url):
    with pytest.raises(UsageError):
        HttpTraffic(url, SystemClock())
