"""One HTTP request and its response, apart from ASGI; and JSON in and out."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from setpoint.gateway.watching.trail import Trail
from setpoint.gateway.wire.refusal import Flaw, RefusedError, refuse

_JSON = b"application/json"
_REQUEST_ID = 200  # characters
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

_AT = re.compile(r"\(byte (\d+)\)")
_NO_NUMBER = re.compile(rb"-?(?:NaN|Infinity)")
_NOWHERE: Mapping[str, str] = MappingProxyType({})

Header = tuple[bytes, bytes]


class Request(msgspec.Struct, frozen=True, gc=False):
    """What came in.

    Args:
        method: HTTP method.
        path: Path, percent-decoded.
        headers: Those headers that the gateway reads, by lower-case name.
        body: The whole body.
        place: What the route matched, by name: `model`, `version`.
        peer: Address and port of the client, where somebody wants to know.
        trail: Notes what becomes of it; None where nobody wants to know.
    """

    method: str
    path: str
    headers: Mapping[bytes, bytes]
    body: bytes = b""
    place: Mapping[str, str] = _NOWHERE
    peer: str = ""
    trail: Trail | None = None

    @property
    def request_id(self) -> str:
        """Id that the client gave, or empty."""
        return self.header(b"x-request-id")[:_REQUEST_ID]

    def header(self, name: bytes) -> str:
        """Return a header as text; empty where it was not sent."""
        found = self.headers.get(name)
        return found.decode("latin-1").strip() if found else ""


class Response(msgspec.Struct, frozen=True, gc=False):
    """What goes out.

    Args:
        status: HTTP status.
        body: The whole body.
        content_type: Its media type.
        headers: Further headers.
        refused: Kind of refusal, where it is one. The error itself would keep its frames alive, and they this response.
        flaws: What the refusal says is wrong.
    """

    status: int
    body: bytes
    content_type: bytes = _JSON
    headers: Sequence[Header] = ()
    refused: str = ""
    flaws: Sequence[Flaw] = ()


def answer_json(content: Any, status: int = 200) -> Response:
    """Return plain data, or a struct, as a JSON response."""
    return Response(status, _encode(content))


def answer_refusal(refusal: RefusedError) -> Response:
    """Return a refusal as JSON: `error` in one line, `detail` flaw by flaw."""
    content = {"status": "error", "error": str(refusal), "detail": refusal.flaws}
    return refused(refusal, refusal.status, content)


def refused(refusal: RefusedError, status: int, content: Any) -> Response:
    """Return a refusal under a status and in words of a protocol's own."""
    return Response(
        status,
        _encode(content),
        headers=refusal.headers,
        refused=refusal.kind,
        flaws=refusal.flaws,
    )


def decode_json(body: bytes) -> Any:
    """Return the plain data of a JSON body.

    Raises:
        RefusedError: 400; it is no JSON.
    """
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise not_decodable(error, body) from error


def not_decodable(error: Exception, body: bytes = b"{}") -> RefusedError:
    """Return the refusal of a body that cannot be decoded, in words for what clients most often get wrong."""
    if not body.strip():
        return refuse(400, "the body is empty; it must be JSON")
    if found := _AT.search(str(error)):
        at = int(found[1])  # of the letter; a sign stands before it
        word = _NO_NUMBER.match(body, max(0, at - 1)) or _NO_NUMBER.match(body, at)
        if word is not None:
            name = word[0].decode()
            return refuse(400, f"{name} is not JSON (byte {word.start()}); send null")
    return refuse(400, f"the body cannot be read as JSON: {error}"[:300])
