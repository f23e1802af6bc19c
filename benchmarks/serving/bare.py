"""What the choice of the gateway's HTTP server was measured with: an echo, and a row through ONNX, behind each server.

    python bare.py SERVER CONTENT MODEL PORT WORKERS

SERVER is `uvicorn`, `granian-asgi`, `granian-rsgi` or `protocol` (asyncio and httptools, no framework); CONTENT
is `echo` or `onnx`. Runs in an environment of its own that has granian; of this
project it imports `floor` alone.
"""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import floor
import httptools
import uvicorn
import uvloop

Scope = MutableMapping[str, Any]


def echo(body: bytes) -> bytes:
    """Answer a body with itself."""
    return body


def asgi(answer: Callable[[bytes], bytes]) -> Callable[..., Awaitable[None]]:
    """Return an ASGI application of one route."""

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await floor.respond(answer, receive, send)

    return application


def rsgi(answer: Callable[[bytes], bytes]) -> Callable[..., Awaitable[None]]:
    """Return an RSGI application of one route."""
    headers = [("content-type", "application/json")]

    async def application(scope: Any, protocol: Any) -> None:
        del scope
        protocol.response_bytes(200, headers, answer(await protocol()))

    return application


class Connection(asyncio.Protocol):
    """One connection, parsed by httptools, answered in the same turn of the event loop."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        content = self._answer(b"".join(self._body))
        self._body = []
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        self._transport.write(head % len(content) + content)


def application() -> Callable[..., Awaitable[None]]:
    """Return what the command line names, for granian's workers, which each make their own."""
    server, content, model = sys.argv[1:4]
    answer = echo if content == "echo" else floor.predictor(model)
    return rsgi(answer) if server == "granian-rsgi" else asgi(answer)


def _serve_uvicorn(port: int) -> None:
    listener = socket.create_server(("127.0.0.1", port), backlog=2048, reuse_port=True)
    uvicorn.Server(floor.configured(application())).run(sockets=[listener])


def _serve_granian(server: str, port: int, workers: int) -> None:
    from granian import Granian  # noqa: PLC0415 (only this server's environment has it)
    from granian.constants import HTTPModes, Interfaces, Loops  # noqa: PLC0415 (as above)

    Granian(
        f"{__file__}:application",
        factory=True,
        address="127.0.0.1",
        port=port,
        interface=Interfaces(server.removeprefix("granian-")),
        http=HTTPModes.http1,
        loop=Loops.uvloop,
        websockets=False,
        workers=workers,
        log_enabled=False,
    ).serve()


def _serve_protocol(port: int) -> None:
    content, model = sys.argv[2:4]
    answer = echo if content == "echo" else floor.predictor(model)

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Connection(answer), "127.0.0.1", port, backlog=2048, reuse_port=True
        )
        await server.serve_forever()

    uvloop.run(serve())


def main() -> None:
    """Serve; workers of uvicorn and of the bare protocol are processes that share the port."""
    server, port, workers = sys.argv[1], int(sys.argv[4]), int(sys.argv[5])
    if server.startswith("granian"):
        _serve_granian(server, port, workers)
        return
    import multiprocessing  # noqa: PLC0415 (one worker needs none)

    serve = _serve_uvicorn if server == "uvicorn" else _serve_protocol
    others = [
        multiprocessing.get_context("fork").Process(target=serve, args=(port,))
        for _ in range(workers - 1)
    ]
    for other in others:
        other.start()
    serve(port)


if __name__ == "__main__":
    main()
