"""Which rows a retrain learns from."""

import re
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from setpoint.contract.scalar import Scalar, ScalarError
from setpoint.contract.spans import Span

_LAST = re.compile(r"\s*last\s+(.+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class History(Scalar):
    """Rows that a retrain learns from: `all`, `since_change`, `last 50000 rows` or `last 90d`.

    Args:
        kind: `all`, `since_change` (rows after the drift that started it) or `last`.
        last: How far back, for `last`; None otherwise.
    """

    kind: Literal["all", "since_change", "last"]
    last: Span | None = None

    allowed: ClassVar[str] = "all, since_change, last 50000 rows or last 90d"
    json_forms: ClassVar = (
        {"type": "string", "enum": ["all", "since_change"]},
        {"type": "string", "pattern": r"^\s*last\s+[0-9.]+\s*(rows?|us|ms|s|m|min|h|d|w)\s*$"},
    )

    @classmethod
    def read(cls, raw: object) -> Self:
        """Return the history that a text says."""
        if raw == "all":
            return cls("all")
        if raw == "since_change":
            return cls("since_change")
        if isinstance(raw, str) and (match := _LAST.fullmatch(raw)):
            try:
                last = Span.read(match[1])
            except ScalarError as error:
                raise ScalarError("is not a history", allowed=cls.allowed) from error
            if last.value > 0:
                return cls("last", last)
            raise ScalarError("is no rows", allowed=cls.allowed)
        raise ScalarError("is not a history", allowed=cls.allowed)

    def __str__(self) -> str:
        return self.kind if self.last is None else f"last {self.last}"
