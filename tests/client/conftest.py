"""A server that plays a script: what it answers each request, or how it fails to."""

import asyncio
import itertools
import json
import threading

import pytest

ROW = {"tenure": 3, "plan": "monthly"}
ANSWER = {
    "prediction": 1,
    "label": "Yes",
    "probability": 0.75,
    "prediction_id": "p-1",
    "model_version": "3",
    "variant": "champion",
    "contract": "c0ffee",
    "generation": 4,
    "status": "success",
}


class Asked:
    """One request that came in."""

    def __init__(self, head, body):
        line, *lines = head.decode().split("\r\n")
        self.method, self.path, _ = line.split(" ")
        self.headers = dict(one.lower().split(": ", 1) for one in lines if one)
        self.body = json.loads(body) if body else None


class Script:
    """Plays its steps, one a request; the last again and again.

    A step is `(status, content)`, `(status, content, headers)`, bytes as they are, `drop` or `hang`; or a function of
    the request that returns one.
    """

    def __init__(self):
        self.steps = [(200, ANSWER)]
        self.asked = []
        self.connections = 0
        self.under_way = self.most_under_way = 0

    def play(self, *steps):
        self.steps = list(steps)

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = [
            line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        ]
        body = await reader.readexactly(int(length[0].split(b": ")[1])) if length else b""
        self.asked.append(Asked(head[:-4], body))
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        step = step(self.asked[-1]) if callable(step) else step
        if step == "drop":
            return False
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(30 if step == "hang" else 0.002)
        self.under_way -= 1
        writer.write(step if isinstance(step, bytes) else wire(*step))
        await writer.drain()
        return b"connection: close" not in (step if isinstance(step, bytes) else b"")


def wire(status, content, headers=None):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.fixture
def script():
    """A script that is played on a thread of its own; `url` says where."""
    played = Script()
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(played.serve, "127.0.0.1", 0))
    played.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield played

    async def end():
        server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)

    asyncio.run_coroutine_threadsafe(end(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def entropy():
    """Bytes that are different each time, and the same in every run."""
    counter = itertools.count()
    return lambda size: next(counter).to_bytes(size)


@pytest.fixture
def row():
    return dict(ROW)


@pytest.fixture
def answer():
    return dict(ANSWER)
