"""A request that is not answered: the status and what is wrong, where. The gateway is a door, so statuses live here."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import msgspec

from setpoint.errors import SetpointError

Rule = Literal["", "missing", "unknown", "null", "type", "range", "value"]
"""Which rule of the contract a column breaks; empty where it is about none."""

Kind = Literal[
    "busy",
    "conflict",
    "connections",
    "contract",
    "deadline",
    "draining",
    "gateway",
    "key",
    "loading",
    "log",
    "media",
    "method",
    "model",
    "size",
    "slow",
    "unavailable",
    "unknown",
    "unreadable",
]
"""What refusals are counted as; docs/observability.md says what each means."""

_KINDS: Mapping[int, Kind] = MappingProxyType(
    {
        400: "unreadable",
        401: "key",
        403: "key",
        404: "unknown",
        405: "method",
        408: "slow",
        409: "conflict",
        413: "size",
        414: "size",
        415: "media",
        422: "contract",
        429: "busy",
        431: "size",
        500: "gateway",
        503: "unavailable",
        504: "deadline",
    }
)


class Flaw(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong with a request.

    Args:
        reason: What is wrong, as a sentence without the place.
        column: Column it is about, or empty.
        row: Zero-based row of the request; None where it is not about a row.
        rule: Which rule of the contract the column breaks; empty where it is about none.
    """

    reason: str
    column: str = ""
    row: int | None = None
    rule: Rule = ""

    def __str__(self) -> str:
        """Return `row 2: column 'tenure': reason`."""
        row = "" if self.row is None else f"row {self.row}: "
        column = f"column {self.column!r}: " if self.column else ""
        return f"{row}{column}{self.reason}"


class RefusedError(SetpointError):
    """The request cannot be answered as it is.

    Args:
        status: HTTP status: 4xx for what the client can change, 503 for what passes by itself, 500 for a broken model.
        flaws: What is wrong; at least one.
        headers: Further headers of the answer.
        kind: What it is counted as; None for what the status says.
    """

    def __init__(
        self,
        status: int,
        flaws: Sequence[Flaw],
        headers: Sequence[tuple[bytes, bytes]] = (),
        kind: Kind | None = None,
    ) -> None:
        self.status = status
        self.kind: Kind = kind or _KINDS.get(status, "gateway")
        self.flaws = tuple(flaws)
        self.headers = tuple(headers)
        super().__init__("; ".join(str(flaw) for flaw in self.flaws))


def refuse(status: int, reason: str, *, column: str = "", row: int | None = None) -> RefusedError:
    """Return a refusal for one reason."""
    return RefusedError(status, [Flaw(reason=reason, column=column, row=row)])
