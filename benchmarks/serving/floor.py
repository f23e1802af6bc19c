"""The floor: one route, one model, nothing else on. What is left when a server only decodes, infers and encodes.

    python floor.py MODEL PORT [named]

uvicorn with uvloop and httptools, raw ASGI; msgspec decodes the body into a typed struct and encodes the answer;
onnxruntime runs the model on one thread. No routing, no check of ranges, no log, no metrics, no ids, no versions.
The body is `{"row": [30 numbers]}`; with `named` it is a flat object of 30 names, as the gateway's `/predict` takes it.
"""

import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
import numpy as np
import onnxruntime
import uvicorn

Scope = MutableMapping[str, Any]


class Request(msgspec.Struct):
    """The body of a request."""

    row: list[float]


class Answer(msgspec.Struct):
    """The body of an answer."""

    prediction: int
    probability: float


def predictor(path: str, columns: tuple[str, ...] = ()) -> Callable[[bytes], bytes]:
    """Return what answers one body with the model at `path`: one input of rows, outputs `probabilities`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    encode = msgspec.json.Encoder().encode
    outputs, name = ["probabilities"], session.get_inputs()[0].name
    row_of = _named_rows(columns) if columns else _rows()

    def answer(body: bytes) -> bytes:
        rows = np.array((row_of(body),), dtype=np.float32)
        probability = session.run(outputs, {name: rows})[0].item(1)
        return encode(Answer(int(probability >= 0.5), probability))

    return answer


def _rows() -> Callable[[bytes], Any]:
    decode = msgspec.json.Decoder(Request).decode
    return lambda body: decode(body).row


def _named_rows(columns: tuple[str, ...]) -> Callable[[bytes], Any]:
    row = msgspec.defstruct("Row", [(name, float) for name in columns])
    decode = msgspec.json.Decoder(row).decode
    return lambda body: msgspec.structs.astuple(decode(body))


async def respond(answer: Callable[[bytes], bytes], receive: Any, send: Any) -> None:
    """Read one body, answer it."""
    message = await receive()
    body = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    content = answer(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def configured(application: Callable[..., Awaitable[None]]) -> uvicorn.Config:
    """Return the fastest set-up of uvicorn for an application."""
    return uvicorn.Config(
        application,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=False,
        backlog=2048,
    )


def main() -> None:
    """Serve."""
    columns = tuple(f"f{place:02d}" for place in range(30)) if "named" in sys.argv else ()
    answer = predictor(sys.argv[1], columns)

    async def application(scope: Scope, receive: Any, send: Any) -> None:
        del scope
        await respond(answer, receive, send)

    listener = socket.create_server(("127.0.0.1", int(sys.argv[2])), backlog=2048)
    uvicorn.Server(configured(application)).run(sockets=[listener])


if __name__ == "__main__":
    main()
