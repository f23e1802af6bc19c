"""An answer that says no, as the error that its sender gets."""

import msgspec

from setpoint.client.answer_reader import Reply
from setpoint.client.failures import (
    ClientError,
    Flaw,
    GatewayFailedError,
    OverloadedError,
    RequestRefusedError,
    UnreadableAnswerError,
)

_OVERLOADED = (429, 503)
_SHOWN = 200  # characters of a foreign answer that an error repeats


class _Refusal(msgspec.Struct, frozen=True):
    """The body of a refusal."""

    error: str
    detail: list[Flaw] = []


_decode = msgspec.json.Decoder(_Refusal).decode


def refusal(reply: Reply) -> ClientError:
    """Return the error for an answer whose status is not 2xx."""
    try:
        told = _decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        told = _Refusal(reply.body[:_SHOWN].decode("utf-8", "replace").strip() or "no reason given")
    kind = _kind(reply.status)
    return kind(
        f"{reply.status}: {told.error}",
        status=reply.status,
        flaws=told.detail,
        retry_after_s=_seconds(reply.headers.get(b"retry-after", b"")),
    )


def _kind(status: int) -> type[ClientError]:
    if status in _OVERLOADED:
        return OverloadedError
    if 400 <= status < 500:  # noqa: PLR2004 (what was sent must change)
        return RequestRefusedError
    if status >= 500:  # noqa: PLR2004 (the server's fault)
        return GatewayFailedError
    return UnreadableAnswerError  # a redirection: this URL is not the gateway's


def _seconds(text: bytes) -> float:
    """Return the seconds of `Retry-After`; a date, which no gateway sends, is passed over."""
    return float(text) if text.isdigit() and len(text) < 7 else 0.0  # noqa: PLR2004 (below 11 days)
