"""HTTP/1.1 responses out of bytes: by length, in chunks, or up to the end of the connection.

In Python and not by a parser of its own in C: a client shall need nothing but msgspec. A response of a gateway comes in
one piece, and the way through here for one piece is short.
"""

from typing import NamedTuple

from setpoint.client.failures import UnreadableAnswerError

MOST_HEAD = 65_536  # bytes of status line and headers
MOST_BODY = 1 << 28  # bytes of a body
_HEX = b"0123456789abcdefABCDEF"
_STATUS = slice(9, 12)
_NO_BODY = (204, 304)
_INTERIM = 200  # a status below is followed by the response itself


class Reply(NamedTuple):
    """One response.

    Args:
        status: HTTP status.
        headers: Headers by lower-case name; the last of those that come more than once.
        body: The whole body.
        keep: Whether the connection can be used again.
    """

    status: int
    headers: dict[bytes, bytes]
    body: bytes
    keep: bool


class AnswerReader:
    """Reads the responses of one connection, one after the other."""

    __slots__ = ("_body", "_chunks", "_head", "_keep", "_left", "_status", "_text")

    def __init__(self) -> None:
        self._text = b""  # of a head that is not whole yet
        self._status = 0  # of the response whose body is read; 0 before
        self._head: dict[bytes, bytes] = {}
        self._keep = False
        self._body: list[bytes] = []
        self._left = (
            0  # bytes of the body that are still to come; below 0: up to the end of the connection
        )
        self._chunks: ChunkReader | None = None

    def feed(self, data: bytes) -> Reply | None:
        """Take bytes and return the response if it is whole.

        Raises:
            UnreadableAnswerError: They are no HTTP, or too much of it.
        """
        if not self._status:
            rest = self._read_head(data)
            if rest is None:
                return None
            data = rest
        if self._chunks is not None:
            return self._whole(self._chunks.body()) if self._chunks.feed(data) else None
        self._body.append(data)
        if self._left < 0:
            self._bound(len(data))
            return None
        self._left -= len(data)
        if self._left > 0:
            return None
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        if self._left < 0:  # nobody asked for more: what follows is not to be trusted
            self._keep = False
            body = body[: self._left]
        return self._whole(body)

    def end(self) -> Reply | None:
        """Take the end of the connection, and return the response if it is whole by that."""
        if not self._status or self._chunks is not None or self._left >= 0:
            return None
        self._keep = False
        return self._whole(b"".join(self._body))

    def _read_head(self, data: bytes) -> bytes | None:
        """Read status and headers and return what follows them; None if they are not whole."""
        while True:
            text = self._text + data if self._text else data
            head, end, rest = text.partition(b"\r\n\r\n")
            if len(head) > MOST_HEAD:
                raise UnreadableAnswerError(f"the answer's head is larger than {MOST_HEAD} bytes")
            if not end:
                self._text = text
                return None
            self._text = b""
            lines = head.split(b"\r\n")
            status = _status_of(lines[0])
            if status >= _INTERIM:
                self._begin(status, lines)
                return rest
            data = rest

    def _begin(self, status: int, lines: list[bytes]) -> None:
        """Take note of what the head says of the body."""
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        self._status, self._head = status, headers
        self._keep = lines[0].startswith(b"HTTP/1.1")
        if (connection := headers.get(b"connection")) is not None:
            self._keep = b"close" not in connection.lower() and (
                self._keep or b"keep-alive" in connection.lower()
            )
        if status in _NO_BODY:
            self._left = 0
        elif b"transfer-encoding" in headers:
            if headers[b"transfer-encoding"].lower() != b"chunked":
                raise UnreadableAnswerError(
                    "the answer has a transfer encoding that is not chunked"
                )
            self._chunks = ChunkReader()
        elif (length := headers.get(b"content-length")) is not None:
            if not length.isdigit() or len(length) > len(str(MOST_BODY)) or int(length) > MOST_BODY:
                raise UnreadableAnswerError(f"the answer has a body of {length[:20]!r} bytes")
            self._left = int(length)
        else:
            self._left = -1

    def _bound(self, more: int) -> None:
        """Refuse a body without an announced length that goes on and on."""
        self._left -= more
        if -self._left > MOST_BODY:
            raise UnreadableAnswerError(f"the answer's body is larger than {MOST_BODY} bytes")

    def _whole(self, body: bytes) -> Reply:
        reply = Reply(self._status, self._head, body, self._keep)
        self._status, self._chunks, self._left = 0, None, 0
        self._head, self._body = {}, []
        return reply


class ChunkReader:
    """Reads one body in chunks (RFC 9112 §7.1)."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._body = bytearray()
        self._trailers = False

    def feed(self, data: bytes) -> bool:
        """Take bytes and return whether the body is whole.

        Raises:
            UnreadableAnswerError: They are no chunks.
        """
        self._text += data
        while (end := self._text.find(b"\r\n")) >= 0:
            if self._trailers:
                if end == 0:
                    return True
                del self._text[: end + 2]
                continue
            size = _chunk_size(bytes(self._text[:end]))
            if len(self._body) + size > MOST_BODY:
                raise UnreadableAnswerError(f"the answer's body is larger than {MOST_BODY} bytes")
            if size == 0:
                self._trailers = True
                del self._text[: end + 2]
                continue
            start = end + 2
            if len(self._text) < start + size + 2:
                return False
            self._body += self._text[start : start + size]
            del self._text[: start + size + 2]
        if len(self._text) > MOST_HEAD:
            raise UnreadableAnswerError("the answer has a chunk whose size has no end")
        return False

    def body(self) -> bytes:
        """Return the body."""
        return bytes(self._body)


def _status_of(line: bytes) -> int:
    """Return the status of `HTTP/1.1 200 OK`."""
    number = line[_STATUS]
    if not line.startswith(b"HTTP/1.") or not number.isdigit() or number < b"100":
        raise UnreadableAnswerError(f"the answer is no HTTP/1: {line[:40]!r}")
    return int(number)


def _chunk_size(line: bytes) -> int:
    """Return the size that begins a chunk, without its extensions."""
    digits = line.partition(b";")[0].strip()
    if not digits or len(digits) > len(f"{MOST_BODY:x}") or digits.strip(_HEX):
        raise UnreadableAnswerError(f"the answer has a chunk of size {line[:20]!r}")
    return int(digits, 16)
