"""What can go wrong with a request, sorted by what its sender can do about it.

```
ClientError
├── RequestRefusedError    4xx: what was sent must change; `flaws` say what
├── OverloadedError        429, 503: the gateway cannot now; every retry was told the same
├── GatewayFailedError     another 5xx: the gateway or its model failed
├── UnreachableError       no connection, or it broke before the answer was whole
├── DeadlineError          no answer in time
└── UnreadableAnswerError  what came back is no answer of a gateway
```
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from setpoint.errors import SetpointError

if TYPE_CHECKING:
    from setpoint.client.answer import Answer


class Flaw(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a request.

    Args:
        reason: What is wrong, as a sentence without the place.
        column: Column it is about, or empty.
        row: Zero-based row of the call; None where it is not about a row.
        rule: Which rule of the contract the column breaks: `missing`, `unknown`, `null`, `type`, `range` or `value`;
            empty where it is about none.
    """

    reason: str
    column: str = ""
    row: int | None = None
    rule: str = ""

    def __str__(self) -> str:
        """Return `row 2: column 'tenure': reason`."""
        row = "" if self.row is None else f"row {self.row}: "
        column = f"column {self.column!r}: " if self.column else ""
        return f"{row}{column}{self.reason}"


class ClientError(SetpointError):
    """A request got no answer, or one that says no.

    Args:
        message: What happened, as one sentence.
        status: HTTP status; 0 where no answer came.
        flaws: What is wrong with the request, one by one, as far as the gateway said so.
        request_id: Id that the request was sent under; the gateway's log knows it.
        retry_after_s: Seconds after which the gateway would be asked again; 0 where it did not say.

    Attributes:
        answers: Of a call of many rows: what the requests before this one were answered.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        flaws: Sequence[Flaw] = (),
        request_id: str = "",
        retry_after_s: float = 0.0,
    ) -> None:
        self.status = status
        self.flaws = tuple(flaws)
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.answers: tuple[Answer, ...] = ()
        super().__init__(message)


class RequestRefusedError(ClientError):
    """4xx: what was sent must change."""


class OverloadedError(ClientError):
    """429 or 503: the gateway cannot answer now."""


class GatewayFailedError(ClientError):
    """Another 5xx: the gateway, its model or something on the way failed."""


class UnreachableError(ClientError):
    """There is no connection, or it broke before the answer was whole."""


class DeadlineError(ClientError):
    """No answer came in time."""


class UnreadableAnswerError(ClientError):
    """What came back is no answer of a gateway."""
