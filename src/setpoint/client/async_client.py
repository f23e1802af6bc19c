"""The client for asyncio: rows in, answers out."""

import os
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar
from urllib.parse import quote

import msgspec

from setpoint.client.address import read_address
from setpoint.client.answer import Answer, Answers, Metadata, Readiness, Recorded
from setpoint.client.answer_reader import Reply
from setpoint.client.failures import ClientError, Flaw, UnreadableAnswerError
from setpoint.client.retries import Retries
from setpoint.client.row_text import row_text
from setpoint.client.sending import Manner, Sender

_ROWS = 500  # of one request; a gateway takes up to 1,000
_BYTES = 900_000  # of one request; a gateway takes up to 1,000,000
_NOT_READY = 503

Row = Mapping[str, Any] | msgspec.Struct | msgspec.Raw
"""A row by column: a mapping, a struct, or its JSON as `msgspec.Raw`. Beside the features it may have the key."""
Value = str | int | float | bool
"""An outcome: a class, or a number."""
T = TypeVar("T")

_answer = msgspec.json.Decoder(Answer)
_answers = msgspec.json.Decoder(Answers)
_recorded = msgspec.json.Decoder(Recorded)
_readiness = msgspec.json.Decoder(Readiness)
_metadata = msgspec.json.Decoder(Metadata)


class _Health(msgspec.Struct, frozen=True):
    """The part of `/health` that names the model."""

    model: str


_health = msgspec.json.Decoder(_Health)


class AsyncClient:
    """A gateway, as asyncio programs see it. Safe to share between tasks; connections are kept.

    ```python
    async with AsyncClient("http://127.0.0.1:8080") as client:
        answer = await client.predict({"tenure": 3, "plan": "monthly"})
        await client.outcome(answer.prediction_id, "Yes")
    ```

    Every method raises a `ClientError` where there is no good answer.

    Args:
        url: The gateway, such as `http://127.0.0.1:8080` or `https://models.example.com/churn`.
        api_key: Sent as a bearer token, for what stands before the gateway; None sends none.
        timeout_s: Seconds that each request has in all, repetitions and pauses included.
        retries: When a request is sent again: after a broken connection, and after 429, 502 and 503.
        connections: Connections at once, at most.
        tls: How an encrypted connection is made; None takes the system's certificates.
        entropy: Returns this many random bytes: for request ids and for pauses.

    Raises:
        UsageError: `url` is no address, or another argument makes no sense.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        timeout_s: float = 10.0,
        *,
        retries: Retries | None = None,
        connections: int = 100,
        tls: ssl.SSLContext | None = None,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        manner = Manner(timeout_s, retries or Retries(), connections, tls, entropy)
        self._sender = Sender(read_address(url), api_key, manner)

    async def predict(self, row: Row, *, request_id: str = "", version: str = "") -> Answer:
        """Return what a row is answered.

        Args:
            row: The row by column.
            request_id: Id of the request, for the log and for drawing the version; drawn where it is empty.
            version: Version that shall answer; empty leaves it to the deployment.
        """
        body = row_text(row)
        reply = await self._sender.post("/predict", body, request_id=request_id, pin=version)
        return _read(_answer, reply)

    async def predict_many(
        self, rows: Iterable[Row], *, request_id: str = "", version: str = ""
    ) -> list[Answer]:
        """Return what rows are answered, in their order, by as many requests as they need.

        All rows of one request are answered by one version. Where a request fails, those before it were answered: the
        error has their answers as `answers`.

        Args:
            rows: The rows by column.
            request_id: Id of the first request, `-1` and so on for those after it; drawn where it is empty.
            version: Version that shall answer; empty leaves it to the deployment.
        """
        found: list[Answer] = []
        for number, texts in enumerate(_portions(rows)):
            name = f"{request_id}-{number}" if request_id and number else request_id
            body = b"[" + b",".join(texts) + b"]"
            try:
                reply = await self._sender.post("/predict", body, request_id=name, pin=version)
                answers = _read(_answers, reply).rows()
                _require_all(answers, texts, reply)
            except ClientError as error:
                error.answers = tuple(found)
                error.flaws = tuple(_shifted(flaw, len(found)) for flaw in error.flaws)
                raise
            found.extend(answers)
        return found

    async def outcome(self, prediction_id: str, value: Value) -> Recorded:
        """Tell what turned out to be true of an answer; telling the same again changes nothing."""
        return await self.outcomes([(prediction_id, value)])

    async def outcomes(
        self, outcomes: Mapping[str, Value] | Iterable[tuple[str, Value]]
    ) -> Recorded:
        """Tell what turned out to be true of answers, by prediction id.

        Telling the same again changes nothing, so after an error all of them may be told again.
        """
        pairs = outcomes.items() if isinstance(outcomes, Mapping) else outcomes
        new = known = 0
        texts = (
            row_text({"prediction_id": name, "outcome": value}, f"the outcome of {name!r}")
            for name, value in pairs
        )
        for portion in _portioned(texts):
            body = b"[" + b",".join(portion) + b"]"
            recorded = _read(_recorded, await self._sender.post("/outcomes", body))
            new += recorded.recorded
            known += recorded.known
        return Recorded(recorded=new, known=known)

    async def ready(self) -> Readiness:
        """Return whether the gateway shall get traffic; that it shall not is an answer and no error."""
        return _read(_readiness, await self._sender.get("/readyz", also=_NOT_READY))

    async def metadata(self) -> Metadata:
        """Return what the gateway serves: the model, its versions, its inputs."""
        model = _read(_health, await self._sender.get("/health")).model
        return _read(_metadata, await self._sender.get(f"/v2/models/{quote(model, safe='')}"))

    async def close(self) -> None:
        """Close the connections."""
        await self._sender.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _read(decoder: msgspec.json.Decoder[T], reply: Reply) -> T:
    """Return the body of an answer."""
    try:
        return decoder.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = f"the answer is none of a gateway: {error}"
        raise UnreadableAnswerError(msg[:300], status=reply.status) from error


def _portions(rows: Iterable[Row]) -> Iterator[list[bytes]]:
    """Yield the rows as JSON, as many at a time as one request holds."""
    return _portioned(row_text(row, f"row {number}") for number, row in enumerate(rows))


def _portioned(texts: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield texts, as many at a time as one request holds."""
    portion: list[bytes] = []
    size = 0
    for text in texts:
        if portion and (len(portion) == _ROWS or size + len(text) > _BYTES):
            yield portion
            portion, size = [], 0
        portion.append(text)
        size += len(text) + 1
    if portion:
        yield portion


def _require_all(answers: Sequence[Answer], texts: Sequence[bytes], reply: Reply) -> None:
    if len(answers) != len(texts):
        msg = f"{len(texts)} rows were sent, {len(answers)} were answered"
        raise UnreadableAnswerError(msg, status=reply.status)


def _shifted(flaw: Flaw, rows: int) -> Flaw:
    """Return a flaw with its row counted from the first of the call."""
    return flaw if flaw.row is None else msgspec.structs.replace(flaw, row=flaw.row + rows)
